"""The frame in which ratings are kept, and the order in which results are read."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from warehouse.errors import ContractViolation

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RATING_SCHEMA: dict[str, pl.DataType] = {
    "event_id": pl.String(),
    "season": pl.Int32(),
    "known_at": pl.Datetime("us", "UTC"),
    "entity_kind": pl.String(),
    "entity_id": pl.String(),
    "rating_kind": pl.String(),
    "value": pl.Float64(),
    "variance": pl.Float64(),
}
"""One row per event, entity that took part and kind of rating: the rating after the event, with its result.

``value`` is in Elo points, or for ``pace`` and ``race_pace`` in % of a lap against the average entry (smaller is faster);
``variance`` is that of the pace estimate, null for Elo.
"""


def in_order(results: pl.DataFrame) -> pl.DataFrame:
    """Results by time, events apart, rows of an event by driver.

    Raises:
        ContractViolation: A driver appears twice in an event.
    """
    twice = results.select("event_id", "driver_id").is_duplicated()
    if twice.any():
        event, driver = results.filter(twice).select("event_id", "driver_id").row(0)
        raise ContractViolation(
            f"{driver} appears twice in the results of {event}", hint="Keep the best row of a shared drive."
        )
    return results.sort("known_at", "event_id", "driver_id")


def entity_codes(names: pl.Series) -> tuple[Ints, list[str]]:
    """A number per row, counted in order of first appearance, and the name of each number.

    Codes by appearance keep the past independent of the future: a driver who comes later cannot renumber,
    and so reorder, those before him.
    """
    distinct = names.unique(maintain_order=True)
    lookup = {name: code for code, name in enumerate(distinct)}
    return np.fromiter((lookup[name] for name in names), dtype=np.int64, count=len(names)), distinct.to_list()


def timeline_frame(
    rows: pl.DataFrame,
    starts: Ints,
    entity_kind: str,
    rating_kind: str,
    names: list[str],
    entities: list[Ints],
    values: list[Floats],
    variances: list[Floats] | None,
) -> pl.DataFrame:
    """The timeline of one kind: per event the codes of its entities, with their values after it."""
    counts = [len(present) for present in entities]
    first_rows = np.repeat(starts[:-1], counts)
    code = np.concatenate(entities) if entities else np.empty(0, dtype=np.int64)
    frame = rows.select("event_id", "season", "known_at")[first_rows]
    return frame.with_columns(
        entity_kind=pl.lit(entity_kind),
        entity_id=pl.Series(np.asarray(names, dtype=object)[code].tolist(), dtype=pl.String),
        rating_kind=pl.lit(rating_kind),
        value=pl.Series(np.concatenate(values) if values else np.empty(0)),
        variance=pl.lit(None, dtype=pl.Float64)
        if variances is None
        else pl.Series(np.concatenate(variances)),
    ).cast(dict(RATING_SCHEMA))  # type: ignore[arg-type]
