"""The reliability curve: how often it happened when the forecast gave it so much."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from f1core.charts.style import NEUTRAL, finish

HEIGHT = 320
COUNTS_AT = -0.1
"""The counts stand below the zero line."""
OUTCOME_NAMES = {"win": "Win", "podium": "Podium", "top_ten": "Points"}


def reliability_curve(curve: pl.DataFrame, outcome: str) -> Any:
    """Draws one curve: points near the diagonal mean that the probabilities can be taken at their word.

    Args:
        curve: As in :func:`f1core.accuracy.reliability_curves`; the rows of ``outcome`` are drawn.
        outcome: ``win``, ``podium`` or ``top_ten``.
    """
    shown = curve.filter(pl.col("outcome") == outcome)
    share = alt.Scale(domain=[0, 1], nice=False)
    seen = alt.Scale(domain=[COUNTS_AT, 1], nice=False)
    axis = alt.Axis(format=".0%", values=[0, 0.25, 0.5, 0.75, 1], labelFlush=False)
    diagonal = (
        alt.Chart(pl.DataFrame({"said": [0.0, 1.0], "seen": [0.0, 1.0]}))
        .mark_line(color=NEUTRAL, strokeDash=[4, 4], strokeWidth=1.5)
        .encode(x=alt.X("said:Q", scale=share), y=alt.Y("seen:Q", scale=seen))
    )
    tooltip = [
        alt.Tooltip("mean_probability:Q", title="Said on average", format=".1%"),
        alt.Tooltip("frequency:Q", title="Happened", format=".1%"),
        alt.Tooltip("count:Q", title="Forecasts"),
        alt.Tooltip("low:Q", title="90 % interval from", format=".0%"),
        alt.Tooltip("high:Q", title="90 % interval to", format=".0%"),
    ]
    base = alt.Chart(shown).encode(
        x=alt.X("mean_probability:Q", title="Forecast said", scale=share, axis=axis), tooltip=tooltip
    )
    span = base.mark_rule(strokeWidth=2.5, color=NEUTRAL, opacity=0.6).encode(
        y=alt.Y("low:Q", title="It happened", scale=seen, axis=axis), y2="high:Q"
    )
    line = base.mark_line(strokeWidth=1.5).encode(y=alt.Y("frequency:Q", scale=seen))
    point = base.mark_point(filled=True, size=55, opacity=1).encode(y=alt.Y("frequency:Q", scale=seen))
    counts = base.mark_text(color=NEUTRAL, fontSize=11, baseline="bottom").encode(
        y=alt.YDatum(COUNTS_AT, scale=seen), text="count:Q"
    )
    total = int(shown["count"].sum())
    return finish(
        alt.layer(diagonal, span, line, point, counts),
        height=HEIGHT,
        description=f"Reliability of {OUTCOME_NAMES[outcome].lower()} probabilities over {total} forecasts, with counts.",
    )
