"""Race time and gap to the winner of a predicted order, from what past races took.

The winner's time comes from the average speed of earlier races at the circuit, or of all circuits where there were none;
the gap from what drivers were behind who were expected there (:mod:`models.gap_model`), or, with too few races for that,
from what each place was behind in the last seasons. Both are distributions: a median and an 80 % interval.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.gap_model import MIN_RACES, QUANTILES, GapModel
from warehouse.errors import NotReady

Floats = NDArray[np.float64]

CIRCUIT_RUNNINGS = 4
"""Earlier races at a circuit that its speed is taken from."""
RECENT_RACES = 66
"""Races (about three seasons) that gaps and the speed of unknown circuits are taken from."""
RACE_DISTANCE_KM = 305.0
"""The least distance of a Grand Prix, used where the number of laps is not known yet."""
STOPPED_BELOW = 0.85
"""A race slower than this share of the circuit's fastest was stopped or drowned: it says nothing of the next one's speed."""
GROWTH_PER_PLACE = 1.04
"""Beyond the last place seen on the lead lap the gap grows by this factor a place."""


@dataclass(frozen=True)
class RaceTimes:
    """Distributions of the winner's speed and of the gap per place.

    Attributes:
        speeds: Winner's median average speed [km/h] of a circuit's last races, by circuit.
        speed: The same over all recent races.
        gaps: Gap to the winner [s] of places 1..n: rows are the three quantiles.
        spread: 10, 50 and 90 % quantiles of actual over expected winner's time in earlier races.
        model: The gap of a predicted order; None where there were too few races to fit it.
    """

    speeds: dict[str, float]
    speed: float
    gaps: Floats
    spread: Floats
    model: GapModel | None = None

    @classmethod
    def fit(
        cls, races: pl.DataFrame, finishers: pl.DataFrame, history: pl.DataFrame | None = None
    ) -> RaceTimes:
        """Learns from races before a cut-off.

        Args:
            races: One row per race, oldest first: ``event_id, circuit_id, winner_time_s, distance_km``; races that were
                shortened must have been left out.
            finishers: One row per classified car on the lead lap: ``event_id, position, gap_s``.
            history: What the model of gaps is fitted to: :data:`models.gap_model.HISTORY_COLUMNS`, oldest race first;
                without it gaps are the median per place.

        Raises:
            NotReady: No timed race is among them.
        """
        known = races.filter((pl.col("winner_time_s") > 0) & (pl.col("distance_km") > 0)).with_columns(
            speed=pl.col("distance_km") / pl.col("winner_time_s") * 3600
        )
        if known.is_empty():
            raise NotReady("No timed race is known yet.", hint="Ingest results first.")
        known = known.filter(pl.col("speed") >= STOPPED_BELOW * pl.col("speed").max().over("circuit_id"))
        recent = known.tail(RECENT_RACES)
        overall = float(np.median(recent["speed"].to_numpy()))
        speeds = {
            str(circuit): float(np.median(rows["speed"].tail(CIRCUIT_RUNNINGS).to_numpy()))
            for (circuit,), rows in known.group_by(["circuit_id"], maintain_order=True)
        }
        gaps = finishers.filter(pl.col("event_id").is_in(recent["event_id"].to_list()))
        enough = history is not None and (
            history.filter(pl.col("is_usual"))["event_id"].n_unique() >= MIN_RACES
        )
        model = GapModel.fit(history) if enough and history is not None else None
        return cls(speeds, overall, _gap_curve(gaps), _spread(known), model)

    def winner_time(self, circuit_id: str, distance_km: float | None) -> Floats:
        """10, 50 and 90 % quantiles of the winner's time [s]."""
        distance = distance_km or RACE_DISTANCE_KM
        return np.asarray(distance / self.speeds.get(circuit_id, self.speed) * 3600 * self.spread)

    def add_to(
        self,
        forecast: pl.DataFrame,
        circuit_id: str,
        distance_km: float | None,
        *,
        lap_km: float | None = None,
        features: pl.DataFrame | None = None,
    ) -> pl.DataFrame:
        """Adds gaps and race times to a forecast of one event.

        Args:
            forecast: One row per driver with ``predicted_position, position_low, position_high``; where it has
                ``expected_position``, the gap goes by it as well.
            circuit_id: Where the race is held.
            distance_km: Planned distance; None when not known yet.
            lap_km: Length of a lap; None when not known yet.
            features: ``driver_id`` and what is known of :data:`models.gap_model.PACE_COLUMNS`, each against any one
                driver; what is missing is guessed from the forecast.

        Returns:
            The forecast with ``gap_s, gap_low_s, gap_high_s, race_time_s, race_time_low_s, race_time_high_s``; gaps are 0
            for the predicted winner and never shrink down the predicted order.
        """
        ordered = forecast.sort("predicted_position")
        if self.model is None or "expected_position" not in ordered.columns:
            columns = ("position_low", "predicted_position", "position_high")
            found = np.array([self._gap(ordered[c].to_numpy(), row) for row, c in enumerate(columns)])
        else:
            found = self.model.gaps(
                ordered["predicted_position"].to_numpy().astype(np.int64),
                ordered["expected_position"].to_numpy(),
                circuit_id=circuit_id,
                lap_km=lap_km,
                pace=None if features is None else _beside(ordered, features),
            )
            found[:2, :1] = 0.0
        low, middle, high = np.maximum.accumulate(found, axis=1)
        low, high = np.minimum(low, middle), np.maximum(high, middle)
        winner = self.winner_time(circuit_id, distance_km)
        return ordered.with_columns(
            gap_s=pl.Series(middle),
            gap_low_s=pl.Series(low),
            gap_high_s=pl.Series(high),
            race_time_s=pl.Series(winner[1] + middle),
            race_time_low_s=pl.Series(winner[0] + low),
            race_time_high_s=pl.Series(winner[2] + high),
        )

    def _gap(self, places: NDArray[np.int32], quantile: int) -> Floats:
        curve = self.gaps[quantile]
        last = curve.size
        beyond = np.clip(places - last, 0, None)
        return np.asarray(curve[np.clip(places, 1, last) - 1] * GROWTH_PER_PLACE**beyond)


def _beside(ordered: pl.DataFrame, features: pl.DataFrame) -> pl.DataFrame:
    """Features in the order of a forecast, a null row for who has none."""
    return ordered.select("driver_id").join(features, on="driver_id", how="left", maintain_order="left")


def _gap_curve(gaps: pl.DataFrame) -> Floats:
    """Quantiles of the gap by place, made never to shrink down the order; places seen fewer than 5 times are left out."""
    curves = (
        gaps.filter(pl.col("gap_s").is_not_null() & (pl.col("gap_s") >= 0))
        .group_by("position")
        .agg(
            *(pl.col("gap_s").quantile(q, "linear").alias(str(q)) for q in QUANTILES), pl.len().alias("count")
        )
        .sort("position")
        .filter((pl.col("count") >= 5) | (pl.col("position") == 1))
    )
    if curves.is_empty():
        raise NotReady("No gaps between finishers are known yet.", hint="Ingest results first.")
    matrix = np.maximum.accumulate(curves.select(map(str, QUANTILES)).to_numpy().T, axis=1)
    matrix[:, 0] = 0.0
    return np.asarray(matrix, dtype=np.float64)


def _spread(known: pl.DataFrame) -> Floats:
    """Quantiles of actual over expected time, each race expected from the earlier ones at its circuit."""
    ratios: list[float] = []
    seen: dict[str, list[float]] = {}
    for circuit, speed in known.select("circuit_id", "speed").iter_rows():
        earlier = seen.setdefault(circuit, [])
        if earlier:
            ratios.append(float(np.median(earlier[-CIRCUIT_RUNNINGS:])) / speed)
        earlier.append(speed)
    if len(ratios) < 10:
        return np.array([0.95, 1.0, 1.1])
    low, _, high = np.quantile(ratios[-2 * RECENT_RACES :], QUANTILES)
    # The forecast itself stays the median speed: what moves all races of a year must not bias the next.
    return np.array([min(low, 1.0), 1.0, max(high, 1.0)])
