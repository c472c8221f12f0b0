"""Parts of the accuracy page: calibration, misses, the table by season."""

from __future__ import annotations

import polars as pl
import streamlit as st

from f1core.accuracy import Races, misses, reliability_curves
from f1core.charts.miss_distribution import miss_distribution
from f1core.charts.reliability_curve import OUTCOME_NAMES, reliability_curve
from f1core.wording import OUTCOME_WORDS, SCORES
from pages.shell.charts import draw
from pages.shell.frame import App
from pages.shell.tables import ROW_HEIGHT
from warehouse.vocab import Target

WORST = 12


def season_scores(table: pl.DataFrame) -> None:
    """Every score by season and model, as in :func:`f1core.accuracy.by_season`."""
    column = st.column_config
    shown = {
        score.column: column.NumberColumn(
            score.title,
            format="percent" if score.format.endswith("%") else f"%{score.format}",
            help=score.definition,
        )
        for score in SCORES
    }
    st.dataframe(
        table,
        hide_index=True,
        height="content",
        row_height=ROW_HEIGHT,
        placeholder="–",
        alt="Scores by season and model",
        column_config={
            "season": column.TextColumn("Season", pinned=True, width=65),
            "model": column.TextColumn("Model", pinned=True, width=95),
            "count_events": column.NumberColumn("Races", width=60),
            **shown,
        },
    )


def calibration(app: App, races: Races, model: str) -> None:
    """Whether a probability can be taken at its word: three reliability curves."""
    st.subheader("Can the probabilities be taken at their word?", anchor=False)
    curves = app.read(reliability_curves, races, model)
    titles = dict(zip(OUTCOME_NAMES, OUTCOME_WORDS[Target(races.target)], strict=True))
    for cell, outcome in zip(st.columns(3, gap="medium"), OUTCOME_NAMES, strict=True):
        error = curves.filter(pl.col("outcome") == outcome)["error"][0]
        with cell:
            st.markdown(f"**{titles[outcome]}**, mean error {error:.1%}")
            draw(reliability_curve, curves, outcome, key=f"reliability_{outcome}")
    st.caption(
        "A point says how often it happened when the forecast gave it that much; on the dashed line the forecast is "
        "right. Bars are 90 % intervals; the figures at the foot count forecasts; the mean error is "
        "the distance between said and seen, weighted by count."
    )


def worst(app: App, races: Races, model: str) -> None:
    """How far off the forecasts were, and which were farthest."""
    rows = app.read(misses, races, model)
    left, right = st.columns([2, 3], gap="large")
    with left:
        draw(miss_distribution, rows, key="misses")
        far = rows.filter(pl.col("miss").abs() >= 10)
        near = rows.filter(pl.col("miss").abs() <= 2).height / rows.height
        stopped = far.filter(~pl.col("is_classified")).height
        st.caption(
            f"{near:.0%} are within two places. {far.height} are ten or more places off; in {stopped} of those the "
            "car was not classified."
        )
    with right:
        column = st.column_config
        table = rows.head(WORST).select(
            "driver_name",
            "predicted_position",
            "position",
            "miss",
            race=pl.format("{} {}", "grand_prix_name", "season"),
            ended=pl.col("status").str.replace_all("_", " "),
        )
        st.dataframe(
            table,
            hide_index=True,
            height="content",
            row_height=ROW_HEIGHT,
            alt=f"The {WORST} forecasts farthest off",
            column_order=["driver_name", "race", "predicted_position", "position", "miss", "ended"],
            column_config={
                "driver_name": column.TextColumn("Driver", pinned=True, width=128),
                "race": column.TextColumn("Race", width=140),
                "predicted_position": column.NumberColumn("Predicted", width=80),
                "position": column.NumberColumn("Official", help="Place among the starters", width=70),
                "miss": column.NumberColumn("Off", format="%+d", width=55),
                "ended": column.TextColumn("Ended", width=105),
            },
        )
