"""Drift of calibration: a rolling measure of the forecasts, race by race, and the range that is ordinary for it."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from f1core.charts.style import NEUTRAL, finish, top_legend
from f1core.wording import MEASURE_NAMES

HEIGHT = 260
STATES = ("drift", "ordinary")
SHAPES = ("triangle-up", "circle")
AXES = {"win_log_loss": "Log loss [nats]", "top_ten_error": "Calibration error"}


def calibration_drift(table: pl.DataFrame, measure: str) -> Any:
    """Draws the measure over a rolling window of races with its ordinary range; lower is better, above is drift.

    Args:
        table: As in :func:`warehouse.queries.monitoring.calibration_drift`, one stage.
        measure: ``win_log_loss`` or ``top_ten_error``.
    """
    drawn = table.filter(pl.col("measure") == measure).with_columns(
        race_name=pl.format("{} {}", "grand_prix_name", "season"),
        state=pl.when("is_drifting").then(pl.lit("drift")).otherwise(pl.lit("ordinary")),
    )
    window = drawn["window"][0] if drawn.height else 0
    base = alt.Chart(drawn).encode(
        x=alt.X(
            "race:Q",
            title="Scored race, oldest first",
            scale=alt.Scale(zero=False, nice=False, padding=8),
            axis=alt.Axis(format="d", tickMinStep=1, grid=False),
        ),
        tooltip=[
            alt.Tooltip("race_name:N", title=f"Last of {window} races"),
            alt.Tooltip("value:Q", title=MEASURE_NAMES[measure], format=".3f"),
            alt.Tooltip("expected:Q", title="Ordinary on average", format=".3f"),
            alt.Tooltip("low:Q", title="Ordinary from", format=".3f"),
            alt.Tooltip("high:Q", title="Ordinary to", format=".3f"),
            alt.Tooltip("count_sealed:Q", title="Sealed among them"),
            alt.Tooltip("count_history:Q", title="Races before them"),
        ],
    )
    y = alt.Y(
        "low:Q",
        title=AXES[measure],
        scale=alt.Scale(zero=False),
        axis=alt.Axis(format=".2~f", tickCount=5),
    )
    band = base.mark_area(color=NEUTRAL, opacity=0.22).encode(y=y, y2="high:Q")
    expected = base.mark_line(color=NEUTRAL, strokeDash=[5, 4], strokeWidth=1.5).encode(y="expected:Q")
    line = base.mark_line(strokeWidth=2, color=NEUTRAL).encode(y="value:Q")
    states = alt.Scale(domain=list(STATES))
    points = base.mark_point(filled=True, size=55, opacity=1).encode(
        y="value:Q",
        color=alt.Color("state:N", scale=states, legend=top_legend(2)),
        shape=alt.Shape("state:N", scale=alt.Scale(domain=list(STATES), range=list(SHAPES))),
    )
    return finish(
        alt.layer(band, expected, line, points),
        height=HEIGHT,
        description=f"{MEASURE_NAMES[measure]} over {window} races, {drawn.height} times, with its ordinary range.",
    )
