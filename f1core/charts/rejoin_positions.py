"""Where a car comes out of the pits: a column per lap of the stop, the fuller a place the likelier, real stops marked."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from f1core.charts.lap_lines import lap_axis
from f1core.charts.style import NEUTRAL, finish, layered

PLACE_HEIGHT, LEAST_HEIGHT = 15, 300
REALLY = "Really came out"


def rejoin_positions(rejoins: pl.DataFrame) -> Any:
    """Draws the forecast position after a stop on every lap, and where the car really came out.

    Args:
        rejoins: As :func:`f1core.strategy.rejoining.rejoins`: a row per lap and position.
    """
    rows = rejoins.sort("lap", "position")
    count = max([3, *rows["position"], *rows["real_position"].drop_nulls()])
    last_lap = max([2, *rows["lap"]])
    x = lap_axis(last_lap, room=1, title="Lap of the stop")
    y = alt.Y(
        "position:Q",
        title="Place among cars that run through",
        scale=alt.Scale(domain=[0.5, count + 0.5], reverse=True, nice=False, zero=False),
        axis=alt.Axis(values=[1, *range(5, count + 1, 5)], format="d", grid=False),
    )
    cells = rows.select(
        "position",
        "count_cars",
        told="lap",
        lap=pl.col("lap") - 0.5,
        right=pl.col("lap") + 0.5,
        top=pl.col("position") - 0.5,
        bottom=pl.col("position") + 0.5,
        probability=pl.col("probability").round(4),
    )
    above = y.copy()
    above.shorthand = "top:Q"
    heat = (
        alt.Chart(cells)
        .mark_rect(clip=True)
        .encode(
            x=x,
            x2=alt.X2("right:Q"),
            y=above,
            y2=alt.Y2("bottom:Q"),
            opacity=alt.Opacity(
                "probability:Q",
                scale=alt.Scale(domain=[0, 1], range=[0.05, 0.9]),
                legend=alt.Legend(
                    orient="top",
                    title="Probability",
                    format=".0%",
                    values=[0.25, 0.5, 1],
                    symbolType="square",
                ),
            ),
            tooltip=[
                alt.Tooltip("told:Q", title="Stop on lap"),
                alt.Tooltip("position:Q", title="Place"),
                alt.Tooltip("probability:Q", title="Probability", format=".0%"),
                alt.Tooltip("count_cars:Q", title="Cars counted"),
            ],
        )
    )
    # A mark stands at the real place, not at a row's own, and around its cell: a filled one would hide it.
    stops = rows.filter("is_stop", "is_predicted").select("lap", "position", "real_position")
    marks = (
        alt.Chart(stops.select("lap", foretold="position", position="real_position", series=pl.lit(REALLY)))
        .mark_point(size=260, filled=False, strokeWidth=2.5, opacity=1, color=NEUTRAL)
        .encode(
            x=x,
            y=y,
            shape=alt.Shape(
                "series:N",
                scale=alt.Scale(domain=[REALLY], range=["diamond"]),
                legend=alt.Legend(orient="bottom", direction="horizontal", title=None, symbolSize=120),
            ),
            tooltip=[
                alt.Tooltip("lap:Q", title="Stopped on lap"),
                alt.Tooltip("position:Q", title="Really came out"),
                alt.Tooltip("foretold:Q", title="Foretold"),
            ],
        )
    )
    return finish(
        layered(heat, marks),
        height=max(LEAST_HEIGHT, count * PLACE_HEIGHT + 80),
        description=_told(rows.filter("is_predicted"), stops),
    )


def _told(likeliest: pl.DataFrame, stops: pl.DataFrame) -> str:
    if likeliest.is_empty():
        return "Place after a stop on every lap: no lap on which a stop under green was possible."
    first, last = likeliest.row(0, named=True), likeliest.row(-1, named=True)
    words = (
        f"Foretold place after a stop on {likeliest.height} laps: {first['position']} on lap {first['lap']}, "
        f"{last['position']} on lap {last['lap']}"
    )
    real = [
        f"lap {lap}, foretold {place}, really {seen}"
        for lap, place, seen in stops.select("lap", "position", "real_position").iter_rows()
    ]
    return f"{words}; real stops: {'; '.join(real) or 'none under green'}."
