"""The pit window: what a stop on each lap is worth against the best lap for it."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from f1core.charts.lap_lines import lap_axis
from f1core.charts.style import NEUTRAL, finish, layered, top_legend

HEIGHT = 300
DASHES = ([1, 0], [7, 3], [2, 2], [10, 3, 2, 3])


def pit_windows(windows: pl.DataFrame) -> Any:
    """Draws the loss against the best lap, a line per stop; the laps of the window are marked.

    Args:
        windows: A row per stop and lap: ``stop`` (1 is the first), ``lap``, ``loss_s`` against the best lap [s], ``error_s``
            its standard error [s], ``is_window`` (cannot be told from the best).
    """
    rows = windows.sort("stop", "lap").select(
        "lap",
        "is_window",
        pl.col("loss_s", "error_s").round(2),
        low_s=(pl.col("loss_s") - pl.col("error_s")).round(2),
        high_s=(pl.col("loss_s") + pl.col("error_s")).round(2),
        stop=pl.format("Stop {}", "stop"),
    )
    stops = rows["stop"].unique(maintain_order=True).to_list()
    last_lap = max([2, *rows["lap"].to_list()])
    x = lap_axis(last_lap, title="Lap of the stop")
    title = "Lost against the best lap [s]"
    colour = alt.Color(
        "stop:N", scale=alt.Scale(domain=stops), legend=top_legend() if len(stops) > 1 else None
    )
    tooltip = [
        alt.Tooltip("stop:N", title="Which"),
        alt.Tooltip("lap:Q", title="Lap"),
        alt.Tooltip("loss_s:Q", title="Lost [s]", format=".1f"),
        alt.Tooltip("error_s:Q", title="Standard error [s]", format=".1f"),
    ]
    base = alt.Chart(rows).encode(x=x, tooltip=tooltip)
    band = base.mark_area(color=NEUTRAL, opacity=0.25).encode(
        y=alt.Y("low_s:Q", title=title), y2=alt.Y2("high_s:Q"), detail=alt.Detail("stop:N")
    )
    dash = alt.StrokeDash(
        "stop:N", scale=alt.Scale(domain=stops, range=[DASHES[i % len(DASHES)] for i in range(len(stops))])
    )
    lines = base.mark_line(strokeWidth=2).encode(
        y=alt.Y("loss_s:Q", title=title), color=colour, strokeDash=dash
    )
    inside = (
        alt.Chart(rows.filter("is_window"))
        .mark_point(filled=True, size=46, opacity=1)
        .encode(
            x=x,
            y=alt.Y("loss_s:Q", title=title),
            color=colour,
            shape=alt.Shape("stop:N", scale=alt.Scale(domain=stops), legend=None),
            tooltip=tooltip,
        )
    )
    told = [
        f"{stop} laps {min(span)} to {max(span)}"
        for stop in stops
        if (span := rows.filter((pl.col("stop") == stop) & pl.col("is_window"))["lap"].to_list())
    ]
    return finish(
        layered(band, lines, inside),
        height=HEIGHT,
        description=f"What a stop on each lap loses against the best one; windows: {', '.join(told) or 'none'}.",
    )
