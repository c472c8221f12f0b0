"""Probabilities of a win, a podium and a points finish: three nested bars per driver."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from f1core.charts.style import finish, names_axis, rows_height, top_legend

OUTCOMES = (
    ("Points", "points_probability", 15),
    ("Podium", "podium_probability", 9),
    ("Win", "win_probability", 4),
)
"""Outcome, column and thickness of its bar [px], the widest first."""
FAINTEST = 0.3
"""Opacity of the widest bar; the others lie between it and full."""


def outcome_probabilities(rows: pl.DataFrame) -> Any:
    """Draws win within podium within points probability, in predicted order.

    Args:
        rows: As in :func:`f1core.review.review`; drivers without a forecast are left out.
    """
    shown = rows.filter(pl.col("predicted_position").is_not_null()).sort("predicted_position")
    labels = shown["label"].to_list()
    names = [name for name, *_ in reversed(OUTCOMES)]
    strength = alt.Scale(domain=names, range=[1.0, FAINTEST])
    layers = []
    for name, column, thickness in OUTCOMES:
        data = shown.select("label", "driver_name", outcome=pl.lit(name), share=column)
        layers.append(
            alt.Chart(data)
            .mark_bar(height=thickness, cornerRadiusEnd=2)
            .encode(
                y=names_axis(labels),
                x=alt.X(
                    "share:Q",
                    stack=None,
                    title="Probability",
                    scale=alt.Scale(domain=[0, 1]),
                    axis=alt.Axis(format=".0%", tickCount=5, labelFlush=False),
                ),
                opacity=alt.Opacity("outcome:N", scale=strength, legend=top_legend()),
                tooltip=[
                    alt.Tooltip("driver_name:N", title="Driver"),
                    alt.Tooltip("outcome:N", title="Outcome"),
                    alt.Tooltip("share:Q", title="Probability", format=".1%"),
                ],
            )
        )
    bars = alt.layer(*layers)
    best = shown.sort("win_probability", descending=True).head(1)
    favourite = (
        f"{best['driver_name'][0]} is the favourite with {best['win_probability'][0]:.0%}"
        if best.height
        else "no drivers"
    )
    return finish(
        bars,
        height=rows_height(shown.height, 70),
        description=f"Probability of win, podium and points for {shown.height} drivers; {favourite}.",
    )
