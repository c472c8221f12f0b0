"""Race pace by driver: how much faster or slower a lap was than the middle driver's, with its interval."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from f1core.charts.style import NEUTRAL, finish, names_axis, rows_height


def pace_intervals(rows: pl.DataFrame) -> Any:
    """Draws pace per lap with its 80 % interval, the fastest on top.

    Args:
        rows: As in :func:`f1core.lap_view.pace_table`: ``label, pace_s, low_s, high_s, count_laps, constructor_name``.
    """
    labels = rows["label"].to_list()
    base = alt.Chart(
        rows.select("label", "constructor_name", "count_laps", pl.col("pace_s", "low_s", "high_s").round(3))
    ).encode(
        y=names_axis(labels),
        tooltip=[
            alt.Tooltip("label:N", title="Driver"),
            alt.Tooltip("constructor_name:N", title="Team"),
            alt.Tooltip("pace_s:Q", title="Against the middle [s per lap]", format="+.2f"),
            alt.Tooltip("low_s:Q", title="80 % interval from", format="+.2f"),
            alt.Tooltip("high_s:Q", title="80 % interval to", format="+.2f"),
            alt.Tooltip("count_laps:Q", title="Laps counted"),
        ],
    )
    title = "← faster · s per lap · slower →"
    zero = (
        alt.Chart(pl.DataFrame({"pace_s": [0.0]}))
        .mark_rule(color=NEUTRAL, strokeDash=[4, 4])
        .encode(x="pace_s:Q")
    )
    span = base.mark_rule(color=NEUTRAL, strokeWidth=3, opacity=0.7).encode(
        x=alt.X(
            "low_s:Q", title=title, axis=alt.Axis(format="+.1f", tickCount=6), scale=alt.Scale(zero=True)
        ),
        x2="high_s:Q",
    )
    point = base.mark_point(filled=True, size=60, opacity=1).encode(x=alt.X("pace_s:Q", title=title))
    first = f"{labels[0]} fastest, {rows['pace_s'][0]:+.2f} s per lap" if labels else "nobody"
    return finish(
        alt.layer(zero, span, point),
        height=rows_height(len(labels), 60),
        description=f"Race pace of {len(labels)} drivers against the middle one; {first}.",
    )
