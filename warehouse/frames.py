"""Empty frames with a table's columns and types."""

from __future__ import annotations

import polars as pl

from warehouse.tables import Table

_TYPES: dict[str, pl.DataType] = {
    "text": pl.String(),
    "int": pl.Int32(),
    "float": pl.Float64(),
    "bool": pl.Boolean(),
    "date": pl.Date(),
    "timestamp": pl.Datetime("us", "UTC"),
}


def frame_schema(table: Table) -> dict[str, pl.DataType]:
    """Columns and types of a table as a frame has them.

    Made from the contract and not from an empty Arrow table: making one loads pandas, which nothing here needs.
    """
    return {column.name: _TYPES[column.type] for column in table.columns}
