"""Lines over races or seasons for a few drivers or teams: Elo, car pace, points; colour and dash tell them apart."""

from __future__ import annotations

import math
from typing import Any

import altair as alt
import polars as pl

from f1core.charts.style import finish, top_legend
from f1core.team_colours import DASHES

HEIGHT = 320


def form_lines(rows: pl.DataFrame, title: str, x_title: str, is_reversed: bool = False) -> Any:
    """Draws one line per label, with its points.

    Args:
        rows: In order of time: ``label`` (unique per line), ``at`` (place on the axis), ``value``, ``told`` (the race or
            season, for people), ``team_colour``, ``team_dash`` (place in :data:`f1core.team_colours.DASHES`).
        title: Of the vertical axis, with its unit.
        x_title: Of the horizontal axis.
        is_reversed: Whether small values belong on top, as gaps do.
    """
    known = rows.drop_nulls("value")
    lines = known.unique("label", keep="first", maintain_order=True)
    names = lines["label"].to_list()
    colours = lines["team_colour"].to_list()
    dashes = [list(DASHES[dash % len(DASHES)]) for dash in _apart(lines)]
    legend = top_legend(is_lines=True)
    encoding = {
        "x": alt.X(
            "at:Q",
            title=x_title,
            scale=alt.Scale(domain=_ends(known), nice=False),
            axis=alt.Axis(format="d", tickMinStep=1, grid=False),
        ),
        "y": alt.Y("value:Q", title=title, scale=alt.Scale(zero=False, reverse=is_reversed)),
        "color": alt.Color("label:N", scale=alt.Scale(domain=names, range=colours), legend=legend),
        "tooltip": [
            alt.Tooltip("label:N", title="Who"),
            alt.Tooltip("told:N", title="When"),
            alt.Tooltip("value:Q", title=title, format=".2f"),
        ],
    }
    line = (
        alt.Chart(known.select("label", "at", "value", "told"))
        .mark_line(strokeWidth=2.2)
        .encode(
            **encoding,
            strokeDash=alt.StrokeDash("label:N", scale=alt.Scale(domain=names, range=dashes), legend=legend),
        )
    )
    points = line.mark_point(size=22, filled=True, opacity=1).encode(**encoding, strokeDash=alt.value([1, 0]))
    return finish(
        alt.layer(line, points),
        height=HEIGHT,
        description=f"{title} by {x_title.lower()} for {', '.join(names) or 'nobody'}.",
    )


def _ends(known: pl.DataFrame) -> list[float]:
    """The axis from the last whole number before the first point, so that the first season has its mark."""
    first, last = known["at"].min(), known["at"].max()
    if not isinstance(first, int | float) or not isinstance(last, int | float):
        return [0.0, 1.0]
    begin = float(math.floor(first))
    return [begin, max(float(last), begin + 1)]


def _apart(lines: pl.DataFrame) -> list[int]:
    """Dashes of the lines; two of one colour never share one (team mates of different seasons)."""
    taken: set[tuple[str, int]] = set()
    found = []
    for colour, dash in lines.select("team_colour", "team_dash").iter_rows():
        while (colour, dash % len(DASHES)) in taken and len([one for one in taken if one[0] == colour]) < len(
            DASHES
        ):
            dash += 1
        taken.add((colour, dash % len(DASHES)))
        found.append(dash)
    return found
