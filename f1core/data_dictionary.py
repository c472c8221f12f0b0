"""The data dictionary: every column of the warehouse and every feature, from the code that makes them, searchable."""

from __future__ import annotations

from functools import lru_cache

import polars as pl

from warehouse.tables import ALL_TABLES

COLUMN_SCHEMA = pl.Schema(
    {
        "table": pl.String(),
        "group": pl.String(),
        "column": pl.String(),
        "type": pl.String(),
        "unit": pl.String(),
        "required": pl.Boolean(),
        "doc": pl.String(),
        "source": pl.String(),
    }
)
FEATURE_SCHEMA = pl.Schema(
    {
        "feature": pl.String(),
        "group": pl.String(),
        "unit": pl.String(),
        "known_from": pl.String(),
        "stands_in": pl.String(),
        "doc": pl.String(),
    }
)


@lru_cache(maxsize=1)
def table_rows() -> pl.DataFrame:
    """One row per table: ``table, group, grain, key, source, count_columns``, in the order of the schema."""
    return pl.DataFrame(
        {
            "table": [table.name for table in ALL_TABLES],
            "group": [table.group for table in ALL_TABLES],
            "grain": [table.grain for table in ALL_TABLES],
            "key": [", ".join(table.key) for table in ALL_TABLES],
            "source": [table.source for table in ALL_TABLES],
            "count_columns": [len(table.columns) for table in ALL_TABLES],
        }
    )


@lru_cache(maxsize=1)
def column_rows() -> pl.DataFrame:
    """One row per column of every table (:data:`COLUMN_SCHEMA`), in the order of the schema."""
    rows = [
        {
            "table": table.name,
            "group": table.group,
            "column": column.name,
            "type": column.type,
            "unit": column.unit,
            "required": column.required,
            "doc": " ".join(
                [column.doc, *([f"One of: {', '.join(map(str, column.allowed))}."] if column.allowed else [])]
            ),
            "source": column.source or table.source,
        }
        for table in ALL_TABLES
        for column in table.columns
    ]
    return pl.DataFrame(rows, schema=COLUMN_SCHEMA)


@lru_cache(maxsize=1)
def feature_rows() -> pl.DataFrame:
    """One row per feature, of the history and of a weekend's sessions (:data:`FEATURE_SCHEMA`).

    ``known_from`` is the first stage that may know it; ``stands_in`` what fills a driver's missing value.
    """
    import f1core.features.session.extract  # noqa: F401  (registers every feature)
    from f1core.features.registry import REGISTRY
    from f1core.features.session.registry import SESSION_REGISTRY

    history = [
        {
            "feature": one.name,
            "group": one.group,
            "unit": one.unit,
            "known_from": one.since.label,
            "stands_in": "stays missing",
            "doc": " ".join(one.doc.split()),
        }
        for one in REGISTRY.values()
    ]
    sessions = [
        {
            "feature": one.name,
            "group": f"weekend: {one.group.name}",
            "unit": one.unit,
            "known_from": one.since.label,
            "stands_in": one.imputation.doc,
            "doc": " ".join(one.doc.split()),
        }
        for one in SESSION_REGISTRY.values()
    ]
    return pl.DataFrame([*history, *sessions], schema=FEATURE_SCHEMA)


def matching(rows: pl.DataFrame, words: str) -> pl.DataFrame:
    """Rows in whose texts every one of some words occurs, whatever its case; all rows without words.

    Args:
        rows: Any frame.
        words: Divided by blanks; underscores and blanks are the same.
    """
    texts = [name for name, kind in rows.schema.items() if kind == pl.String]
    whole = (
        pl.concat_str(texts, separator=" ", ignore_nulls=True).str.to_lowercase().str.replace_all("_", " ")
    )
    for word in words.lower().replace("_", " ").split():
        rows = rows.filter(whole.str.contains(word, literal=True))
    return rows
