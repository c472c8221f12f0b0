"""Elo ratings of drivers and constructors.

One race is a tournament of all pairs: who finishes ahead beats the other. With n starters a driver plays n -
1 games, so K is divided by n - 1 and a whole race moves him by at most K. Between seasons ratings move back
to the base, because line-ups, cars and rules change.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.matrix import field_starts
from models.pace_filter import pace_timeline
from models.rating_timeline import entity_codes, in_order, timeline_frame

Floats = NDArray[np.float64]

K_FACTOR = 32.0
"""Elo points a driver can win or lose at most in one race."""

BASE_RATING = 1500.0
"""Rating of a newcomer."""

SEASON_CARRY = {"driver": 0.8, "constructor": 0.6}
"""Share of the distance from the base that is kept over a winter. Chosen on the seasons 2010-2021."""

_LOGISTIC = np.log(10.0) / 400.0


def expected_scores(ratings: Floats) -> Floats:
    """Probability that the row's competitor beats the column's: shape (n, n)."""
    return np.asarray(1.0 / (1.0 + np.exp(-_LOGISTIC * (ratings[:, None] - ratings[None, :]))))


def race_changes(ratings: Floats, positions: Floats) -> Floats:
    """Change of each rating by one race of all pairs; the changes sum to zero.

    Args:
        ratings: Before the race.
        positions: Smaller is better; equal positions are draws.
    """
    n = len(ratings)
    if n < 2:
        return np.zeros(n)
    scores = (positions[:, None] < positions[None, :]) + 0.5 * (positions[:, None] == positions[None, :])
    surplus = scores - expected_scores(ratings)
    np.fill_diagonal(surplus, 0.0)
    return np.asarray(K_FACTOR / (n - 1) * surplus.sum(axis=1))


def carried(value: Floats, entity_kind: str, winters: Floats | int) -> Floats:
    """An Elo rating ``winters`` seasons later, without a race in between."""
    return np.asarray(BASE_RATING + (value - BASE_RATING) * SEASON_CARRY[entity_kind] ** np.asarray(winters))


def elo_timeline(results: pl.DataFrame) -> pl.DataFrame:
    """Elo of drivers and constructors after each event.

    A constructor plays with every car it enters, each at the constructor's rating; its rating moves by the
    mean of its cars' changes, so that a team of six does not move three times as far as a team of two.

    Args:
        results: One row per starter: ``event_id``, ``season``, ``known_at``, ``driver_id``,
            ``constructor_id``, ``position`` (official order); a driver appears once per event. Other columns
            are ignored.

    Returns:
        A frame of ``rating_timeline.RATING_SCHEMA``. A row depends on nothing that happened after its event.
    """
    rows = in_order(results)
    starts = field_starts(rows["event_id"])
    seasons = rows["season"].to_numpy()
    positions = rows["position"].cast(pl.Float64).to_numpy()
    frames = []
    for kind, column in (("driver", "driver_id"), ("constructor", "constructor_id")):
        codes, names = entity_codes(rows[column])
        rating = np.full(len(names), BASE_RATING)
        season = None
        entity: list[NDArray[np.int64]] = []
        values: list[Floats] = []
        for begin, end in pairwise(starts):
            if season is not None and seasons[begin] != season:
                rating = carried(rating, kind, int(seasons[begin] - season))
            season = seasons[begin]
            cars = codes[begin:end]
            change = race_changes(rating[cars], positions[begin:end])
            present, car_of = np.unique(cars, return_inverse=True)
            rating[present] += np.bincount(car_of, weights=change) / np.bincount(car_of)
            entity.append(present)
            values.append(rating[present])
        frames.append(timeline_frame(rows, starts, kind, "elo", names, entity, values, None))
    return pl.concat(frames)


def all_ratings(results: pl.DataFrame) -> pl.DataFrame:
    """Elo and pace ratings together, from the columns of ``pace_filter.pace_timeline``.

    Race pace is among them where the results have its columns.
    """
    timelines = [elo_timeline(results), pace_timeline(results)]
    if "race_pace_pct" in results.columns:
        timelines.append(pace_timeline(results, rating_kind="race_pace"))
    return pl.concat(timelines).sort("known_at", "event_id", "entity_kind", "entity_id", "rating_kind")
