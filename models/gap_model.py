"""Gap to the winner of a predicted order: how far behind a driver finishes who is expected there.

What a place was behind in past races is not what a driver predicted for that place will be behind: the prediction may be
wrong. The model is therefore fitted to what drivers did who were *expected* at some place before past races. For those
races no forecasts exist, so the expectation is a stand-in: a regression of the finishing position on grid, race pace
rating and qualifying gap. Least absolute deviations give the median, pinball losses the interval; races count by age, and
within a race all cars on the lead lap together count as one, as the score does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.matrix import field_starts
from warehouse.errors import NotReady

Floats = NDArray[np.float64]

QUANTILES = (0.10, 0.50, 0.90)
HALF_LIFE_RACES = 60.0
"""A race this many races ago counts half."""
MIN_RACES = 30
"""With fewer races in its history the model is not fitted."""
USUAL_LAP_KM = 5.2
WIDTH_RUNNINGS, WIDTH_SHRINK = 10, 4.0
"""Races at a circuit that its width is taken from, and how many usual races are mixed in."""
RECENT_RACES = 66
CIRCUIT_SHARE = 0.5
"""How much of a circuit's past width is expected again; a season's past width says nothing of its next race."""
WIDTH_LIMITS = (0.5, 1.5)
RIDGE = 1e-4
PACE_COLUMNS = ("race_pace_gap", "qualifying_gap_pct")
"""What may be told of drivers beside the forecast, in % of a lap against any one car; each may be missing."""
HISTORY_COLUMNS = (
    "event_id",
    "circuit_id",
    "lap_km",
    "is_usual",
    "driver_id",
    "grid_position",
    *PACE_COLUMNS,
    "position",
    "gap_s",
)


@dataclass(frozen=True)
class GapModel:
    """Quantiles of the gap given place, expected position, lap length and pace.

    Attributes:
        coefficients: One row per quantile, one column per term of :func:`_terms`.
        fill: How a missing pace column is guessed from the distance to the predicted winner: one row per column.
        standin: Coefficients of the stand-in's expected position.
        circuits: Log width of the gaps at a circuit against the usual, shrunk.
    """

    coefficients: Floats
    fill: Floats
    standin: Floats
    circuits: dict[str, float]

    @classmethod
    def fit(cls, history: pl.DataFrame) -> GapModel:
        """Learns from races before a cut-off.

        Args:
            history: One row per starter, races oldest first: :data:`HISTORY_COLUMNS`. ``is_usual`` is false for races
                that were shortened or stopped; ``race_pace_gap`` is the rating before the race (driver and car);
                ``gap_s`` is null for cars that were not classified on the lead lap.

        Raises:
            NotReady: Fewer than :data:`MIN_RACES` usual races.
        """
        usual = history.filter(pl.col("is_usual"))
        if usual["event_id"].n_unique() < MIN_RACES:
            raise NotReady("Too few races for a model of gaps.", hint="Ingest more seasons.")
        age = _age(usual)
        inputs = _standin_terms(usual)
        share = (usual["position"].to_numpy() - 0.5) / _field_sizes(usual)
        weights = 0.5 ** (age / HALF_LIFE_RACES)
        standin = _least_squares(inputs, share, weights)
        rows = usual.with_columns(
            expected_position=pl.Series(inputs @ standin * _field_sizes(usual) + 0.5),
            weight=pl.Series(weights),
        )
        rows = _in_expected_order(rows)
        place, behind = _places(rows)
        fill = np.array(
            [
                _least_squares(_fill_terms(behind)[known], values[known], rows["weight"].to_numpy()[known])
                for values, known in (_behind_winner(rows, column) for column in PACE_COLUMNS)
            ]
        )
        terms = _terms(rows, place, behind, fill)
        gaps = rows["gap_s"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
        count = rows.select(pl.col("gap_s").is_not_null().sum().over("event_id"))["gap_s"].to_numpy()
        seen = np.isfinite(gaps)
        weight = rows["weight"].to_numpy() / np.maximum(count, 1)
        coefficients = []
        for quantile in QUANTILES:
            # The median is that of cars behind the predicted winner, whose own gap is 0 by definition.
            used = seen & (place > 1) if quantile == 0.5 else seen
            coefficients.append(_quantile_fit(terms[used], gaps[used], weight[used], quantile))
        return cls(np.array(coefficients), fill, standin, _widths(usual))

    def expected_positions(self, field: pl.DataFrame) -> Floats:
        """The stand-in's expected position of each driver of one or more races (rows of the history's form)."""
        return np.asarray(_standin_terms(field) @ self.standin * _field_sizes(field) + 0.5)

    def gaps(
        self,
        places: NDArray[np.int64],
        expected: Floats,
        *,
        circuit_id: str,
        lap_km: float | None = None,
        pace: pl.DataFrame | None = None,
    ) -> Floats:
        """Quantiles of the gap of one field in predicted order, none below 0.

        Args:
            places: Predicted places 1..n, ascending.
            expected: Expected position of each.
            circuit_id: Where the race is held.
            lap_km: Length of a lap; None where it is not known.
            pace: Columns of :data:`PACE_COLUMNS`, as far as they are there, a row per driver in the same order.

        Returns:
            Gaps [s], one row per quantile, in no way made consistent with each other.
        """
        rows = pl.DataFrame(
            {
                "event_id": [""] * len(places),
                "lap_km": pl.Series([lap_km] * len(places), dtype=pl.Float64),
                "expected_position": expected,
            }
        )
        for column in PACE_COLUMNS:
            told = pace[column] if pace is not None and column in pace.columns else None
            rows = rows.with_columns(
                pl.lit(None, dtype=pl.Float64).alias(column)
                if told is None
                else told.cast(pl.Float64).alias(column)
            )
        behind = expected - expected[0]
        terms = _terms(rows, places.astype(np.float64), behind, self.fill)
        width = CIRCUIT_SHARE * self.circuits.get(circuit_id, 0.0)
        found = terms @ self.coefficients.T * np.clip(1.0 + width, *WIDTH_LIMITS)
        return np.asarray(np.maximum(found, 0.0).T)


def _terms(rows: pl.DataFrame, place: Floats, behind: Floats, fill: Floats) -> Floats:
    """What the gap is linear in: pieces of place and of the distance to the predicted winner, lap length, pace."""
    lap = rows["lap_km"].cast(pl.Float64).fill_null(USUAL_LAP_KM).to_numpy() / USUAL_LAP_KM - 1.0
    far = np.maximum(behind, 0.0)
    pace = []
    for row, column in enumerate(PACE_COLUMNS):
        values, known = _behind_winner(rows, column)
        pace.append(np.where(known, values, _fill_terms(behind) @ fill[row]))
    return np.column_stack(
        [
            np.ones(len(place)),
            *(np.minimum(far, knot) for knot in (2.0, 6.0, 12.0)),
            *(np.minimum(place, knot) - 1.0 for knot in (3.0, 8.0)),
            rows["expected_position"].to_numpy(),
            lap,
            (np.minimum(place, 8.0) - 1.0) * lap,
            *pace,
        ]
    )


def _fill_terms(behind: Floats) -> Floats:
    return np.column_stack([behind, np.maximum(behind, 0.0) ** 0.5])


def _behind_winner(rows: pl.DataFrame, column: str) -> tuple[Floats, NDArray[np.bool_]]:
    """A pace against the predicted winner's (the first row of each event), and where it is known."""
    own = pl.col(column).cast(pl.Float64)
    values = (
        rows.select((own - own.first().over("event_id")).alias(column))[column]
        .fill_null(float("nan"))
        .to_numpy()
    )
    return values, np.isfinite(values)


def _standin_terms(rows: pl.DataFrame) -> Floats:
    """Grid and pace within the field: who has no grid place starts last, who has no pace is average."""
    event = "event_id"
    grid = (pl.col("grid_position").cast(pl.Float64).fill_null(99.0).rank("average").over(event) - 0.5) / (
        pl.len().over(event)
    )
    centred = [
        (pl.col(name).cast(pl.Float64) - pl.col(name).cast(pl.Float64).mean().over(event))
        .fill_null(0.0)
        .alias(name)
        for name in PACE_COLUMNS
    ]
    found = rows.select(grid.alias("grid"), *centred).to_numpy()
    return np.column_stack([np.ones(len(found)), found[:, 0], found[:, 0] ** 2, np.clip(found[:, 1:], -4, 4)])


def _in_expected_order(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(number=pl.col("event_id").rle_id()).sort(
        "number", "expected_position", "grid_position", "driver_id"
    )


def _places(rows: pl.DataFrame) -> tuple[Floats, Floats]:
    """Place in the expected order, and expected positions behind the predicted winner."""
    event = "event_id"
    found = rows.select(
        place=pl.int_range(1, pl.len() + 1).over(event).cast(pl.Float64),
        behind=pl.col("expected_position") - pl.col("expected_position").first().over(event),
    )
    return found["place"].to_numpy(), found["behind"].to_numpy()


def _field_sizes(rows: pl.DataFrame) -> Floats:
    return rows.select(n=pl.len().over("event_id").cast(pl.Float64))["n"].to_numpy()


def _age(rows: pl.DataFrame) -> Floats:
    """Races since a row's race, 0 for the newest."""
    starts = field_starts(rows["event_id"])
    races = len(starts) - 1
    return np.repeat(np.arange(races - 1, -1, -1.0), np.diff(starts))


def _least_squares(terms: Floats, seen: Floats, weights: Floats) -> Floats:
    weighted = terms * weights[:, None]
    return np.asarray(np.linalg.solve(weighted.T @ terms + 1e-6 * np.eye(terms.shape[1]), weighted.T @ seen))


def _quantile_fit(terms: Floats, seen: Floats, weights: Floats, quantile: float) -> Floats:
    """Linear quantile regression by iteratively reweighted least squares; errors below a second count as one."""
    scale = np.sqrt(np.mean(terms**2, axis=0)) + 1e-12
    matrix = terms / scale
    found = np.zeros(matrix.shape[1])
    for _ in range(60):
        residuals = seen - matrix @ found
        pull = weights * np.where(residuals > 0, quantile, 1.0 - quantile)
        pull = pull / np.maximum(np.abs(residuals), 1.0)
        weighted = matrix * pull[:, None]
        penalty = RIDGE * pull.sum() * np.eye(len(found))
        moved = np.linalg.solve(weighted.T @ matrix + penalty, weighted.T @ seen)
        done = float(np.max(np.abs(moved - found))) < 1e-3
        found = moved
        if done:
            break
    return np.asarray(found / scale)


def _widths(usual: pl.DataFrame) -> dict[str, float]:
    """How wide the gaps of places 2 to 10 were at each circuit, against recent races."""
    behind = usual.filter(pl.col("gap_s").is_not_null() & pl.col("position").is_between(2, 10))
    middle = pl.col("gap_s").median().over("position")
    races = (
        behind.with_columns(width=((pl.col("gap_s") + 2.0) / (middle + 2.0)).log())
        .group_by("event_id", "circuit_id", maintain_order=True)
        .agg(pl.col("width").mean())
    )
    width = races["width"].to_numpy()
    against = races.with_columns(width=pl.Series(width - width[-RECENT_RACES:].mean()))
    return {
        str(circuit): float(rows["width"].tail(WIDTH_RUNNINGS).sum())
        / (min(rows.height, WIDTH_RUNNINGS) + WIDTH_SHRINK)
        for (circuit,), rows in against.group_by(["circuit_id"], maintain_order=True)
    }
