from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from models.matrix import field_starts, learnable_features, to_matrix, training_rows
from warehouse.errors import ContractViolation, NotReady

FRAME = pl.DataFrame(
    {
        "event_id": ["b", "b", "a"],
        "season": [2020, 2020, 2021],
        "driver_id": ["x", "y", "x"],
        "gap": [1.5, None, float("inf")],
        "wet": [True, False, None],
        "unknown": pl.Series([None, None, None], dtype=pl.Float64),
        "feature_coverage": [1.0, 0.5, 1.0],
    }
)


def test_a_matrix_has_the_asked_columns_in_the_asked_order() -> None:
    matrix = to_matrix(FRAME, ["wet", "gap"])
    assert matrix.names == ("wet", "gap")
    assert matrix.values.dtype == np.float32
    np.testing.assert_array_equal(
        matrix.values, np.array([[1, 1.5], [0, np.nan], [np.nan, np.nan]], np.float32)
    )


def test_keys_and_columns_without_a_value_are_not_learned_from() -> None:
    assert learnable_features(FRAME) == ("gap", "wet")


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ContractViolation, match="rain"):
        to_matrix(FRAME, ["gap", "rain"])


def test_only_rows_with_a_result_are_learned_from() -> None:
    labels = pl.DataFrame({"event_id": ["b", "a"], "driver_id": ["y", "x"], "position": [1, 2]})
    rows, positions = training_rows(FRAME, labels)
    assert rows.select("event_id", "driver_id").rows() == [("a", "x"), ("b", "y")]
    assert positions.tolist() == [2, 1]
    with pytest.raises(NotReady):
        training_rows(FRAME, labels.clear())


def test_field_starts() -> None:
    assert field_starts(pl.Series(["a", "a", "b", "c", "c"])).tolist() == [0, 2, 3, 5]
