"""One figure of a season for every driver or team: a bar each, in the team's colour, the best on top."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from f1core.charts.style import NEUTRAL, finish, names_axis, rows_height
from f1core.definitions import Definition

FAINT = 0.45
"""Opacity of a bar that stands on few races."""


def metric_bars(rows: pl.DataFrame, column: str, definition: Definition) -> Any:
    """Draws the bars; those of small samples are paler and say so.

    Args:
        rows: One row per driver or team: ``label`` (unique), ``name``, ``team_colour``, ``is_small``, the figure and, where
            the definition names one, its count. Rows without the figure are left out.
        column: The figure.
        definition: Its name, unit and direction.
    """
    known = rows.drop_nulls(column).sort(
        column, "label", descending=[definition.better == "higher", False], maintain_order=True
    )
    labels = known["label"].to_list()
    counted = definition.count in known.columns
    data = known.select(
        "label",
        "name",
        "team_colour",
        "is_small",
        value=pl.col(column).cast(pl.Float64),
        count=pl.col(definition.count) if counted else pl.lit(None, dtype=pl.Int64),
        told=pl.col(column)
        .cast(pl.Float64)
        .map_elements(
            lambda value: ("+" if value > 0 and _signed(known, column) else "") + definition.number(value),
            return_dtype=pl.String,
        ),
    )
    title = definition.title
    tooltip = [alt.Tooltip("name:N", title="Who"), alt.Tooltip("told:N", title=title)]
    if counted:
        tooltip.append(alt.Tooltip("count:Q", title="Races it is of"))
    base = alt.Chart(data).encode(y=names_axis(labels), tooltip=tooltip)
    bars = base.mark_bar(height=12, cornerRadiusEnd=2).encode(
        x=alt.X(
            "value:Q",
            title=title,
            axis=alt.Axis(tickCount=5, labelFlush=False, format=".0%" if definition.unit == "share" else ""),
            scale=alt.Scale(nice=True),
        ),
        color=alt.Color("team_colour:N", scale=None),
        opacity=alt.condition("datum.is_small", alt.value(FAINT), alt.value(1.0)),
    )
    marks = (
        base.mark_text(align="left", dx=5, color=NEUTRAL)
        .encode(x=alt.X("end:Q"), text="told:N")
        .transform_calculate(end="max(datum.value, 0)")
    )
    first = f"; first {known['name'][0]} with {data['told'][0]}" if known.height else ""
    return finish(
        alt.layer(bars, marks),
        height=rows_height(known.height, 60),
        description=f"{title} of {known.height}, the best on top{first}. Pale bars stand on few races.",
    )


def _signed(rows: pl.DataFrame, column: str) -> bool:
    least = rows[column].min()
    return isinstance(least, int | float) and least < 0
