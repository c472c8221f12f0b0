"""Two drivers against each other: who finishes ahead, and how surely."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from f1core.charts.style import NEUTRAL, finish, top_legend

STRENGTHS = (1.0, 0.45)
HEIGHT = 120


def head_to_head(first: str, second: str, ahead_probability: float) -> Any:
    """Draws one bar: the first driver's share from the left, the second's to the right; the line is even odds.

    Args:
        first: Name of one driver.
        second: Name of the other.
        ahead_probability: Probability that the first finishes ahead.
    """
    shares = (ahead_probability, 1 - ahead_probability)
    told = [f"{name} {share:.0%}" for name, share in zip((first, second), shares, strict=True)]
    data = pl.DataFrame(
        {
            "told": told,
            "driver": [first, second],
            "share": shares,
            "left": [0.0, ahead_probability],
            "right": [ahead_probability, 1.0],
        }
    )
    x = alt.X(
        "left:Q",
        title="Probability of finishing ahead",
        scale=alt.Scale(domain=[0, 1], nice=False),
        axis=alt.Axis(format=".0%", values=[0, 0.25, 0.5, 0.75, 1], labelFlush=True),
    )
    bar = (
        alt.Chart(data)
        .mark_bar(height=26)
        .encode(
            x=x,
            x2="right:Q",
            color=alt.Color("told:N", scale=alt.Scale(domain=told), legend=top_legend(2)),
            opacity=alt.Opacity(
                "told:N", scale=alt.Scale(domain=told, range=list(STRENGTHS)), legend=top_legend(2)
            ),
            tooltip=[
                alt.Tooltip("driver:N", title="Driver"),
                alt.Tooltip("share:Q", title="Finishes ahead", format=".1%"),
            ],
        )
    )
    even = (
        alt.Chart(pl.DataFrame({"left": [0.5]}))
        .mark_rule(color=NEUTRAL, strokeWidth=1.5, strokeDash=[4, 3])
        .encode(x=x)
    )
    return finish(
        alt.layer(bar, even),
        height=HEIGHT,
        description=f"Who finishes ahead: {told[0]}, {told[1]}; even odds are marked.",
    )
