"""What all charts share: neutral ink for both themes, row heights, axes of places and drivers."""

from __future__ import annotations

from typing import Any

import altair as alt

NEUTRAL = "#767a82"
"""A grey that reaches 4.3:1 or more on the white page and on the near-black one: ranges, rules, notes in a chart."""
ROW_HEIGHT = 21


def rows_height(count: int, header: int = 0) -> int:
    """Height of a chart with a line per driver, and of what stands above the lines [px]."""
    return ROW_HEIGHT * max(count, 3) + header


def top_legend(columns: int = 3) -> alt.Legend:
    """A legend above the chart.

    Args:
        columns: Entries in a line; three words or two names fit a phone.
    """
    return alt.Legend(
        orient="top", direction="horizontal", title=None, labelLimit=220, columns=columns, symbolSize=90
    )


def place_axis(field: str, count: int, title: str = "Finishing place") -> alt.X:
    """A horizontal axis of finishing places, 1 at the left.

    Args:
        field: Column with the place.
        count: Places in the race.
        title: Of the axis.
    """
    return alt.X(
        f"{field}:Q",
        title=title,
        scale=alt.Scale(domain=[0.5, max(count, 2) + 0.5], nice=False, zero=False),
        axis=alt.Axis(values=[1, *range(5, count + 1, 5)], format="d", labelFlush=False),
    )


def names_axis(labels: list[str]) -> alt.Y:
    """A vertical axis of drivers in a given order; every name is shown."""
    return alt.Y(
        "label:N",
        sort=labels,
        title=None,
        axis=alt.Axis(labelOverlap=False, labelLimit=96, labelPadding=6, labelFlush=False),
    )


def finish(chart: Any, *, height: int, description: str) -> Any:
    """Sets what every chart has: a see-through background, its height, its description."""
    return chart.properties(height=height, description=description, background="transparent")
