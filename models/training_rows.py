"""Past starters in an order that names have no part in: oldest event first, by finishing position."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.protocol import EVENT_KEYS
from warehouse.errors import NotReady

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


def ordered_training_rows(
    features: pl.DataFrame, labels: pl.DataFrame
) -> tuple[pl.DataFrame, Ints, Mask, Mask]:
    """Rows with a label, oldest event first and by finishing position: an order that names have no part in.

    Returns:
        The feature rows; finishing positions 1..n among them; who retired; whose place counts for pace.

    Raises:
        NotReady: No feature row has a label.
    """
    known = [name for name in ("known_at", "is_dnf", "is_classified") if name in labels.columns]
    chosen = labels.select(
        *EVENT_KEYS, pl.col("position").alias("__position"), *(pl.col(n).alias(f"__{n}") for n in known)
    )
    joined = features.with_row_index("__row").join(chosen, on=list(EVENT_KEYS), how="inner")
    if joined.is_empty():
        raise NotReady(
            "no past event has both features and a result, so there is nothing to learn from",
            hint="Ingest earlier seasons, or choose a later cut-off.",
        )
    when = pl.col("__known_at") if "known_at" in known else pl.col("__row")
    joined = joined.with_columns(__when=when.min().over("event_id")).sort("__when", "event_id", "__position")
    rows = joined.select(features.columns)
    positions = (
        joined.select(pl.col("__position").rank("ordinal").over("event_id").cast(pl.Int64))
        .to_series()
        .to_numpy()
    )
    nobody = np.zeros(rows.height, dtype=np.bool_)
    retired = joined["__is_dnf"].fill_null(False).to_numpy() if "is_dnf" in known else nobody
    classified = (
        joined["__is_classified"].fill_null(False).to_numpy() if "is_classified" in known else ~retired
    )
    return rows, positions, retired, classified
