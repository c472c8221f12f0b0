"""Race pace before the race: a blend of qualifying, the driver's and the team's rolling race pace, ratings and grid.

Everything is in % of a lap against the middle of the field, smaller is faster. The blend is linear, and is fitted on
the races that the caller hands over: those known before the cut-off.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.matrix import field_starts

Floats = NDArray[np.float64]

HALF_LIFE_RACES = 4.0
"""A race this many races ago counts half in a rolling pace. Chosen, with the constants below, on 2018-2023."""
WINTER_KEEPS = {"driver": 0.4, "team": 0.3}
"""Share of the weight of older races that is kept over a winter."""
PRIOR_RACES = 1.0
"""A rolling pace is drawn to the rating as if the rating had been seen in so many races."""
CLIP_PCT = 2.5
"""Paces and gaps farther than this from the middle of the field are moved to it: damage, rain, a lap that failed."""
RIDGE = 5.0
NOISE_PCT = 0.35
"""Of one race pace beside its own standard error: how far a driver's day lies from what could be foreseen [%]."""
ROW_COLUMNS = (
    "event_id",
    "season",
    "driver_id",
    "constructor_id",
    "grid",
    "qualifying_gap_pct",
    "rated_pace_pct",
    "rated_qualifying_pct",
    "race_pace_pct",
    "standard_error_pct",
)
"""What is read: one row per starter, races in order of time. ``race_pace_pct`` is null where laps say nothing."""
FEATURES = ("qualifying", "driver_form", "team_form", "rated", "slot")
WITHOUT_QUALIFYING = ("driver_form", "team_form", "rated", "rated_qualifying")


def with_form(rows: pl.DataFrame) -> pl.DataFrame:
    """Adds what was known of each starter before his race.

    Args:
        rows: :data:`ROW_COLUMNS`, races in order of time; rows of a race without ``race_pace_pct`` teach nothing.

    Returns:
        The rows with :data:`FEATURES` and ``rated_qualifying``, each against the middle of its field, and ``target``:
        the race pace, clipped.
    """
    starts = field_starts(rows["event_id"])
    seasons = rows["season"].to_numpy()
    rated = rows["rated_pace_pct"].to_numpy()
    seen = rows["race_pace_pct"].cast(pl.Float64).to_numpy()
    found = {}
    for kind, column in (("driver", "driver_id"), ("team", "constructor_id")):
        names = rows[column].to_list()
        found[f"{kind}_form"] = _rolling(starts, seasons, names, seen, rated, kind)
    values = pl.DataFrame(
        {
            "event_id": rows["event_id"],
            "qualifying": rows["qualifying_gap_pct"].cast(pl.Float64),
            "rated": rows["rated_pace_pct"],
            "rated_qualifying": rows["rated_qualifying_pct"],
            # A place at the front is worth more than one at the back.
            "slot": rows["grid"].cast(pl.Float64).sqrt(),
            "target": rows["race_pace_pct"].cast(pl.Float64),
            **found,
        }
    )
    names = [name for name in values.columns if name != "event_id"]
    values = values.with_columns(pl.col(name) - pl.col(name).median().over("event_id") for name in names)
    values = values.with_columns(
        # Who set no time in qualifying is taken at what his rating says of it.
        qualifying=pl.coalesce("qualifying", "rated_qualifying"),
    )
    clipped = [name for name in names if name != "slot"]
    values = values.with_columns(pl.col(clipped).clip(-CLIP_PCT, CLIP_PCT))
    return pl.concat([rows, values.drop("event_id")], how="horizontal")


def _rolling(
    starts: NDArray[np.int64],
    seasons: NDArray[np.int32],
    names: list[str],
    seen: Floats,
    rated: Floats,
    kind: str,
) -> Floats:
    decay, winter = 0.5 ** (1.0 / HALF_LIFE_RACES), WINTER_KEEPS[kind]
    state: dict[str, tuple[float, float, int]] = {}
    out = np.empty(len(names))
    season = None
    for begin, end in pairwise(starts):
        if season is not None and seasons[begin] != season:
            state = {name: (total * winter, weight * winter, n) for name, (total, weight, n) in state.items()}
        season = seasons[begin]
        rated_centre, seen_here = float(np.median(rated[begin:end])), seen[begin:end]
        for row in range(begin, end):
            total, weight, _ = state.get(names[row], (0.0, 0.0, 0))
            prior = rated[row] - rated_centre
            out[row] = (total + PRIOR_RACES * prior) / (weight + PRIOR_RACES)
        if not np.isfinite(seen_here).any():
            continue
        state = {name: (total * decay, weight * decay, n) for name, (total, weight, n) in state.items()}
        for row in range(begin, end):
            if np.isfinite(seen[row]):
                total, weight, n = state.get(names[row], (0.0, 0.0, 0))
                pace = float(np.clip(seen[row], -CLIP_PCT, CLIP_PCT))
                state[names[row]] = (total + pace, weight + 1.0, n + 1)
    return out


@dataclass(frozen=True)
class PaceBlend:
    """A fitted blend.

    Attributes:
        features: Names of what is blended.
        weights: Their weights; the intercept comes last.
        count_rows: Starters it was fitted on.
        residual_pct: Standard deviation of a race pace around the blend [% of a lap].
    """

    features: tuple[str, ...]
    weights: tuple[float, ...]
    count_rows: int
    residual_pct: float

    @classmethod
    def fit(cls, rows: pl.DataFrame, features: tuple[str, ...] = FEATURES) -> PaceBlend:
        """Fits the blend by ridge regression.

        Args:
            rows: Rows of :func:`with_form`; those without a target or a feature are left out.
            features: What is blended.

        Raises:
            ValueError: Fewer than 100 rows can be used.
        """
        used = rows.filter(pl.col("target").is_not_null(), *(pl.col(name).is_not_null() for name in features))
        if used.height < 100:
            raise ValueError(f"{used.height} starters are too few to fit a race pace on")
        x = np.column_stack([used.select(features).to_numpy(), np.ones(used.height)])
        y = used["target"].to_numpy()
        weight = 1.0 / (NOISE_PCT**2 + used["standard_error_pct"].fill_null(0.3).to_numpy() ** 2)
        weight /= weight.mean()
        penalty = np.diag([RIDGE] * len(features) + [0.0])
        solved = np.linalg.solve((x * weight[:, None]).T @ x + penalty, (x * weight[:, None]).T @ y)
        residual = float(np.sqrt(np.average((y - x @ solved) ** 2, weights=weight)))
        return cls(features, tuple(float(one) for one in solved), used.height, residual)

    def predict(self, rows: pl.DataFrame) -> Floats:
        """Pace of each row [% of a lap], the middle of the field at 0."""
        x = np.column_stack([rows.select(self.features).fill_null(0.0).to_numpy(), np.ones(rows.height)])
        pace = x @ np.array(self.weights)
        return np.asarray(pace - np.median(pace))


def fields(rows: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """The fields of some rows, race by race."""
    for (event,), field in rows.group_by(["event_id"], maintain_order=True):
        yield str(event), field
