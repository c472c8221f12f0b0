"""The way round a circuit, drawn from positions recorded on one lap: the faster, the thinner and the paler."""

from __future__ import annotations

import math
from typing import Any

import altair as alt
import numpy as np
import polars as pl

from f1core.charts.style import INK, NEUTRAL, finish

WIDTH = 330
"""Both directions must have the same scale, so the width is fixed; a phone's 390 px are enough for it [px]."""
TALLEST, LOWEST = 420, 120
EVERY_M = 24.0
"""A piece of the line; shorter ones cannot be seen."""
BEND, AWAY = 3, 0.045
"""Pieces on either side that tell which way a bend goes; and how far off it its number stands, as a share of the width."""


def track_map(outline: pl.DataFrame, corners: pl.DataFrame | None = None) -> Any:
    """Draws one lap, turned so that its longer side is level; the start is marked, and which way it goes.

    Args:
        outline: One lap's rows of :attr:`f1core.telemetry_view.Comparison.rows`: ``label, distance_m, speed_kph, x_m, y_m``
            in the order driven.
        corners: As in :attr:`f1core.telemetry_view.Comparison.corners`; none are marked without.
    """
    known = outline.drop_nulls(["x_m", "y_m", "speed_kph"])
    if known.height < 2:
        return _sized(
            alt.Chart(pl.DataFrame({"x": [0.0]})).mark_point(opacity=0), 80, "No positions were recorded."
        )
    turn = _turn(known)
    points = _thinned(turn(known))
    line = points.with_columns(
        x2=pl.col("x").shift(-1, fill_value=points["x"][0]),
        y2=pl.col("y").shift(-1, fill_value=points["y"][0]),
    )
    # A lap whose ends are far apart (positions missing) is left open.
    if math.dist((points["x"][0], points["y"][0]), (points["x"][-1], points["y"][-1])) > 10 * EVERY_M:
        line = line.head(line.height - 1)
    x, y, height = _axes(points)
    base = alt.Chart(line.select(pl.col("x", "y", "x2", "y2", "distance_m", "speed_kph").round(1))).encode(
        x=x,
        y=y,
        x2="x2:Q",
        y2="y2:Q",
        tooltip=[
            alt.Tooltip("distance_m:Q", title="Distance [m]", format=".0f"),
            alt.Tooltip("speed_kph:Q", title="Speed [km/h]", format=".0f"),
        ],
    )
    speeds = [float(known["speed_kph"].min()), float(known["speed_kph"].max())]  # type: ignore[arg-type]
    edge = base.mark_rule(color=NEUTRAL, strokeWidth=10, strokeCap="round", opacity=0.55)
    inside = base.mark_rule(strokeCap="round").encode(
        color=alt.Color(
            "speed_kph:Q",
            scale=alt.Scale(domain=speeds[::-1]),
            legend=alt.Legend(
                orient="bottom",
                direction="horizontal",
                title="Speed [km/h]; slower is thicker",
                gradientLength=200,
                tickCount=4,
                format=".0f",
            ),
        ),
        size=alt.Size("speed_kph:Q", scale=alt.Scale(domain=speeds, range=[8, 3]), legend=None),
    )
    layers = [edge, inside, *_start(points, x, y)]
    known_corners = None if corners is None else corners.drop_nulls(["x_m", "y_m"])
    if known_corners is not None and known_corners.height:
        layers.append(_numbers(turn(known_corners), points, x, y))
    slow = known.sort("speed_kph").row(0, named=True)
    count = 0 if corners is None else corners.height
    return _sized(
        alt.layer(*layers),
        height,
        f"Track map from {known['label'][0]}: {known['distance_m'][-1] / 1000:.2f} km, {count}"
        f" slow points, the slowest {slow['speed_kph']:.0f} km/h after {slow['distance_m']:.0f} m.",
    )


def _turn(known: pl.DataFrame) -> Any:
    """Turns positions about their middle so that they spread most along ``x``; the lap keeps its direction."""
    places = known.select("x_m", "y_m").to_numpy()
    middle = places.mean(axis=0)
    axes = np.linalg.svd(places - middle, full_matrices=False)[2]
    along = axes[0] if axes[0][np.argmax(np.abs(axes[0]))] > 0 else -axes[0]
    across = np.array([-along[1], along[0]])  # a turn, never a mirror image

    def turned(rows: pl.DataFrame) -> pl.DataFrame:
        moved = rows.select("x_m", "y_m").to_numpy() - middle
        return rows.with_columns(x=pl.Series(moved @ along), y=pl.Series(moved @ across))

    return turned


def _thinned(points: pl.DataFrame) -> pl.DataFrame:
    return points.filter((pl.col("distance_m") / EVERY_M).floor().diff().fill_null(1.0) > 0)


def _axes(points: pl.DataFrame) -> tuple[alt.X, alt.Y, int]:
    """Axes with one scale in both directions, and the height that goes with it."""
    places = points.select("x", "y").to_numpy()
    (left, low), (right, high) = places.min(axis=0), places.max(axis=0)
    room = 0.09 * max(right - left, high - low, 1.0)
    wide, tall = right - left + 2 * room, high - low + 2 * room
    pixels = min(WIDTH / wide, TALLEST / tall)
    height = max(round(tall * pixels), LOWEST)
    across, up = (WIDTH / pixels - (right - left)) / 2, (height / pixels - (high - low)) / 2
    title = "Position, turned [m]"
    x = alt.X(
        "x:Q",
        title=title,
        axis=None,
        scale=alt.Scale(domain=[left - across, right + across], nice=False, zero=False),
    )
    y = alt.Y(
        "y:Q",
        title=title,
        axis=None,
        scale=alt.Scale(domain=[low - up, high + up], nice=False, zero=False),
    )
    return x, y, height


def _start(points: pl.DataFrame, x: alt.X, y: alt.Y) -> list[Any]:
    """Where the lap begins, and an arrow head in the direction of travel."""
    first, second = points.row(0, named=True), points.row(min(2, points.height - 1), named=True)
    angle = math.degrees(math.atan2(second["x"] - first["x"], second["y"] - first["y"])) % 360
    begin = pl.DataFrame({"x": [first["x"]], "y": [first["y"]], "what": ["Start and direction"]})
    base = alt.Chart(begin).encode(x=x, y=y, tooltip=[alt.Tooltip("what:N", title="Mark")])
    # One in the other, so that it is seen on light and on dark.
    return [
        base.mark_point(shape="triangle-up", angle=angle, filled=True, opacity=1, size=size, color=colour)
        for size, colour in ((480, NEUTRAL), (160, INK))
    ]


def _numbers(marks: pl.DataFrame, points: pl.DataFrame, x: alt.X, y: alt.Y) -> Any:
    """Numbers of the corners, on the outside of the bend."""
    line = points.select("x", "y").to_numpy()
    span = float(np.ptp(line[:, 0]))
    placed = []
    for mark in marks.iter_rows(named=True):
        at = int(np.argmin(np.hypot(line[:, 0] - mark["x"], line[:, 1] - mark["y"])))
        around = (line[(at - BEND) % len(line)] + line[(at + BEND) % len(line)]) / 2
        out = np.array([mark["x"], mark["y"]]) - around
        size = float(np.hypot(*out))
        step = out / size * AWAY * span if size > 0 else np.zeros(2)
        placed.append(
            {
                "corner": mark["corner"],
                "distance_m": round(mark["distance_m"]),
                "speed_kph": round(mark["speed_kph"]),
                "x": mark["x"] + float(step[0]),
                "y": mark["y"] + float(step[1]),
            }
        )
    return (
        alt.Chart(pl.DataFrame(placed))
        .mark_text(color=NEUTRAL, fontSize=11, fontWeight="bold")
        .encode(
            x=x,
            y=y,
            text="corner:N",
            tooltip=[
                alt.Tooltip("corner:N", title="Slow point"),
                alt.Tooltip("speed_kph:Q", title="Lowest speed [km/h]", format=".0f"),
                alt.Tooltip("distance_m:Q", title="Distance [m]", format=".0f"),
            ],
        )
    )


def _sized(chart: Any, height: int, description: str) -> Any:
    # With a width of its own: stretched to its place the circuit would be out of shape.
    return finish(chart, height=height, description=description).properties(width=WIDTH)
