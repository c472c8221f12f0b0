"""Figures of drivers, teams and circuits beside each other, as tables for people and rows for files."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from f1core.definitions import Definition


def metric_text(value: float | None, definition: Definition) -> str:
    """A figure with its unit; a dash without one. Differences keep their sign."""
    if value is None:
        return "–"
    is_told = definition.unit and definition.unit != "share"
    return definition.number(value) + (f" {definition.unit}" if is_told else "")


def side_by_side(
    rows: pl.DataFrame, definitions: Mapping[str, Definition], id_column: str, name_column: str, least: int
) -> pl.DataFrame:
    """A line per figure and a column per driver or team.

    Args:
        rows: One row per entity with the figures and their counts.
        definitions: The figures in the order shown; those nobody has are left out.
        id_column: Column with the id of the entity.
        name_column: Column with its name.
        least: Figures of fewer races than this are marked with ``*``.

    Returns:
        ``figure``, one text column per entity, named by it: ``0.12 (21)``, the count in brackets; and ``unit``.
    """
    names = _names(rows, id_column, name_column)
    lines = []
    for column, definition in definitions.items():
        if column not in rows.columns or rows[column].null_count() == rows.height:
            continue
        line = {"figure": definition.label, "unit": "" if definition.unit == "share" else definition.unit}
        for row in rows.iter_rows(named=True):
            line[names[row[id_column]]] = _cell(row, column, definition, least)
        lines.append(line)
    return pl.DataFrame(lines, schema=["figure", *names.values(), "unit"])


def _cell(row: Mapping[str, object], column: str, definition: Definition, least: int) -> str:
    value = row[column]
    if not isinstance(value, int | float):
        return "–"
    count = row.get(definition.count) if definition.count else None
    told = definition.number(value)
    if not isinstance(count, int):
        return told
    return f"{told} ({count}{'*' if count < least else ''})"


def _names(rows: pl.DataFrame, id_column: str, name_column: str) -> dict[str, str]:
    names = dict(rows.select(id_column, name_column).iter_rows())
    shared = {name for name in names.values() if list(names.values()).count(name) > 1}
    return {key: f"{name} ({key})" if name in shared else name for key, name in names.items()}
