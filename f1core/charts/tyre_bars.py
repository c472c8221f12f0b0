"""Tyre bars: the stints of every car, in the compounds' colours, each with its letter."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from f1core.charts.lap_lines import UNCHANGED, with_series
from f1core.charts.style import (
    INK,
    NEUTRAL,
    compound_colours,
    compound_legend,
    compound_words,
    finish,
    known_compounds,
    layered,
    letter,
    names_axis,
    rows_height,
)


def tyre_bars(stints: pl.DataFrame) -> Any:
    """Draws a line per car in the order of the frame; laps a set had before it was fitted are told, not drawn.

    Args:
        stints: A row per stint: ``driver_id``, ``label``, ``stint``, ``compound``, ``first_lap``, ``last_lap``,
            ``used_laps`` (age of the set when it was fitted), and ``is_baseline`` where two plans of a car are shown.
    """
    rows = with_series(stints).with_columns(
        row=pl.when(pl.col("series") == UNCHANGED)
        .then(pl.col("label") + ", before")
        .otherwise(pl.col("label"))
    )
    labels = rows["row"].unique(maintain_order=True).to_list()
    data = rows.select(
        "row",
        "label",
        "first_lap",
        "last_lap",
        "used_laps",
        begin=pl.col("first_lap") - 1,
        middle=(pl.col("first_lap") - 1 + pl.col("last_lap")) / 2,
        laps=pl.col("last_lap") - pl.col("first_lap") + 1,
        letter=pl.col("compound").map_elements(letter, return_dtype=pl.String),
        tyre=pl.col("compound").map_elements(compound_words, return_dtype=pl.String),
    )
    shown = known_compounds(rows["compound"])
    last_lap = max([2, *data["last_lap"].to_list()])
    y = names_axis(labels)
    y.shorthand = "row:N"
    x = alt.X(
        "begin:Q",
        title="Lap",
        scale=alt.Scale(domain=[0, last_lap], nice=False),
        axis=alt.Axis(format="d", tickMinStep=1, tickCount=7, grid=False),
    )
    tooltip = [
        alt.Tooltip("label:N", title="Driver"),
        alt.Tooltip("tyre:N", title="Tyre"),
        alt.Tooltip("first_lap:Q", title="From lap"),
        alt.Tooltip("last_lap:Q", title="To lap"),
        alt.Tooltip("laps:Q", title="Laps"),
        alt.Tooltip("used_laps:Q", title="Age when fitted [laps]"),
    ]
    base = alt.Chart(data).encode(y=y)
    bars = base.mark_bar(height=15).encode(
        x=x,
        x2=alt.X2("last_lap:Q"),
        color=alt.Color("tyre:N", scale=compound_colours(shown), legend=compound_legend()),
        opacity=alt.OpacityValue(1),
        tooltip=tooltip,
    )
    outlines = base.mark_bar(height=15, filled=False, color=NEUTRAL, strokeWidth=1).encode(
        x=x, x2=alt.X2("last_lap:Q")
    )
    letters = (
        alt.Chart(data.filter(pl.col("laps") >= max(2, last_lap / 30)))
        .mark_text(color=INK, fontWeight="bold")
        .encode(y=y, x=alt.X("middle:Q", title="Lap"), text=alt.Text("letter:N"), size=alt.SizeValue(11))
    )
    first = ", ".join(data.filter(pl.col("row") == labels[0])["tyre"]) if labels else ""
    told = f"; {labels[0]}: {first}" if labels else ""
    return finish(
        layered(bars, outlines, letters),
        height=rows_height(len(labels), 70),
        description=f"Tyres of {len(labels)} lines over {last_lap} laps{told}.",
    )
