"""The joint model's answers as frames: position matrix, pairs of drivers, contributions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.protocol import CONTRIBUTIONS_SCHEMA, DUELS_SCHEMA, POSITIONS_SCHEMA

Floats = NDArray[np.float64]

FIELD_MIDDLE = "field middle"
"""The first term of every driver: the mean place of the field."""
REMAINDER = "simulation and calibration"
"""The last term: from the model's own score to the published expectation."""


def positions_frame(fields: Sequence[tuple[str, list[str], Floats]]) -> pl.DataFrame:
    """Rows of ``POSITIONS_SCHEMA`` from event, drivers and matrix (drivers, places)."""
    frames = [
        pl.DataFrame(
            {
                "event_id": [event_id] * matrix.size,
                "driver_id": np.repeat(np.array(drivers, dtype=object), matrix.shape[1]).tolist(),
                "position": np.tile(np.arange(1, matrix.shape[1] + 1), matrix.shape[0]),
                "probability": matrix.ravel(),
            },
            schema_overrides=POSITIONS_SCHEMA,
        )
        for event_id, drivers, matrix in fields
    ]
    return pl.concat(frames) if frames else pl.DataFrame(schema=POSITIONS_SCHEMA)


def duels_frame(fields: Sequence[tuple[str, list[str], Floats]]) -> pl.DataFrame:
    """Rows of ``DUELS_SCHEMA`` from event, drivers and the probability that the row's is ahead of the column's."""
    frames = []
    for event_id, drivers, ahead in fields:
        order = np.argsort(np.array(drivers, dtype=object))
        first, second = np.triu_indices(len(drivers), k=1)
        own, rival = order[first], order[second]
        frames.append(
            pl.DataFrame(
                {
                    "event_id": [event_id] * len(own),
                    "driver_id": [drivers[i] for i in own],
                    "rival_id": [drivers[i] for i in rival],
                    "ahead_probability": ahead[own, rival],
                },
                schema_overrides=DUELS_SCHEMA,
            )
        )
    return pl.concat(frames) if frames else pl.DataFrame(schema=DUELS_SCHEMA)


def contributions_frame(
    fields: Sequence[tuple[str, list[str], list[str], Floats, Floats]],
) -> pl.DataFrame:
    """Rows of ``CONTRIBUTIONS_SCHEMA`` from event, drivers, groups, places (drivers, groups) and expected places."""
    frames = []
    for event_id, drivers, groups, places, expected in fields:
        middle = (len(drivers) + 1) / 2
        terms = [FIELD_MIDDLE, *groups, REMAINDER]
        rest = expected - middle - places.sum(axis=1)
        table = np.column_stack([np.full(len(drivers), middle), places, rest])
        frames.append(
            pl.DataFrame(
                {
                    "event_id": [event_id] * table.size,
                    "driver_id": [driver for driver in drivers for _ in terms],
                    "term": terms * len(drivers),
                    "places": table.ravel(),
                },
                schema_overrides=CONTRIBUTIONS_SCHEMA,
            )
        )
    return pl.concat(frames) if frames else pl.DataFrame(schema=CONTRIBUTIONS_SCHEMA)
