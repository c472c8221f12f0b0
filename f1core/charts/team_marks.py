"""Team colours in charts: a line or mark per driver or team, team mates apart by dash, each with its name."""

from __future__ import annotations

import altair as alt
import polars as pl

from f1core.charts.style import top_legend
from f1core.team_colours import DASHES


def team_marks(
    frame: pl.DataFrame, label: str = "label", columns: int = 3
) -> tuple[alt.Color, alt.StrokeDash]:
    """Colour and dash of the lines of a chart.

    Args:
        frame: What is drawn: the column ``label`` with ``team_colour`` and ``team_dash`` of
            :func:`f1core.team_colours.with_team_colours`. The last row of a label counts: who changed teams within the
            frame has the colour of the last.
        label: Column that names the lines.
        columns: Names in a line of the legend.

    Returns:
        Both with one legend above the chart, names in order of their first row.
    """
    last = frame.group_by(label, maintain_order=True).agg(pl.col("team_colour", "team_dash").last())
    names = last[label].to_list()
    legend = top_legend(columns, is_lines=True)
    dashes = [list(DASHES[place % len(DASHES)]) for place in last["team_dash"]]
    return (
        alt.Color(
            f"{label}:N", scale=alt.Scale(domain=names, range=last["team_colour"].to_list()), legend=legend
        ),
        alt.StrokeDash(f"{label}:N", scale=alt.Scale(domain=names, range=dashes), legend=legend),
    )
