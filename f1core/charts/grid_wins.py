"""Wins by slot of the starting grid at a circuit, with intervals."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from f1core.charts.style import NEUTRAL, finish

SHOWN = 15
HEIGHT = 260


def grid_wins(rows: pl.DataFrame) -> Any:
    """Draws the share of starts from each slot that won.

    Args:
        rows: As in :func:`warehouse.queries.circuits.grid_wins`.
    """
    shown = rows.filter(pl.col("grid_position") <= SHOWN)
    data = shown.select(
        "grid_position",
        "count_starts",
        "count_wins",
        "count_podiums",
        "win_rate",
        "win_low",
        "win_high",
        "is_small_sample",
    )
    x = alt.X(
        "grid_position:O",
        title="Grid slot",
        axis=alt.Axis(labelAngle=0),
        sort=shown["grid_position"].to_list(),
    )
    axis = alt.Axis(format=".0%", tickCount=5)
    tooltip = [
        alt.Tooltip("grid_position:O", title="Grid slot"),
        alt.Tooltip("count_wins:Q", title="Wins"),
        alt.Tooltip("count_podiums:Q", title="Podiums"),
        alt.Tooltip("count_starts:Q", title="Starts"),
        alt.Tooltip("win_rate:Q", title="Won", format=".0%"),
        alt.Tooltip("win_low:Q", title="95 % interval from", format=".0%"),
        alt.Tooltip("win_high:Q", title="to", format=".0%"),
    ]
    base = alt.Chart(data).encode(x=x, tooltip=tooltip)
    bars = base.mark_bar(cornerRadiusEnd=2).encode(
        y=alt.Y("win_rate:Q", title="Share of starts that won", axis=axis, scale=alt.Scale(domain=[0, 1]))
    )
    spans = base.mark_rule(color=NEUTRAL, strokeWidth=2).encode(y="win_low:Q", y2="win_high:Q")
    pole = shown.filter(pl.col("grid_position") == 1)
    words = (
        f"pole won {pole['count_wins'][0]} of {pole['count_starts'][0]}"
        if pole.height
        else "no start from pole"
    )
    return finish(
        alt.layer(bars, spans), height=HEIGHT, description=f"Wins by grid slot with 95 % intervals: {words}."
    )
