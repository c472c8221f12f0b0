"""How far off the predicted places were, and how much of it is cars that did not finish."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from f1core.charts.style import finish, top_legend

SERIES = ("Finished", "Not classified")
HEIGHT = 320


def miss_distribution(rows: pl.DataFrame) -> Any:
    """Draws a histogram of places between forecast and result; right of zero the driver did worse than forecast.

    Args:
        rows: As in :func:`f1core.accuracy.misses`.
    """
    counts = (
        rows.with_columns(
            series=pl.when("is_classified").then(pl.lit(SERIES[0])).otherwise(pl.lit(SERIES[1]))
        )
        .group_by("miss", "series")
        .agg(count=pl.len())
        .with_columns(share=pl.col("count") / max(rows.height, 1))
        .sort("miss", "series")
    )
    farthest = max(rows["miss"].abs().to_list(), default=1)
    chart = (
        alt.Chart(counts)
        .mark_bar()
        .encode(
            x=alt.X(
                "miss:O",
                scale=alt.Scale(domain=list(range(-farthest, farthest + 1))),
                title="← better than forecast · places off · worse →",
                axis=alt.Axis(values=list(range(-20, 21, 5)), labelOverlap=False, labelAngle=0, format="+d"),
            ),
            y=alt.Y("share:Q", title="Share of forecasts", axis=alt.Axis(format=".0%", tickCount=4)),
            color=alt.Color("series:N", scale=alt.Scale(domain=list(SERIES)), legend=top_legend()),
            opacity=alt.Opacity(
                "series:N", scale=alt.Scale(domain=list(SERIES), range=[1.0, 0.55]), legend=None
            ),
            order=alt.Order("series:N"),
            tooltip=[
                alt.Tooltip("miss:O", title="Places off"),
                alt.Tooltip("series:N", title="Car"),
                alt.Tooltip("count:Q", title="Forecasts"),
                alt.Tooltip("share:Q", title="Share", format=".1%"),
            ],
        )
    )
    near = rows.filter(pl.col("miss").abs() <= 2).height / max(rows.height, 1)
    return finish(
        chart,
        height=HEIGHT,
        description=f"Places between forecast and result over {rows.height} forecasts; {near:.0%} are within two places.",
    )
