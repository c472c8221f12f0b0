"""Lap times by stint: what the tyres, the traffic and the stops made of every lap of a car."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from f1core.charts.lap_lines import SERIES, SIMULATED, lap_axis, name_room, spread, with_series
from f1core.charts.style import (
    NEUTRAL,
    compound_colours,
    compound_legend,
    compound_words,
    finish,
    known_compounds,
    layered,
    top_legend,
)

HEIGHT = 340
SHAPES = {
    "HYPERSOFT": "triangle-down",
    "ULTRASOFT": "triangle-right",
    "SUPERSOFT": "triangle-left",
    "SOFT": "circle",
    "MEDIUM": "square",
    "HARD": "diamond",
    "INTERMEDIATE": "triangle-up",
    "WET": "cross",
    "SUPERHARD": "triangle-down",
    "UNKNOWN": "circle",
}
SLOW = 1.10
"""Laps beyond this share of the median (stops, safety cars) are drawn on the edge; the tooltip has them in full."""


def stint_laps(laps: pl.DataFrame) -> Any:
    """Draws lap times, a line per stint and a mark per lap in the compound's colour and shape.

    Args:
        laps: A row per car and lap, of few cars: ``driver_id``, ``label``, ``lap``, ``lap_time_s`` [s], ``compound``,
            ``stint``, ``tyre_age_laps``, and ``is_baseline`` where two races are held against each other.
    """
    rows = with_series(laps.filter(pl.col("lap_time_s").is_not_null() & pl.col("lap_time_s").is_finite()))
    low, high = _span(rows["lap_time_s"])
    data = rows.select(
        "driver_id",
        "label",
        "lap",
        "stint",
        "series",
        "tyre_age_laps",
        lap_time_s=pl.col("lap_time_s").round(3),
        drawn=pl.col("lap_time_s").clip(low, high).round(3),
        tyre=pl.col("compound").map_elements(compound_words, return_dtype=pl.String),
    )
    shown = known_compounds(rows["compound"])
    last_lap = int(rows["lap"].max() or 2)  # type: ignore[arg-type]
    several = data["driver_id"].n_unique() > 1
    x = lap_axis(last_lap, name_room(data) if several else 0)
    y = alt.Y("drawn:Q", title="Lap time [s]", scale=alt.Scale(domain=[low, high], nice=False, zero=False))
    tooltip = [
        alt.Tooltip("label:N", title="Driver"),
        alt.Tooltip("series:N", title="Race"),
        alt.Tooltip("lap:Q", title="Lap"),
        alt.Tooltip("lap_time_s:Q", title="Lap time [s]", format=".2f"),
        alt.Tooltip("tyre:N", title="Tyre"),
        alt.Tooltip("tyre_age_laps:Q", title="Age of the set [laps]"),
    ]
    both = data["series"].n_unique() > 1
    dashes = alt.StrokeDash(
        "series:N",
        scale=alt.Scale(domain=list(SERIES), range=[[1, 0], [4, 4]]),
        legend=top_legend() if both else None,
    )
    lines = (
        alt.Chart(data)
        .mark_line(color=NEUTRAL, strokeWidth=1.4, opacity=0.8, clip=True)
        .encode(
            x=x,
            y=y,
            strokeDash=dashes,
            detail=[alt.Detail("driver_id:N"), alt.Detail("stint:N")],
            tooltip=tooltip,
        )
    )
    marks = data.filter(pl.col("series") == SIMULATED)
    shape = alt.Shape(
        "tyre:N",
        scale=alt.Scale(
            domain=[compound_words(name) for name in shown], range=[SHAPES[name] for name in shown]
        ),
        legend=compound_legend(),
    )
    base = alt.Chart(marks).encode(x=x, y=y, shape=shape)
    # The outline is a larger mark below: two compounds are pale on a white page.
    outline = base.mark_point(filled=True, size=62, opacity=1, color=NEUTRAL)
    inside = base.mark_point(filled=True, size=32, opacity=1).encode(
        color=alt.Color("tyre:N", scale=compound_colours(shown), legend=compound_legend()), tooltip=tooltip
    )
    ends = marks.sort("driver_id", "lap").unique("driver_id", keep="last", maintain_order=True)
    beside = y.copy()
    beside.shorthand = "text_at:Q"
    whose = (
        alt.Chart(
            spread(ends.with_columns(value="drawn"), (high - low) / 20).select("label", "lap", "text_at")
        )
        .mark_text(align="left", dx=8, color=NEUTRAL)
        .encode(x=x, y=beside, text="label:N", size=alt.value(11))
    )
    names = ", ".join(data["label"].unique().sort())
    fastest = data["lap_time_s"].min()
    told = f"; fastest lap {fastest:.2f} s" if isinstance(fastest, float) else ""
    return finish(
        layered(lines, outline, inside, *([whose] if several else [])),
        height=HEIGHT,
        description=f"Lap times of {names or 'nobody'} on {', '.join(map(str.lower, shown)) or 'no'} tyres{told}.",
    )


def _span(times: pl.Series) -> tuple[float, float]:
    """The lap times that fill the picture [s]."""
    if times.is_empty():
        return 0.0, 1.0
    middle = float(times.median())  # type: ignore[arg-type]
    plain = times.filter(times <= middle * SLOW)
    low, high = float(plain.min()), float(plain.max())  # type: ignore[arg-type]
    room = max((high - low) * 0.06, 0.2)
    return round(low - room, 3), round(high + room, 3)
