"""Wear: what every compound loses with the age of a set, with how sure that is."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from f1core.charts.style import (
    NEUTRAL,
    compound_colours,
    compound_legend,
    compound_words,
    finish,
    known_compounds,
    layered,
    letter,
)

HEIGHT = 300
ROOM = 0.7
"""Share of the span of the losses beyond which intervals leave the picture."""
DASHES = {"SOFT": [1, 0], "MEDIUM": [8, 3], "HARD": [3, 3], "INTERMEDIATE": [10, 3, 2, 3], "WET": [1, 3]}


def wear_curves(wear: pl.DataFrame) -> Any:
    """Draws a line per compound, its band the 80 % interval.

    Args:
        wear: A row per compound and age: ``compound``, ``tyre_age_laps``, ``loss_s``, ``low_s``, ``high_s``: lap time
            against the reference lap [s].
    """
    shown = known_compounds(wear["compound"])
    data = wear.sort("compound", "tyre_age_laps").select(
        "tyre_age_laps",
        pl.col("loss_s", "low_s", "high_s").round(3),
        letter=pl.col("compound").map_elements(letter, return_dtype=pl.String),
        tyre=pl.col("compound").map_elements(compound_words, return_dtype=pl.String),
    )
    oldest = max([1, *data["tyre_age_laps"].to_list()])
    x = alt.X(
        "tyre_age_laps:Q",
        title="Age of the set [laps]",
        scale=alt.Scale(domain=[0, oldest * 1.05], nice=False),
        axis=alt.Axis(format="d", tickMinStep=1, tickCount=7, grid=False),
    )
    title = "Against a new medium [s/lap]"
    colour = alt.Color("tyre:N", scale=compound_colours(shown), legend=compound_legend())
    dash = alt.StrokeDash(
        "tyre:N",
        scale=alt.Scale(
            domain=[compound_words(name) for name in shown], range=[DASHES[name] for name in shown]
        ),
        legend=None,
    )
    tooltip = [
        alt.Tooltip("tyre:N", title="Tyre"),
        alt.Tooltip("tyre_age_laps:Q", title="Age [laps]"),
        alt.Tooltip("loss_s:Q", title="Loss [s/lap]", format=".2f"),
        alt.Tooltip("low_s:Q", title="80 % from", format=".2f"),
        alt.Tooltip("high_s:Q", title="80 % to", format=".2f"),
    ]
    base = alt.Chart(data).encode(x=x, detail=alt.Detail("tyre:N"), tooltip=tooltip)
    low, high = _span(data)
    scale = alt.Scale(domain=[low, high], nice=True, zero=False)
    band = base.mark_area(opacity=0.28, clip=True).encode(
        y=alt.Y("low_s:Q", title=title, scale=scale),
        y2=alt.Y2("high_s:Q"),
        color=alt.Color("tyre:N", scale=compound_colours(shown), legend=None),
        opacity=alt.OpacityValue(0.28),
    )
    # A wider grey line below each: two compounds are pale on a white page.
    casing = base.mark_line(strokeWidth=4.5, color=NEUTRAL, opacity=0.9).encode(
        y=alt.Y("loss_s:Q", title=title)
    )
    lines = base.mark_line(strokeWidth=2.5).encode(
        y=alt.Y("loss_s:Q", title=title), color=colour, strokeDash=dash
    )
    last = data.filter(pl.col("tyre_age_laps") == pl.col("tyre_age_laps").max().over("tyre"))
    letters = (
        alt.Chart(last)
        .mark_text(align="left", dx=5, color=NEUTRAL, fontWeight="bold")
        .encode(x=x, y=alt.Y("loss_s:Q", title=title), text=alt.Text("letter:N"), size=alt.SizeValue(12))
    )
    ends = [f"{tyre[2:]} {loss:+.1f} s" for tyre, loss in last.select("tyre", "loss_s").iter_rows()]
    return finish(
        layered(band, casing, lines, letters),
        height=HEIGHT,
        description=f"Loss of every compound with age, with 80 % intervals; at {oldest} laps {', '.join(ends) or 'none'}.",
    )


def _span(data: pl.DataFrame) -> tuple[float, float]:
    """The losses that fill the picture [s/lap]: a compound that is hardly known does not squeeze the others."""
    if data.is_empty():
        return 0.0, 1.0
    least, most = float(data["loss_s"].min()), float(data["loss_s"].max())  # type: ignore[arg-type]
    room = max(most - least, 0.2) * ROOM
    low, high = float(data["low_s"].min()), float(data["high_s"].max())  # type: ignore[arg-type]
    return max(low, least - room), min(high, most + room)
