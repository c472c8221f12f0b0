"""Building forecast frames: one event at a time, in one canonical form."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.matrix import field_starts
from models.probabilities import coherent
from models.protocol import FORECAST_SCHEMA

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

INTERVAL_MASS = 0.8
"""Probability that the interval of positions holds at least."""


@dataclass(frozen=True)
class FieldForecast:
    """The forecast of one event: arrays with one value per driver, in any order.

    Probabilities need not be scaled; ``assemble`` does that. ``order_key`` ranks the drivers, smallest first.
    """

    event_id: str
    driver_ids: list[str]
    order_key: Floats
    expected: Floats
    median: Floats
    low: Ints
    high: Ints
    win: Floats
    podium: Floats
    points: Floats
    dnf: Floats | None = None
    expected_points: Floats | None = None


def split_fields(features: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The rows of each event, events in order of first appearance, rows by driver.

    The order by driver is what makes an answer independent of the order of the rows it was asked with.
    """
    ordered = (
        features.with_row_index("__row")
        .with_columns(pl.col("__row").min().over("event_id"))
        .sort("__row", "driver_id")
        .drop("__row")
    )
    starts = field_starts(ordered["event_id"])
    for begin, end in pairwise(starts):
        yield ordered.slice(int(begin), int(end - begin))


def event_generator(event_id: str, seed: int) -> np.random.Generator:
    """Random numbers of one event: the same whether it is forecast alone or among others."""
    return np.random.default_rng(np.random.SeedSequence([seed, zlib.crc32(event_id.encode())]))


def ranks(key: Floats) -> Ints:
    """Positions 1..n by ``key``, smallest first; equal keys keep the order of the rows."""
    position = np.empty(len(key), dtype=np.int64)
    position[np.argsort(key, kind="stable")] = np.arange(1, len(key) + 1)
    return position


def shortest_interval(distribution: Floats) -> tuple[Ints, Ints]:
    """Narrowest range of positions that holds ``INTERVAL_MASS`` or more: first and last per driver.

    Positions are few and the best drivers' lie at the edge, where equal tails would hold far too much.

    Args:
        distribution: Shape (drivers, positions); rows sum to one.
    """
    drivers, n = distribution.shape
    cumulative = np.concatenate([np.zeros((drivers, 1)), np.cumsum(distribution, axis=1)], axis=1)
    first, last = np.triu_indices(n)
    mass = cumulative[:, last + 1] - cumulative[:, first]
    # narrowest first; of equally narrow ranges the one that holds most
    badness = np.where(mass >= INTERVAL_MASS - 1e-9, (last - first) - mass, np.inf)
    best = badness.argmin(axis=1)
    return (first[best] + 1).astype(np.int64), (last[best] + 1).astype(np.int64)


def assemble(fields: list[FieldForecast], model: str) -> pl.DataFrame:
    """The forecast frame of ``fields``: probabilities scaled, positions bounded, best first."""
    frames: list[pl.DataFrame] = []
    for field in fields:
        n = len(field.driver_ids)
        win, podium, points = coherent(field.win, field.podium, field.points)
        low = np.clip(field.low, 1, n)
        frame = pl.DataFrame(
            {
                "event_id": [field.event_id] * n,
                "driver_id": field.driver_ids,
                "model": [model] * n,
                "predicted_position": ranks(field.order_key),
                "expected_position": np.clip(field.expected, 1, n),
                "median_position": np.clip(field.median, 1, n),
                "position_low": low,
                "position_high": np.clip(field.high, low, n),
                "win_probability": win,
                "podium_probability": podium,
                "points_probability": points,
                "dnf_probability": [None] * n if field.dnf is None else field.dnf,
                "expected_points": [None] * n if field.expected_points is None else field.expected_points,
            },
            schema_overrides=FORECAST_SCHEMA,
        )
        frames.append(frame.sort("predicted_position"))
    return pl.concat(frames) if frames else pl.DataFrame(schema=FORECAST_SCHEMA)
