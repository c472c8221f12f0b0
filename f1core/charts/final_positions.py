"""Where everybody ends up in the championship: a heat map of final positions."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from f1core.charts.style import finish, names_axis, rows_height


def final_positions(rows: pl.DataFrame, positions: pl.DataFrame) -> Any:
    """Draws how likely each final position is, the highest expected on top.

    Args:
        rows: Of one round, as in :func:`warehouse.queries.championship.title_odds`, labels unique.
        positions: As in :func:`warehouse.queries.championship.final_positions`.
    """
    order = rows.sort("expected_position", "position")
    labels = order["label"].to_list()
    data = positions.join(
        order.select("entity_id", "label", "name", "expected_position"), on="entity_id"
    ).select("label", "name", "position", "probability", "expected_position")
    chart = (
        alt.Chart(data)
        .mark_rect(cornerRadius=2)
        .encode(
            y=names_axis(labels),
            x=alt.X(
                "position:O",
                title="Final position in the championship",
                scale=alt.Scale(domain=list(range(1, order.height + 1))),
                axis=alt.Axis(labelAngle=0, labelOverlap=True),
            ),
            opacity=alt.Opacity(
                "probability:Q",
                scale=alt.Scale(domain=[0, 0.6], range=[0.06, 1.0], clamp=True),
                legend=alt.Legend(
                    orient="top", title="Probability", format=".0%", values=[0.05, 0.2, 0.4, 0.6]
                ),
            ),
            tooltip=[
                alt.Tooltip("name:N", title="Who"),
                alt.Tooltip("position:O", title="Final position"),
                alt.Tooltip("probability:Q", title="Probability", format=".1%"),
                alt.Tooltip("expected_position:Q", title="Expected", format=".1f"),
            ],
        )
    )
    first = labels[0] if labels else "nobody"
    return finish(
        chart,
        height=rows_height(order.height, 70),
        description=f"Probability of each final position for {order.height} in the championship, {first} expected first.",
    )
