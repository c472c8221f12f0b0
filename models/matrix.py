"""Feature frames as matrices that keep their column names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from models.protocol import EVENT_KEYS, FEATURE_FRAME_KEYS
from warehouse.errors import ContractViolation, NotReady


@dataclass(frozen=True)
class NamedMatrix:
    """One row per event and driver, one column per name.

    Attributes:
        values: float32; NaN where the feature is unknown.
        names: The feature of each column.
    """

    values: NDArray[np.float32]
    names: tuple[str, ...]


def learnable_features(features: pl.DataFrame) -> tuple[str, ...]:
    """Names of the numeric columns that are no keys and are known in at least one row, in frame order."""
    return tuple(
        name
        for name, dtype in features.schema.items()
        if name not in FEATURE_FRAME_KEYS
        and (dtype.is_numeric() or dtype == pl.Boolean)
        and features[name].null_count() < features.height
    )


def to_matrix(features: pl.DataFrame, names: Sequence[str]) -> NamedMatrix:
    """Pick ``names`` from ``features``, in that order; nulls and infinities become NaN.

    Raises:
        ContractViolation: A column is missing.
    """
    missing = [name for name in names if name not in features.columns]
    if missing:
        raise ContractViolation(
            f"the features lack {', '.join(missing)}, which the model was trained on",
            hint="Extract the features again, or train a model on the present ones.",
        )
    values = np.empty((features.height, len(names)), dtype=np.float32)
    for column, name in enumerate(names):
        values[:, column] = features[name].cast(pl.Float32).fill_null(float("nan")).to_numpy()
    values[~np.isfinite(values)] = np.nan
    return NamedMatrix(values, tuple(names))


def training_rows(features: pl.DataFrame, labels: pl.DataFrame) -> tuple[pl.DataFrame, NDArray[np.int64]]:
    """Feature rows that have a label, in a canonical order, and their finishing positions.

    Raises:
        NotReady: No feature row has a label.
    """
    joined = features.join(
        labels.select(*EVENT_KEYS, pl.col("position").alias("__position")), on=list(EVENT_KEYS), how="inner"
    ).sort(EVENT_KEYS)
    if joined.is_empty():
        raise NotReady(
            "no past event has both features and a result, so there is nothing to learn from",
            hint="Ingest earlier seasons, or choose a later cut-off.",
        )
    return joined.drop("__position"), joined["__position"].cast(pl.Int64).to_numpy()


def field_starts(event_ids: pl.Series) -> NDArray[np.int64]:
    """Offsets of each event's first row, plus the total: event k owns rows ``starts[k]:starts[k + 1]``.

    Rows of one event must lie together.
    """
    if event_ids.is_empty():
        return np.zeros(1, dtype=np.int64)
    codes = event_ids.rle_id().to_numpy()
    changes = np.flatnonzero(np.diff(codes)) + 1
    return np.concatenate([[0], changes, [len(codes)]]).astype(np.int64)
