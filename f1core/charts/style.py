"""What all charts share: neutral ink for both themes, row heights, axes of places and drivers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import altair as alt

# Altair looks whether pandas is there, and then uses it. On a fresh server another visitor's thread may be in the middle
# of importing it: whoever draws a chart waits here until that is done.
import pandas  # noqa: F401

NEUTRAL = "#767a82"
"""A grey that reaches 4.3:1 or more on the white page and on the near-black one: ranges, rules, notes in a chart."""
ROW_HEIGHT = 21
INK = "#15181d"
"""A letter on a compound's colour: 4.5:1 or more on each of them."""
COMPOUNDS = {
    "HYPERSOFT": "#f5a3c7",
    "ULTRASOFT": "#b48ae8",
    "SUPERSOFT": "#f0695a",
    "SOFT": "#e8484f",
    "MEDIUM": "#f2c926",
    "HARD": "#e6e8ec",
    "SUPERHARD": "#f09a3e",
    "INTERMEDIATE": "#4db56a",
    "WET": "#6aa5f5",
    "UNKNOWN": "#a4a8b0",
}
"""Colours of the compounds as everybody knows them. Two are pale on white, so each has an outline, and always its letter."""


def rows_height(count: int, header: int = 0) -> int:
    """Height of a chart with a line per driver, and of what stands above the lines [px]."""
    return ROW_HEIGHT * max(count, 3) + header


def top_legend(columns: int = 3, *, is_lines: bool = False) -> alt.Legend:
    """A legend above the chart.

    Args:
        columns: Entries in a line; three words or two names fit a phone.
        is_lines: Whether an entry is a piece of its line, which shows the dash, and not a dot.
    """
    line: dict[str, Any] = {"symbolType": "stroke", "symbolStrokeWidth": 2.5} if is_lines else {}
    return alt.Legend(
        orient="top",
        direction="horizontal",
        title=None,
        labelLimit=220,
        columns=columns,
        symbolSize=400 if is_lines else 90,
        **line,
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


def letter(compound: str) -> str:
    """The letters of a compound: ``S``, ``M``, ``H``, ``I``, ``W``; of 2018 also ``HS``, ``US``, ``SS``, ``SH``."""
    two = {"HYPERSOFT": "HS", "ULTRASOFT": "US", "SUPERSOFT": "SS", "SUPERHARD": "SH", "UNKNOWN": "?"}
    return two.get(compound.upper(), compound[:1].upper())


def compound_words(compound: str) -> str:
    """A compound in a legend: ``S soft``."""
    return f"{letter(compound)} {compound.lower()}"


def compound_colours(compounds: Iterable[str]) -> alt.Scale:
    """The fixed colours of some compounds, by their words, the softest first."""
    shown = known_compounds(compounds)
    return alt.Scale(
        domain=[compound_words(name) for name in shown], range=[COMPOUNDS[name] for name in shown]
    )


def compound_legend() -> alt.Legend:
    """A legend of compounds below the chart, where no other legend stands in its way."""
    return alt.Legend(
        orient="bottom",
        direction="horizontal",
        title=None,
        columns=3,
        symbolSize=90,
        symbolStrokeColor=NEUTRAL,
        symbolStrokeWidth=1,
    )


def known_compounds(compounds: Iterable[str]) -> list[str]:
    """Compounds that have a colour, the softest first, each once; upper or lower case."""
    there = {name.upper() for name in compounds}
    return [name for name in COMPOUNDS if name in there]


class _Layers(alt.LayerChart):
    """Layers that have no parameters and no size of their own: every copy of ``alt.LayerChart`` looks for such again."""

    def __init__(self, data: Any = alt.Undefined, layer: Iterable[Any] = (), **rest: Any) -> None:
        super(alt.LayerChart, self).__init__(data=data, layer=list(layer), **rest)


def layered(*layers: Any) -> Any:
    """Layers over each other. ``alt.layer`` copies each of them three times to look for what these charts never have."""
    return _Layers(layer=layers)


def finish(chart: Any, *, height: int, description: str) -> Any:
    """Sets what every chart has: a see-through background, its height, its description."""
    # Assigned, not by ``properties``: that copies the whole chart and validates it, which the tests do once for all.
    chart.height, chart.description, chart.background = height, description, "transparent"
    return chart
