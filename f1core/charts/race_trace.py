"""The race trace: how far every car is behind the leader, lap by lap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import polars as pl

from f1core.charts.lap_lines import UNCHANGED, lap_lines, with_series
from f1core.charts.style import finish, layered

HEIGHT = 380
FARTHEST_S = 90.0
"""Beyond this gap, about a lap, cars that were not chosen leave the picture [s]."""


def race_trace(laps: pl.DataFrame, chosen: Sequence[str] = (), to: str = "the leader") -> Any:
    """Draws the gap to the leader, or to a driver, lap by lap; who is ahead is on top.

    Args:
        laps: A row per car and lap: ``driver_id``, ``label``, ``lap``, ``gap_s`` [s], ``position``, and ``is_baseline``
            where two races are held against each other.
        chosen: Cars that are drawn in colour.
        to: Whom ``gap_s`` is against, in words; against a driver it is below zero for cars ahead of him.
    """
    rows = with_series(laps.filter(pl.col("gap_s").is_not_null() & pl.col("gap_s").is_finite())).with_columns(
        value=pl.col("gap_s").round(2)
    )
    mine = rows.filter(pl.col("driver_id").is_in(list(chosen)))
    farthest = max([*_most(mine), min([*_most(rows), FARTHEST_S]), 1.0])
    foremost = max(min([0.0, *rows["value"].to_list()]), -FARTHEST_S)
    axis = alt.Y(
        "value:Q",
        title=f"Gap to {to} [s]",
        scale=alt.Scale(domain=[foremost, farthest], reverse=True, nice=True),
        axis=alt.Axis(tickCount=6),
    )
    tooltip = [
        alt.Tooltip("label:N", title="Driver"),
        alt.Tooltip("lap:Q", title="Lap"),
        alt.Tooltip("value:Q", title="Gap [s]", format=".1f"),
        alt.Tooltip("position:Q", title="Position"),
    ]
    last = mine.filter(pl.col("series") != UNCHANGED).sort("lap").unique("driver_id", keep="last")
    ends = [
        f"{name} {abs(gap):.1f} s {'ahead' if gap < 0 else 'behind'}"
        for name, gap in last.sort("value").select("label", "value").rows()
    ]
    told = f"; at the end {', '.join(ends)}" if ends else ""
    return finish(
        layered(*lap_lines(rows, chosen, axis, tooltip, (farthest - foremost) / 24)),
        height=HEIGHT,
        description=f"Gap to {to} on every lap for {rows['driver_id'].n_unique()} cars{told}.",
    )


def _most(rows: pl.DataFrame) -> list[float]:
    return [float(rows["value"].max())] if rows.height else []  # type: ignore[arg-type]
