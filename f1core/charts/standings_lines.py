"""Points from round to round: how far everybody is behind the leader of each round."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from f1core.charts.round_lines import LINES, round_lines


def standings_lines(rows: pl.DataFrame) -> Any:
    """Draws the points of the first of a championship after every round.

    Args:
        rows: Of a season, as in :func:`f1core.championship_view.coloured_odds`.
    """
    last = rows.filter(pl.col("count_rounds") == pl.col("count_rounds").max()).sort("position")
    shown = last["label"].head(LINES).to_list()
    y = alt.Y("behind:Q", title="Behind the leader [points]", axis=alt.Axis(format="d"))
    figures = [
        alt.Tooltip("position:Q", title="Place"),
        alt.Tooltip("points:Q", title="Points", format="g"),
        alt.Tooltip("behind:Q", title="Behind", format="g"),
    ]
    behind = pl.col("points") - pl.col("points").max().over("count_rounds")
    return round_lines(
        rows.with_columns(behind=behind), shown, y, figures, "Points behind the leader after each round"
    )
