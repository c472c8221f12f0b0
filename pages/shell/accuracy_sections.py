"""Sections of the accuracy page: against the baselines, season by season, misses; only the chosen one is worked out."""

from __future__ import annotations

import polars as pl
import streamlit as st

from f1core.accuracy import CHART_SCORES, Comparison, Races, comparison_table, score_lines, season_table
from f1core.accuracy_views import rolling_scores_of, season_advantages_of
from f1core.charts.rolling_form import rolling_form
from f1core.charts.skill import skill
from f1core.wording import SCORE_BY_COLUMN
from pages.shell.accuracy_extras import biggest_surprises, by_circuit_type
from pages.shell.backtest import season_scores, worst
from pages.shell.charts import draw
from pages.shell.choices import choose
from pages.shell.frame import App
from pages.shell.sealed import by_circuit_and_driver
from pages.shell.tables import score_table
from warehouse.vocab import Target


def against_baselines(app: App, races: Races, found: list[Comparison]) -> None:
    """Our model beside the baselines: what is better or worse, and every score.

    Args:
        app: The app.
        races: Which races are looked at.
        found: As in :func:`f1core.accuracy.comparisons_of`.
    """
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Better or worse", anchor=False)
        draw(skill, comparison_table(found), key="skill")
        st.caption("Advantage in % of the baseline's score, drawn up to ±100 %, with its 90 % interval.")
    with right:
        st.subheader("All scores", anchor=False)
        pooled = app.read(season_table, races).filter(pl.col("season") == "All")
        score_table(score_lines(pooled), alt="Scores over all races by model, best in bold")


def seasons_and_form(app: App, races: Races) -> None:
    """One score season by season, over the last five races and by kind of track; all of them in a table."""
    st.subheader("Season by season, and form", anchor=False)
    name = choose(
        "Score",
        CHART_SCORES,
        "score",
        default="mae_ranked",
        words=lambda column: SCORE_BY_COLUMN[column].name,
        is_list=True,
    )
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Against the baselines, by season**")
        draw(skill, app.read(season_advantages_of, races, name), "season", key="seasons")
    with right:
        st.markdown("**Form: mean of the last five races**")
        draw(rolling_form, app.read(rolling_scores_of, races), SCORE_BY_COLUMN[name], key="form")
    by_circuit_type(app, races, name)
    st.markdown("**Every score by season**")
    season_scores(app.read(season_table, races))


def misses_and_surprises(app: App, races: Races, model: str) -> None:
    """How far off the forecasts were, winners nobody believed in, and the mean by circuit and by driver.

    Args:
        app: The app.
        races: Which races are looked at.
        model: Ours.
    """
    st.subheader("Misses", anchor=False)
    worst(app, races, model)
    biggest_surprises(app, races, model)
    by_circuit_and_driver(app, races.stage, model, Target(races.target))
