"""Where a car finishes over all simulations, beside the race without the edit."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from f1core.charts.lap_lines import SERIES, SIMULATED, UNCHANGED, with_series
from f1core.charts.style import finish, top_legend

HEIGHT = 260


def finish_histogram(finishes: pl.DataFrame) -> Any:
    """Draws the share of simulations by finishing position, bars side by side.

    Args:
        finishes: A row per position and race of one car: ``label``, ``position``, ``probability``, and ``is_baseline`` where
            two races are held against each other.
    """
    rows = with_series(finishes)
    there = rows.filter(pl.col("probability") > 0)
    count = max([2, *rows["position"].to_list()])
    data = there.select("label", "position", "series", probability=pl.col("probability").round(4))
    shown = [name for name in SERIES if name in set(there["series"])]
    both = len(shown) > 1
    chart = (
        alt.Chart(data)
        .mark_bar(cornerRadiusEnd=2)
        .encode(
            x=alt.X(
                "position:O",
                title="Finishing position",
                scale=alt.Scale(domain=list(range(1, count + 1)), paddingInner=0.2),
                axis=alt.Axis(labelAngle=0, labelOverlap=True),
            ),
            xOffset=alt.XOffset("series:N", scale=alt.Scale(domain=shown)),
            y=alt.Y("probability:Q", title="Share of simulations", axis=alt.Axis(format=".0%", tickCount=5)),
            color=alt.Color(
                "series:N", scale=alt.Scale(domain=list(SERIES)), legend=top_legend() if both else None
            ),
            opacity=alt.Opacity(
                "series:N", scale=alt.Scale(domain=list(SERIES), range=[1.0, 0.55]), legend=None
            ),
            tooltip=[
                alt.Tooltip("label:N", title="Driver"),
                alt.Tooltip("series:N", title="Race"),
                alt.Tooltip("position:O", title="Position"),
                alt.Tooltip("probability:Q", title="Share", format=".1%"),
            ],
        )
    )
    return finish(
        chart,
        height=HEIGHT,
        description=f"Finishing positions over all simulations: {_told(rows, SIMULATED)}{_before(rows)}.",
    )


def _told(rows: pl.DataFrame, series: str) -> str:
    mine = rows.filter(pl.col("series") == series)
    if mine.is_empty():
        return "none"
    most = mine.sort("probability", "position", descending=[True, False]).row(0, named=True)
    mean = (mine["position"] * mine["probability"]).sum()
    return f"{most['label']} most often {most['position']} ({most['probability']:.0%}), {mean:.1f} on average"


def _before(rows: pl.DataFrame) -> str:
    return f"; unchanged {_told(rows, UNCHANGED)}" if (rows["series"] == UNCHANGED).any() else ""
