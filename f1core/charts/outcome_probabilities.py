"""Probabilities of a win, a podium and a points finish: three nested bars per driver; a cross for a retirement."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from f1core.charts.style import NEUTRAL, finish, names_axis, rows_height, top_legend
from f1core.wording import OUTCOME_WORDS
from warehouse.vocab import Target

OUTCOMES = (("points_probability", 15), ("podium_probability", 9), ("win_probability", 4))
"""Column of an outcome and thickness of its bar [px], the widest first."""
WORDS = OUTCOME_WORDS[Target.RACE]
RETIRES = "Retires"
FAINTEST = 0.3
"""Opacity of the widest bar; the others lie between it and full."""
CROSS = "M-0.8,-0.8L0.8,0.8M-0.8,0.8L0.8,-0.8"


def outcome_probabilities(rows: pl.DataFrame, words: tuple[str, ...] = WORDS) -> Any:
    """Draws win within podium within points probability, in predicted order; retirements where the forecast has them.

    Args:
        rows: As in :func:`f1core.review.review`; drivers without a forecast are left out.
        words: What first place, the first three and the first ten are called.
    """
    shown = rows.filter(pl.col("predicted_position").is_not_null()).sort("predicted_position")
    labels = shown["label"].to_list()
    strength = alt.Scale(domain=list(words), range=[1.0, FAINTEST])
    layers = []
    for name, (column, thickness) in zip(reversed(words), OUTCOMES, strict=True):
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
    retired = shown.select(
        "label", "driver_name", outcome=pl.lit(RETIRES), share="dnf_probability"
    ).drop_nulls()
    if retired.height:
        layers.append(
            alt.Chart(retired)
            .mark_point(size=60, strokeWidth=2, color=NEUTRAL, opacity=1)
            .encode(
                y=names_axis(labels),
                x="share:Q",
                shape=alt.Shape(
                    "outcome:N",
                    scale=alt.Scale(domain=[RETIRES], range=[CROSS]),
                    legend=alt.Legend(
                        orient="bottom",
                        title=None,
                        symbolSize=90,
                        symbolStrokeColor=NEUTRAL,
                        symbolStrokeWidth=2,
                        symbolOpacity=1,
                    ),
                ),
                tooltip=[
                    alt.Tooltip("driver_name:N", title="Driver"),
                    alt.Tooltip("share:Q", title="Retires or is not classified", format=".1%"),
                ],
            )
        )
    bars = alt.layer(*layers)
    told = [word.lower() for word in words] + ["retirement"] * bool(retired.height)
    best = shown.sort("win_probability", descending=True).head(1)
    favourite = (
        f"{best['driver_name'][0]} is the favourite with {best['win_probability'][0]:.0%}"
        if best.height
        else "no drivers"
    )
    return finish(
        bars,
        height=rows_height(shown.height, 105 if retired.height else 70),
        description=f"Probability of {', '.join(told[:-1])} and {told[-1]} for {shown.height} drivers; {favourite}.",
    )
