"""Form: a score's mean over the last five races, race by race, beside the baselines."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from f1core.charts.style import finish, top_legend
from f1core.wording import BASELINE_NAMES, COMPARED_NAMES, OUR_MODEL, Score

MODELS = (OUR_MODEL, *BASELINE_NAMES.values(), *COMPARED_NAMES.values())
DASHES = ([1, 0], [7, 3], [2, 2], [10, 3, 2, 3], [4, 4])
WIDTHS = (3.0, 1.6, 1.6, 1.6, 1.6)
HEIGHT = 340


def rolling_form(rows: pl.DataFrame, score: Score) -> Any:
    """Draws a score's rolling mean; our line is the thick one.

    Args:
        rows: As in :func:`f1core.accuracy.rolling_scores`.
        score: Which score.
    """
    shown = [name for name in MODELS if name in set(rows["model"])]
    at = [MODELS.index(name) for name in shown]
    data = rows.select(
        "race", "model", race_name=pl.format("{} {}", "grand_prix_name", "season"), value=score.column
    ).drop_nulls("value")
    unit = f" [{score.unit}]" if score.unit else ""
    better = "higher" if score.is_higher_better else "lower"
    chart = (
        alt.Chart(data)
        .mark_line(interpolate="linear")
        .encode(
            x=alt.X(
                "race:Q",
                title="Race of the backtest, oldest first",
                scale=alt.Scale(zero=False, nice=False),
                axis=alt.Axis(format="d", tickMinStep=1, grid=False),
            ),
            y=alt.Y(
                "value:Q",
                title=f"{score.name}{unit}, {better} is better",
                scale=alt.Scale(zero=False),
                axis=alt.Axis(format=score.format.replace(".2f", ".1f"), tickCount=5),
            ),
            color=alt.Color("model:N", scale=alt.Scale(domain=shown), legend=top_legend(2)),
            strokeDash=alt.StrokeDash(
                "model:N", scale=alt.Scale(domain=shown, range=[DASHES[i] for i in at])
            ),
            strokeWidth=alt.StrokeWidth(
                "model:N", scale=alt.Scale(domain=shown, range=[WIDTHS[i] for i in at]), legend=None
            ),
            tooltip=[
                alt.Tooltip("race_name:N", title="Up to"),
                alt.Tooltip("model:N", title="Model"),
                alt.Tooltip("value:Q", title=score.name, format=score.format),
            ],
        )
    )
    return finish(
        chart,
        height=HEIGHT,
        description=f"{score.name}, mean of the last five races, for {', '.join(shown)}; {better} is better.",
    )
