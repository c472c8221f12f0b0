"""Points from round to round: how far everybody is behind the leader of each round."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from f1core.charts.style import finish
from f1core.charts.team_marks import team_marks
from f1core.charts.title_odds import HEIGHT, LINES


def standings_lines(rows: pl.DataFrame) -> Any:
    """Draws the points of the first of a championship after every round.

    Args:
        rows: Of a season, as in :func:`f1core.championship_view.coloured_odds`.
    """
    last = rows.filter(pl.col("count_rounds") == pl.col("count_rounds").max()).sort("position")
    shown = last["label"].head(LINES).to_list()
    data = rows.filter(pl.col("label").is_in(shown)).select(
        "label",
        "name",
        "count_rounds",
        "grand_prix_name",
        "position",
        "points",
        behind=pl.col("points") - pl.col("points").max().over("count_rounds"),
    )
    lines = pl.DataFrame({"label": shown}, schema={"label": pl.String}).join(
        rows.select("label", "team_colour", "team_dash"), on="label", how="left", maintain_order="left_right"
    )
    colour, dash = team_marks(lines)
    chart = (
        alt.Chart(data)
        .mark_line(strokeWidth=2.5, point=alt.OverlayMarkDef(size=30, filled=True))
        .encode(
            x=alt.X(
                "count_rounds:Q",
                title="After round",
                scale=alt.Scale(zero=False, nice=False),
                axis=alt.Axis(format="d", tickMinStep=1, grid=False),
            ),
            y=alt.Y("behind:Q", title="Behind the leader [points]", axis=alt.Axis(format="d")),
            color=colour,
            strokeDash=dash,
            tooltip=[
                alt.Tooltip("grand_prix_name:N", title="After"),
                alt.Tooltip("name:N", title="Who"),
                alt.Tooltip("position:Q", title="Place"),
                alt.Tooltip("points:Q", title="Points", format="g"),
                alt.Tooltip("behind:Q", title="Behind", format="g"),
            ],
        )
    )
    return finish(
        chart,
        height=HEIGHT,
        description=f"Points behind the leader after each round, for {', '.join(shown)}.",
    )
