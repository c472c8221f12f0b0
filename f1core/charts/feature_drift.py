"""Drift of features: how far the last races are from those before, as a share of what would be called drift."""

from __future__ import annotations

from typing import Any

import altair as alt
import polars as pl

from f1core.charts.style import NEUTRAL, finish, rows_height, top_legend

SHOWN = 10
STATES = ("drift", "ordinary")


def feature_drift(table: pl.DataFrame) -> Any:
    """Draws the features that are nearest to their threshold or beyond it; the dashed line is the threshold.

    Args:
        table: As in :func:`warehouse.queries.monitoring.feature_drift`; the ten with the highest ``level`` are drawn.
    """
    drawn = (
        table.sort("level", "feature", descending=[True, False])
        .head(SHOWN)
        .with_columns(
            name=pl.col("feature").str.replace_all("_", " "),
            state=pl.when("is_drifting").then(pl.lit("drift")).otherwise(pl.lit("ordinary")),
        )
    )
    names = drawn["name"].to_list()
    base = alt.Chart(drawn).encode(
        y=alt.Y(
            "name:N",
            sort=names,
            title=None,
            axis=alt.Axis(labelOverlap=False, labelLimit=190, labelPadding=6),
            scale=alt.Scale(paddingInner=0.35, paddingOuter=0.2),
        ),
        tooltip=[
            alt.Tooltip("feature:N", title="Feature"),
            alt.Tooltip("psi:Q", title="Stability index (PSI)", format=".2f"),
            alt.Tooltip("threshold:Q", title="Called drift above", format=".2f"),
            alt.Tooltip("mean:Q", title="Mean in these races", format=".3~g"),
            alt.Tooltip("mean_before:Q", title="Mean before", format=".3~g"),
            alt.Tooltip("missing_share:Q", title="Missing in these races", format=".0%"),
            alt.Tooltip("missing_share_before:Q", title="Missing before", format=".0%"),
        ],
    )
    bars = base.mark_bar().encode(
        x=alt.X(
            "level:Q",
            title="Stability index, share of its threshold",
            axis=alt.Axis(format=".0%", tickCount=5, labelFlush=False),
            scale=alt.Scale(domainMin=0, domainMax=max(1.15, float(drawn["level"].max() or 0) * 1.05)),  # type: ignore[arg-type]
        ),
        color=alt.Color("state:N", scale=alt.Scale(domain=list(STATES)), legend=top_legend(2)),
        opacity=alt.condition("datum.is_drifting", alt.value(1), alt.value(0.55)),
    )
    threshold = (
        alt.Chart(pl.DataFrame({"level": [1.0]}))
        .mark_rule(strokeDash=[5, 4], strokeWidth=1.5, color=NEUTRAL)
        .encode(x="level:Q")
    )
    return finish(
        alt.layer(bars, threshold),
        height=rows_height(len(names), 90),
        description=f"The {len(names)} features nearest to their drift threshold or beyond it: {', '.join(names)}.",
    )
