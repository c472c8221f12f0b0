"""Skill: how much better or worse than each baseline we are, score by score or season by season, with intervals."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from f1core.charts.style import NEUTRAL, finish, top_legend

BASELINES = ("Grid order", "Points order", "Elo", "RF + XGB")
SHAPES = ("circle", "square", "triangle-up", "diamond")
LIMIT = 1.0
"""Advantages are drawn up to this much either way; beyond, the mark sits on the edge and the tooltip has the value."""


def skill(table: pl.DataFrame, by: str = "score") -> Any:
    """Draws our advantage over every baseline with its 90 % interval; right of zero we are better.

    Args:
        table: As in :func:`f1core.accuracy.comparison_table`, or by season as in
            :func:`f1core.accuracy.season_advantages`.
        by: Column with one line of the chart per value: ``score`` or ``season``.
    """
    lines = table[by].unique(maintain_order=True).to_list()
    shown = [name for name in BASELINES if name in set(table["baseline"])]
    drawn = table.with_columns(
        pl.col("advantage", "low", "high").clip(-LIMIT, LIMIT).name.suffix("_drawn"),
    )
    axis = alt.Axis(format="+.0%", tickCount=5, labelFlush=False)
    title = "← worse · against the baseline's score · better →"
    y = alt.Y(
        f"{by}:N",
        sort=lines,
        title=None,
        axis=alt.Axis(labelOverlap=False, labelLimit=130),
        scale=alt.Scale(paddingInner=0.25, paddingOuter=0.15),
    )
    offset = alt.YOffset("baseline:N", sort=shown)
    colour = alt.Color("baseline:N", scale=alt.Scale(domain=shown), legend=top_legend())
    tooltip = [
        alt.Tooltip(f"{by}:N", title=by.capitalize()),
        alt.Tooltip("baseline:N", title="Baseline"),
        alt.Tooltip("ours:N", title="Parc Fermé"),
        alt.Tooltip("theirs:N", title="Baseline's score"),
        alt.Tooltip("advantage:Q", title="Advantage", format="+.1%"),
        alt.Tooltip("low:Q", title="90 % interval from", format="+.1%"),
        alt.Tooltip("high:Q", title="90 % interval to", format="+.1%"),
        alt.Tooltip("count:Q", title="Races"),
    ]
    base = alt.Chart(drawn).encode(y=y, yOffset=offset, tooltip=tooltip)
    zero = alt.Chart(pl.DataFrame({"x": [0.0]})).mark_rule(color=NEUTRAL, strokeWidth=1.5).encode(x="x:Q")
    span = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low_drawn:Q", title=title, axis=axis), x2="high_drawn:Q", color=colour
    )
    point = base.mark_point(filled=True, size=70, opacity=1).encode(
        x=alt.X("advantage_drawn:Q", title=title, axis=axis),
        color=colour,
        shape=alt.Shape("baseline:N", scale=alt.Scale(domain=shown, range=list(SHAPES[: len(shown)]))),
    )
    return finish(
        alt.layer(zero, span, point),
        height=len(lines) * (14 * len(shown) + 14) + 110,
        description=f"Our advantage over {', '.join(shown)} by {by}, with 90 % intervals over races.",
    )
