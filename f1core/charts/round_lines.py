"""A championship from round to round: a line for each of those who matter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import polars as pl

from f1core.charts.style import finish
from f1core.charts.team_marks import team_marks

LINES = 6
"""Lines that can be told apart."""
HEIGHT = 320


def round_lines(
    rows: pl.DataFrame, shown: Sequence[str], y: alt.Y, figures: Sequence[alt.Tooltip], description: str
) -> Any:
    """Draws lines over the rounds of a season.

    Args:
        rows: Of a season, as in :func:`f1core.championship_view.coloured_odds`, with the column ``y`` names.
        shown: Labels that have a line, in the order of the legend.
        y: The vertical axis.
        figures: What a point tells beside the race and the name.
        description: What is drawn, without the names.
    """
    fields = [str(one.shorthand).split(":")[0] for one in (y, *figures)]
    columns = dict.fromkeys(["label", "name", "count_rounds", "grand_prix_name", *fields])
    lines = pl.DataFrame({"label": shown}, schema={"label": pl.String}).join(
        rows.select("label", "team_colour", "team_dash"), on="label", how="left", maintain_order="left_right"
    )
    colour, dash = team_marks(lines)
    chart = (
        alt.Chart(rows.filter(pl.col("label").is_in(list(shown))).select(list(columns)))
        .mark_line(strokeWidth=2.5, point=alt.OverlayMarkDef(size=30, filled=True))
        .encode(
            x=alt.X(
                "count_rounds:Q",
                title="After round",
                scale=alt.Scale(zero=False, nice=False),
                axis=alt.Axis(format="d", tickMinStep=1, grid=False),
            ),
            y=y,
            color=colour,
            strokeDash=dash,
            tooltip=[
                alt.Tooltip("grand_prix_name:N", title="After"),
                alt.Tooltip("name:N", title="Who"),
                *figures,
            ],
        )
    )
    return finish(chart, height=HEIGHT, description=f"{description}, for {', '.join(shown)}.")
