"""The predicted finishing order: per driver the 80 % range and the expected place."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from f1core.charts.style import NEUTRAL, finish, names_axis, place_axis, rows_height


def finishing_order(rows: pl.DataFrame) -> Any:
    """Draws the forecast of one race, the predicted winner on top.

    Args:
        rows: As in :func:`f1core.review.review`; drivers without a forecast are left out.
    """
    shown = rows.filter(pl.col("predicted_position").is_not_null()).sort("predicted_position")
    labels = shown["label"].to_list()
    data = shown.select(
        "label",
        "driver_name",
        "constructor_name",
        "predicted_position",
        "expected_position",
        "position_low",
        "position_high",
    )
    tooltip = [
        alt.Tooltip("driver_name:N", title="Driver"),
        alt.Tooltip("constructor_name:N", title="Team"),
        alt.Tooltip("predicted_position:Q", title="Predicted place"),
        alt.Tooltip("expected_position:Q", title="Expected place", format=".1f"),
        alt.Tooltip("position_low:Q", title="80 % range from"),
        alt.Tooltip("position_high:Q", title="80 % range to"),
    ]
    base = alt.Chart(data).encode(y=names_axis(labels), tooltip=tooltip)
    span = base.mark_bar(height=9, cornerRadius=4, color=NEUTRAL, opacity=0.4).encode(
        x=place_axis("position_low", shown.height, "Finishing place: dot expected, bar 80 % range"),
        x2="position_high:Q",
    )
    point = base.mark_point(filled=True, size=80, opacity=1).encode(
        x=place_axis("expected_position", shown.height, "Finishing place: dot expected, bar 80 % range")
    )
    first = labels[0] if labels else "nobody"
    return finish(
        alt.layer(span, point),
        height=rows_height(shown.height, 40),
        description=f"Expected finishing place and 80 % range of {shown.height} drivers, {first} predicted first.",
    )
