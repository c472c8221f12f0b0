"""A table as a file people take away: CSV, Parquet or JSON."""

from __future__ import annotations

import io
import math
import re
from typing import Any

import polars as pl

from f1core.review import as_csv, as_json

MIME_TYPES = {
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
    "json": "application/json",
}


def file_name(name: str, kind: str) -> str:
    """A name that every file system takes: letters, digits, ``-``, ``_`` and ``.``, then the ending."""
    return f"{re.sub(r'[^A-Za-z0-9._-]+', '-', name).strip('-.') or 'table'}.{kind}"


def table_file(kind: str, name: str, frame: pl.DataFrame, document: dict[str, Any] | None = None) -> bytes:
    """Makes one file.

    Args:
        kind: ``csv``, ``parquet`` or ``json``.
        name: What the table is called in a JSON document of its own.
        frame: The rows. Lists become words joined by ``;`` in CSV, which knows none.
        document: What the JSON holds instead of name and rows.

    Raises:
        ValueError: No such kind.
    """
    if kind == "csv":
        lists = [column for column, dtype in frame.schema.items() if isinstance(dtype, pl.List)]
        return as_csv(frame.with_columns(pl.col(lists).cast(pl.List(pl.String)).list.join(";")))
    if kind == "parquet":
        body = io.BytesIO()
        frame.write_parquet(body, compression="zstd")
        return body.getvalue()
    if kind == "json":
        found = {"name": name, "rows": frame.to_dicts()} if document is None else document
        return as_json(_finite(found))
    raise ValueError(f"no file of kind {kind}; there are {', '.join(MIME_TYPES)}")


def _finite(value: Any) -> Any:
    # JSON has no NaN and no infinity; both mean here that there is no value.
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return value
