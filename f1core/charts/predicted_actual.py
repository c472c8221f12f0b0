"""Forecast against result: per driver the range, the predicted place and where he finished."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from f1core.charts.style import NEUTRAL, finish, names_axis, place_axis, rows_height, top_legend

PREDICTED, FINISHED, STOPPED = "Predicted", "Finished", "Not classified"
SERIES = (PREDICTED, FINISHED, STOPPED)
SHAPES = ["circle", "diamond", "M-0.8,-0.8L0.8,0.8M-0.8,0.8L0.8,-0.8"]


def predicted_actual(rows: pl.DataFrame) -> Any:
    """Draws a raced forecast, in order of the result.

    Args:
        rows: As in :func:`f1core.review.review` with a result; drivers who did not start are left out.
    """
    shown = rows.filter(pl.col("position").is_not_null()).sort("position")
    labels = shown["label"].to_list()
    line = shown.select(
        "label",
        "driver_name",
        "predicted_position",
        "position",
        "position_low",
        "position_high",
        "position_text",
        "is_classified",
    )
    count = max([shown.height, *shown["predicted_position"].drop_nulls()])
    points = pl.concat(
        [
            line.select(pl.exclude("position"), place="predicted_position", series=pl.lit(PREDICTED)),
            line.select(
                pl.exclude("position"),
                place="position",
                series=pl.when("is_classified").then(pl.lit(FINISHED)).otherwise(pl.lit(STOPPED)),
            ),
        ]
    ).drop_nulls("place")
    tooltip = [
        alt.Tooltip("driver_name:N", title="Driver"),
        alt.Tooltip("predicted_position:Q", title="Predicted place"),
        alt.Tooltip("position_text:N", title="Official result"),
        alt.Tooltip("position_low:Q", title="80 % range from"),
        alt.Tooltip("position_high:Q", title="80 % range to"),
    ]
    base = alt.Chart(line).encode(y=names_axis(labels), tooltip=tooltip)
    span = base.mark_bar(height=9, cornerRadius=4, color=NEUTRAL, opacity=0.45).encode(
        x=place_axis("position_low", count, "Place; bar: 80 % range"), x2="position_high:Q"
    )
    rule = base.mark_rule(color=NEUTRAL, strokeWidth=1.5).encode(
        x=place_axis("predicted_position", count, "Place; bar: 80 % range"), x2="position:Q"
    )
    marks = (
        alt.Chart(points)
        .mark_point(size=80, opacity=1, strokeWidth=2, filled=False)
        .encode(
            y=names_axis(labels),
            x=place_axis("place", count, "Place; bar: 80 % range"),
            color=alt.Color("series:N", scale=alt.Scale(domain=list(SERIES)), legend=top_legend()),
            shape=alt.Shape(
                "series:N", scale=alt.Scale(domain=list(SERIES), range=SHAPES), legend=top_legend()
            ),
            tooltip=tooltip,
        )
    )
    inside = int(shown["is_inside"].fill_null(False).sum())
    return finish(
        alt.layer(span, rule, marks),
        height=rows_height(shown.height, 70),
        description=f"Predicted against official place of {shown.height} starters; {inside} are inside their 80 % range.",
    )
