"""The undercut: a car stops before a rival ahead of it; who is in front once both have stopped?

A row is a pair. Everything in it but the outcome is known at the last line before the first car's in-lap, the compound it
will fit included; on which lap the rival answers is not known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from models.strategy.measure import SOFTEST_FIRST
from models.strategy.race_clock import Floats, RaceClock, dry_laps, race_clocks

MOST_GAP_S = 4.0
"""A rival further ahead than this is out of reach of an undercut [s]."""
MOST_REPLY_LAPS = 4
"""A rival who stops later than this many laps after the car drives another strategy."""
FIRST_LAP = 4
USUAL_LAP_S = 90.0
"""Lap to which gaps and paces are scaled [s]."""
TRAIN_S = 2.0
"""A rival this close to the car ahead of him runs in a train [s]."""
MOST_PACE_S, MOST_AGE_LAPS = 2.0, 15.0
WEAR_LAPS, WEAR_PRIOR = 4, 40.0
"""Laps of a stint from which wear is told; weight of no wear, in laps squared."""
MISTAKE_S = 2.0
"""A lap this much slower than the stint's median says nothing of wear [s]."""
PENALTY = 3.0
"""Weight of the pull of every standardised coefficient to 0; anything from 0.3 to 10 does as well on 2018–2023."""
ROUNDS = 30

FEATURES: dict[str, str] = {
    "gap": "s at a lap of 90 s",
    "pace": "s/lap at a lap of 90 s, car less rival; more is slower",
    "gap_pace": "product of the two",
    "field_wear": "s/lap per lap at a lap of 90 s, median of the field's present sets",
    "older": "laps, age of the rival's set less that of the car's",
    "rival_age": "laps",
    "harder": "-1, 0 or 1: the set to be fitted against the rival's present one",
    "is_first": "whether it is the car's first stop",
    "stopped": "share of the running cars that have stopped",
    "is_train": "whether the rival is close behind another car",
}
"""Every feature with its unit."""

Row = dict[str, Any]
_SOFTNESS = {name.value: place for place, name in enumerate(SOFTEST_FIRST)}


def undercut_rows(laps: pl.DataFrame) -> pl.DataFrame:
    """Undercuts of all dry races among some laps.

    Args:
        laps: With :data:`models.strategy.race_clock.COLUMNS`.

    Returns:
        Rows of :func:`undercut_pairs` with ``known_at``, the last instant at which a lap of the race was known.
    """
    dry = dry_laps(laps)
    rows = [row for clock in race_clocks(dry) for row in undercut_pairs(clock)]
    kinds = {"event_id": pl.String, "season": pl.Int64, "circuit_id": pl.String, "driver_id": pl.String}
    kinds |= {"rival_id": pl.String, "lap": pl.Int64, "gap_s": pl.Float64, "reply_laps": pl.Int64}
    schema = {**kinds, **dict.fromkeys(FEATURES, pl.Float64), "is_ahead": pl.Boolean}
    known = dry.group_by("event_id").agg(pl.col("known_at").max())
    found = pl.DataFrame(rows, schema=schema).join(known, on="event_id")
    return found.sort("known_at", "event_id", "lap", "driver_id", "rival_id")


def undercut_pairs(clock: RaceClock) -> list[Row]:
    """Undercuts that were tried in a race under green and answered in time.

    Returns:
        Rows with ``event_id, season, circuit_id, driver_id, rival_id, lap`` (the in-lap), ``gap_s``, ``reply_laps``, the
        features and ``is_ahead``: whether the car was ahead at the line after the rival's out-lap.
    """
    found = []
    for car in range(len(clock.drivers)):
        for lap in np.flatnonzero(clock.is_in[:, car]).tolist():
            if lap < FIRST_LAP or lap + 1 > clock.laps or not clock.is_out[lap + 1, car]:
                continue
            for rival, reply in _answers(clock, car, lap):
                features = undercut_features(clock, car, rival, lap, str(clock.compound[lap + 1, car]))
                if features is not None:
                    end = clock.end_s[reply + 1]
                    found.append(
                        {
                            "event_id": clock.event_id,
                            "season": clock.season,
                            "circuit_id": clock.circuit_id,
                            "driver_id": clock.drivers[car],
                            "rival_id": clock.drivers[rival],
                            "lap": lap,
                            "gap_s": float(clock.end_s[lap - 1, car] - clock.end_s[lap - 1, rival]),
                            "reply_laps": reply - lap,
                            **features,
                            "is_ahead": bool(end[car] < end[rival]),
                        }
                    )
    return found


def _answers(clock: RaceClock, car: int, lap: int) -> Iterable[tuple[int, int]]:
    """Rivals within reach who stop after the car and in time, with their in-lap."""
    before = clock.end_s[lap - 1]
    for rival in np.flatnonzero((before < before[car]) & (before[car] - before <= MOST_GAP_S)).tolist():
        window = clock.is_in[lap : lap + MOST_REPLY_LAPS + 1, rival]
        if window[0] or not window.any():
            continue
        reply = lap + int(window.argmax())
        laps = slice(lap - 1, reply + 2)
        if reply + 1 > clock.laps or not clock.is_out[reply + 1, rival]:
            continue
        seen = clock.end_s[[lap, lap + 1, reply + 1]][:, [car, rival]]
        if np.isnan(seen).any() or clock.is_in[lap + 1 : reply + 2, car].any():
            continue
        if clock.is_green[laps].all():
            yield rival, reply


def undercut_features(
    clock: RaceClock, car: int, rival: int, lap: int, compound: str
) -> dict[str, float] | None:
    """What is known of an undercut when the car's in-lap begins.

    Args:
        clock: The race; only what had happened by the end of the lap before is used.
        car: Index of the car.
        rival: Index of the rival ahead.
        lap: The in-lap.
        compound: Compound that the car will fit.

    Returns:
        A value by name of :data:`FEATURES`; None while nobody has a pace.
    """
    last, before = lap - 1, clock.end_s[lap - 1]
    pace = clock.pace_s(last)
    if np.isnan(pace).all():
        return None
    scale = USUAL_LAP_S / float(np.nanmedian(pace))
    slower = float(np.clip(np.nan_to_num(pace[car] - pace[rival]), -MOST_PACE_S, MOST_PACE_S)) * scale
    gap = float(before[car] - before[rival]) * scale
    ages = np.nan_to_num(clock.age[last])
    ahead = before[before < before[rival]]
    running = ~np.isnan(before)
    new, old = _SOFTNESS.get(compound), _SOFTNESS.get(str(clock.compound[last, rival]))
    return {
        "gap": gap,
        "pace": slower,
        "gap_pace": gap * slower,
        "field_wear": field_wear(clock, last) * scale,
        "older": float(np.clip(ages[rival] - ages[car], -MOST_AGE_LAPS, MOST_AGE_LAPS)),
        "rival_age": float(ages[rival]),
        "harder": 0.0 if new is None or old is None else float(np.sign(new - old)),
        "is_first": float(not clock.is_in[2:lap, car].any()),
        "stopped": float(clock.is_in[2:lap, running].any(axis=0).sum() / max(running.sum(), 1)),
        "is_train": float(len(ahead) > 0 and before[rival] - ahead.max() < TRAIN_S),
    }


def field_wear(clock: RaceClock, lap: int) -> float:
    """What the field's sets lose with every lap, fuel included, at the end of a lap; median over the cars [s/lap per lap].

    Fuel makes it smaller than the wear of the tyres; it is compared between races and moments only.
    """
    slopes = []
    for car in range(len(clock.drivers)):
        outs = np.flatnonzero(clock.is_out[: lap + 1, car])
        since = max(2, int(outs[-1]) + 1 if len(outs) else 2)
        stint = clock.clean_s[since : lap + 1, car]
        at = np.flatnonzero(~np.isnan(stint))
        if len(at) < WEAR_LAPS or np.isnan(clock.end_s[lap, car]):
            continue
        times = np.minimum(stint[at], np.median(stint[at]) + MISTAKE_S)
        apart = at - at.mean()
        slopes.append(float(apart @ (times - times.mean()) / (apart @ apart + WEAR_PRIOR)))
    return float(np.median(slopes)) if slopes else 0.0


@dataclass(frozen=True)
class UndercutModel:
    """Logistic regression of :data:`FEATURES`, standardised, its coefficients pulled to 0.

    Attributes:
        means: Mean of every feature in training, (features,).
        scales: Standard deviation, (features,).
        coefficients: Of the constant and the standardised features, (1 + features,).
        count: Pairs it rests on.
        base_rate: Share of them that succeeded.
    """

    means: Floats
    scales: Floats
    coefficients: Floats
    count: int
    base_rate: float

    @classmethod
    def fit(cls, pairs: pl.DataFrame) -> UndercutModel:
        """Learn from pairs; the caller gives only those that were known.

        Args:
            pairs: Rows of :func:`undercut_pairs`.

        Raises:
            ValueError: There are no pairs, or all ended alike.
        """
        ahead = pairs["is_ahead"].cast(pl.Float64).to_numpy()
        if not 0 < ahead.sum() < len(ahead):
            raise ValueError("an undercut model needs pairs that succeeded and pairs that did not")
        features = pairs.select(*FEATURES).to_numpy().astype(float)
        means, scales = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-9)
        rows = np.column_stack([np.ones(len(ahead)), (features - means) / scales])
        pull = np.diag([0.0] + [PENALTY] * len(FEATURES))
        found = np.zeros(rows.shape[1])
        for _ in range(ROUNDS):
            odds = _logistic(rows @ found)
            curvature = (rows * (odds * (1 - odds))[:, None]).T @ rows + pull
            step = np.linalg.solve(curvature, rows.T @ (ahead - odds) - pull @ found)
            found += step
            if np.abs(step).max() < 1e-8:
                break
        return cls(means, scales, found, len(ahead), float(ahead.mean()))

    def probability(self, frame: pl.DataFrame) -> Floats:
        """Probability that the car is ahead after both stops, by row.

        Args:
            frame: A row per pair, with :data:`FEATURES`.
        """
        features = frame.select(*FEATURES).to_numpy().astype(float)
        return _logistic(
            self.coefficients[0] + ((features - self.means) / self.scales) @ self.coefficients[1:]
        )


def _logistic(values: Floats) -> Floats:
    return 1 / (1 + np.exp(-np.clip(values, -30, 30)))
