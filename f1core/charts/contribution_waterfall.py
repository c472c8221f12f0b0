"""Why a driver is expected where he is: from the middle of the field to his expected place, reason by reason."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from f1core.charts.style import NEUTRAL, finish, rows_height, top_legend
from f1core.wording import places_text, term_name

DIRECTIONS = ("Forward", "Back")
STRENGTHS = (1.0, 0.5)
EXPECTED = "Expected place"
SHOWN = 9
"""More reasons than so many are not told apart: the weakest are summed."""


def contribution_waterfall(terms: pl.DataFrame, name: str) -> Any:
    """Draws what moves one driver; each bar begins where the one above it ended, and its figure bears its sign.

    Args:
        terms: Rows of one driver as in :func:`warehouse.queries.distributions.contributions`: the first is where everybody
            begins.
        name: The driver.
    """
    ordered = _folded(terms.sort("ordinal"))
    steps = ordered.with_columns(
        name=pl.col("term").map_elements(term_name, return_dtype=pl.String),
        after=pl.col("places").cum_sum(),
    ).with_columns(before=pl.col("after") - pl.col("places"))
    names = [*steps["name"], EXPECTED]
    total = float(steps["places"].sum())
    moves = steps.slice(1).with_columns(
        low=pl.min_horizontal("before", "after"),
        high=pl.max_horizontal("before", "after"),
        direction=pl.when(pl.col("places") < 0).then(pl.lit(DIRECTIONS[0])).otherwise(pl.lit(DIRECTIONS[1])),
        text=pl.col("places").map_elements(places_text, return_dtype=pl.String),
    )
    ends = pl.DataFrame(
        {
            "name": [*steps["name"].head(1), EXPECTED][-(1 + min(steps.height, 1)) :],
            "place": [*steps["places"].head(1), total][-(1 + min(steps.height, 1)) :],
        },
        schema={"name": pl.String, "place": pl.Float64},
    ).with_columns(text=pl.col("place").round(1).cast(pl.String))
    lowest = min([*moves["low"], *ends["place"]])
    highest = max([*moves["high"], *ends["place"]])
    room = max(highest - lowest, 1.0)
    y = alt.Y(
        "name:N",
        sort=names,
        title=None,
        axis=alt.Axis(labelOverlap=False, labelLimit=170, labelPadding=6, labelFlush=False),
    )
    title = "← forward · place · back →"
    scale = alt.Scale(domain=[lowest - 0.06 * room, highest + 0.16 * room], nice=False, zero=False)
    axis = alt.Axis(format=".3~g", tickCount=6, labelFlush=False)
    directions = alt.Scale(domain=list(DIRECTIONS))
    base = alt.Chart(moves.select("name", "term", "places", "after", "low", "high", "direction", "text"))
    bars = base.mark_bar(height=11, cornerRadius=2).encode(
        y=y,
        x=alt.X("low:Q", title=title, scale=scale, axis=axis),
        x2="high:Q",
        color=alt.Color("direction:N", scale=directions, legend=top_legend(2)),
        opacity=alt.Opacity(
            "direction:N", scale=alt.Scale(domain=list(DIRECTIONS), range=list(STRENGTHS)), legend=None
        ),
        tooltip=[
            alt.Tooltip("name:N", title="Reason"),
            alt.Tooltip("places:Q", title="Places", format="+.2f"),
            alt.Tooltip("after:Q", title="Expected place with it", format=".2f"),
        ],
    )
    figures = base.mark_text(color=NEUTRAL, fontSize=11, align="left", dx=5).encode(
        y=y, x=alt.X("high:Q", title=title, scale=scale, axis=axis), text="text:N"
    )
    marks = alt.Chart(ends)
    levels = marks.mark_point(filled=True, size=80, opacity=1, shape="diamond", color=NEUTRAL).encode(
        y=y,
        x=alt.X("place:Q", title=title, scale=scale, axis=axis),
        tooltip=[alt.Tooltip("name:N", title="Level"), alt.Tooltip("place:Q", title="Place", format=".2f")],
    )
    level_figures = marks.mark_text(color=NEUTRAL, fontSize=11, align="left", dx=9).encode(
        y=y, x=alt.X("place:Q", title=title, scale=scale, axis=axis), text="text:N"
    )
    strongest = moves.sort(pl.col("places").abs(), descending=True).head(1)
    because = (
        f"; the strongest reason is {strongest['name'][0]}, {strongest['text'][0]} places"
        if strongest.height
        else ""
    )
    return finish(
        alt.layer(bars, figures, levels, level_figures),
        height=rows_height(len(names), 70),
        description=f"What leads to the expected place of {name}, {total:.1f}, in {moves.height} reasons{because}.",
    )


def _folded(ordered: pl.DataFrame) -> pl.DataFrame:
    """The first and the last reason and the strongest of the others in order; the rest as one before the last."""
    inner = ordered.slice(1, max(ordered.height - 2, 0)).select("term", "ordinal", "places")
    if inner.height <= SHOWN:
        return ordered.select("term", "ordinal", "places")
    strong = inner.sort(pl.col("places").abs(), descending=True, maintain_order=True).head(SHOWN - 1)
    weak = inner.join(strong, on="ordinal", how="anti")
    rest = weak.select(
        term=pl.lit(f"{weak.height} other reasons"),
        ordinal=pl.col("ordinal").max(),
        places=pl.col("places").sum(),
    ).head(1)
    ends = ordered.select("term", "ordinal", "places")
    return pl.concat([ends.head(1), strong.sort("ordinal"), rest, ends.tail(1)])
