"""Title odds: a bar per driver or constructor, and how the odds went from round to round."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from f1core.charts.round_lines import LINES, round_lines
from f1core.charts.style import NEUTRAL, finish, names_axis, rows_height

SHOWN = 10
FAINT = 0.01
"""Who never had more odds than this has no line, but for the first two."""


def title_odds(rows: pl.DataFrame) -> Any:
    """Draws the odds after one round, the favourite on top.

    Args:
        rows: Of one round, as in :func:`warehouse.queries.championship.title_odds`, labels unique.
    """
    shown = rows.sort("title_probability", "points", "label", descending=[True, True, False]).head(SHOWN)
    labels = shown["label"].to_list()
    data = shown.select(
        "label",
        "name",
        "title_probability",
        "points",
        "expected_points",
        words=pl.struct("title_probability", "can_be_champion").map_elements(_words, return_dtype=pl.String),
    )
    base = alt.Chart(data).encode(
        y=names_axis(labels),
        x=alt.X(
            "title_probability:Q",
            title="Probability of the title",
            scale=alt.Scale(domain=[0, 1.08], nice=False),
            axis=alt.Axis(format=".0%", values=[0, 0.25, 0.5, 0.75, 1], labelFlush=False),
        ),
        tooltip=[
            alt.Tooltip("name:N", title="Who"),
            alt.Tooltip("words:N", title="Title"),
            alt.Tooltip("points:Q", title="Points now"),
            alt.Tooltip("expected_points:Q", title="Points expected at the end", format=".0f"),
        ],
    )
    bars = base.mark_bar(height=11, cornerRadiusEnd=3)
    marks = base.mark_text(align="left", dx=5, color=NEUTRAL).encode(text="words:N")
    favourite = f"{shown['name'][0]} {_words(shown.row(0, named=True))}" if shown.height else "nobody"
    return finish(
        alt.layer(bars, marks),
        height=rows_height(shown.height, 70),
        description=f"Probability of the title for {shown.height} in the championship; first {favourite}.",
    )


def title_race(rows: pl.DataFrame) -> Any:
    """Draws the odds after every round, for those who ever had most.

    Args:
        rows: Of a season, as in :func:`f1core.championship_view.coloured_odds`.
    """
    best = rows.group_by("label", maintain_order=True).agg(
        pl.col("title_probability").max().alias("most"), pl.col("title_probability").mean().alias("mean")
    )
    best = best.sort("most", "mean", "label", descending=[True, True, False]).head(LINES)
    shown = best.filter((pl.col("most") >= FAINT) | (pl.int_range(pl.len()) < 2))["label"].to_list()
    y = alt.Y(
        "title_probability:Q",
        title="Probability of the title",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format=".0%", tickCount=5),
    )
    figures = [
        alt.Tooltip("title_probability:Q", title="Title", format=".1%"),
        alt.Tooltip("points:Q", title="Points"),
    ]
    return round_lines(rows, shown, y, figures, "Probability of the title after each round")


def _words(row: dict[str, Any]) -> str:
    """Odds as people say them: those who are out by the rules are told from those who are only unlikely."""
    share = float(row["title_probability"])
    if not row["can_be_champion"]:
        return "out"
    if share == 1.0:
        return "100%"
    return "<0.1%" if share < 0.001 else ">99.9%" if share > 0.999 else f"{share:.1%}"
