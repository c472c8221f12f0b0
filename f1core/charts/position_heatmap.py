"""How likely each driver finishes in each place: a line per driver, a column per place, the fuller the likelier."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from f1core.charts.style import NEUTRAL, finish, names_axis, place_axis, rows_height

EXPECTED, FINISHED = "Expected place", "Result"
SHAPES = ("circle", "diamond")
SHOWN_FROM = 0.0005
"""Cells that would round to 0.0 % are left empty."""


def position_heatmap(rows: pl.DataFrame, places: pl.DataFrame) -> Any:
    """Draws the position matrix of one race, the predicted winner on top.

    Args:
        rows: As in :func:`f1core.review.review`; drivers without a forecast are left out.
        places: As in :func:`warehouse.queries.distributions.position_probabilities`.
    """
    shown = rows.filter(pl.col("predicted_position").is_not_null()).sort("predicted_position")
    labels = shown["label"].to_list()
    count = max([shown.height, *places["position"]])
    title = "Finishing place"
    cells = (
        shown.select("driver_id", "label", "driver_name")
        .join(places, on="driver_id", maintain_order="left_right")
        .filter(pl.col("probability") >= SHOWN_FROM)
        .with_columns(left=pl.col("position") - 0.5, right=pl.col("position") + 0.5)
    )
    highest = max(cells["probability"].to_list(), default=1.0)
    heat = (
        alt.Chart(cells.drop("driver_id"))
        .mark_rect()
        .encode(
            y=names_axis(labels),
            x=place_axis("left", count, title),
            x2="right:Q",
            opacity=alt.Opacity(
                "probability:Q",
                scale=alt.Scale(type="sqrt", domain=[0, highest], range=[0, 1]),
                legend=alt.Legend(
                    orient="top",
                    title="Probability",
                    format=".0%",
                    values=_steps(highest),
                    symbolType="square",
                ),
            ),
            tooltip=[
                alt.Tooltip("driver_name:N", title="Driver"),
                alt.Tooltip("position:Q", title="Place"),
                alt.Tooltip("probability:Q", title="Probability", format=".1%"),
            ],
        )
    )
    marks = pl.concat(
        [
            shown.select("label", "driver_name", place="expected_position", series=pl.lit(EXPECTED)),
            shown.select(
                "label", "driver_name", place=pl.col("position").cast(pl.Float64), series=pl.lit(FINISHED)
            ),
        ]
    ).drop_nulls("place")
    present = [name for name in (EXPECTED, FINISHED) if name in set(marks["series"])]
    points = (
        alt.Chart(marks)
        .mark_point(size=45, opacity=1, strokeWidth=2, filled=False, color=NEUTRAL)
        .encode(
            y=names_axis(labels),
            x=place_axis("place", count, title),
            shape=alt.Shape(
                "series:N",
                scale=alt.Scale(
                    domain=present, range=[SHAPES[(EXPECTED, FINISHED).index(n)] for n in present]
                ),
                legend=alt.Legend(orient="bottom", direction="horizontal", title=None, symbolSize=90),
            ),
            tooltip=[
                alt.Tooltip("driver_name:N", title="Driver"),
                alt.Tooltip("series:N", title="Mark"),
                alt.Tooltip("place:Q", title="Place", format=".3~g"),
            ],
        )
    )
    likeliest = cells.sort("probability", descending=True).head(1)
    peak = (
        f"surest is {likeliest['driver_name'][0]} in place {likeliest['position'][0]} with "
        f"{likeliest['probability'][0]:.0%}"
        if likeliest.height
        else "no places"
    )
    return finish(
        alt.layer(heat, points).resolve_scale(shape="independent", opacity="independent"),
        height=rows_height(shown.height, 120),
        description=f"Probability of every finishing place for {shown.height} drivers in predicted order; {peak}.",
    )


def _steps(highest: float) -> list[float]:
    """A few round probabilities for the legend."""
    return [step for step in (0.01, 0.05, 0.1, 0.25, 0.5, 0.75) if step <= highest] or [highest]
