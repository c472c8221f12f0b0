"""How good the forecasts are, measured on races the model had not seen."""

from __future__ import annotations

import polars as pl
import streamlit as st

from f1core.accuracy import (
    FROM_SEASON,
    Comparison,
    Races,
    backtest_stages,
    comparisons_of,
    headline,
    scores_of,
)
from f1core.wording import BASELINE_WORDS, SCORES, STAGE_KNOWS, model_name, model_order
from pages.shell.accuracy_extras import all_forecasts, rates
from pages.shell.accuracy_sections import against_baselines, misses_and_surprises, seasons_and_form
from pages.shell.backtest import calibration
from pages.shell.choices import choose, choose_some
from pages.shell.downloads import downloads
from pages.shell.embed import json_beside
from pages.shell.frame import App, page
from pages.shell.sealed import sealed_section
from pages.shell.sections import opened_by, sections
from pages.shell.targets import scored_target
from warehouse.queries.accuracy import backtest_scores
from warehouse.queries.events import calendar
from warehouse.vocab import Stage, Target


def verdict(found: list[Comparison]) -> None:
    """What the numbers say of us against each baseline, in words that are computed from them."""
    baselines = list(dict.fromkeys(item.baseline for item in found))
    for name in baselines:
        st.markdown(
            f"Against **{model_name(name)}** we are {headline(found, name)}", help=BASELINE_WORDS[name]
        )


def coverage(app: App, scores: pl.DataFrame, target: Target) -> None:
    """Which events are in it, and what a backtest is."""
    first, last = scores.row(0, named=True), scores.row(-1, named=True)
    held = app.read(calendar).filter((pl.col("status") == "held") & (pl.col("result_known_at") <= app.now))
    held = held.filter("is_sprint") if target is Target.SPRINT else held
    total = held.filter(pl.col("season") >= FROM_SEASON).height
    st.caption(
        f"{scores['event_id'].n_unique()} races, {first['grand_prix_name']} {first['season']} to "
        f"{last['grand_prix_name']} {last['season']} ({total} were held since {FROM_SEASON}). Backtest: every race was "
        "forecast by a model that had seen only earlier ones; nothing here was sealed. Better and worse mean that the "
        "90 % interval over races leaves out zero."
    )


def take_away(scores: pl.DataFrame, stage: str, target: Target) -> None:
    """Definitions and downloads."""
    with st.expander("What the scores mean", icon=":material/menu_book:"):
        st.markdown("\n".join(f"- **{score.name}**: {score.definition}" for score in SCORES))
    document = {"kind": "backtest", "target": target.value, "stage": stage, "scores": scores.to_dicts()}
    downloads(f"backtest_scores_{target.value}_{stage}", scores, document, of="Scores by race")


def details(app: App, races: Races, scores: pl.DataFrame, found: list[Comparison]) -> None:
    """Everything below the verdict, a section at a time; an embedded view leaves it out."""
    model, target = model_order(scores["model"])[0], Target(races.target)
    opened_by("score", "seasons")
    sections(
        {
            "skill": ("Against the baselines", lambda: against_baselines(app, races, found)),
            "seasons": ("By season and form", lambda: seasons_and_form(app, races)),
            "calibration": ("Calibration", lambda: calibration(app, races, model)),
            "misses": ("Misses and surprises", lambda: misses_and_surprises(app, races, model)),
            "forecasts": ("Every forecast", lambda: all_forecasts(app, target)),
        },
        label="Section",
    )
    take_away(scores, races.stage, target)


with page("Accuracy") as app:
    st.title("How good are the forecasts?", anchor=False)
    target = scored_target(app)
    st.subheader("Sealed forecasts", anchor=False)
    sealed_section(app, target)
    st.subheader("Backtest: what would have been said of past races", anchor=False)
    stages = backtest_stages(app.read(backtest_scores, target=target.value))
    if not stages:
        st.info(
            "No race is backtested yet: `python -m jobs backtest` does it.", icon=":material/hourglass_empty:"
        )
    else:
        with st.container(horizontal=True):
            stage = choose("Stage", stages, "stage", default=stages[0], words=lambda name: Stage(name).label)
            known = sorted(
                {str(season) for season in app.read(scores_of, Races(stage, target=target.value))["season"]},
                reverse=True,
            )
            seasons = tuple(sorted(int(season) for season in choose_some("Seasons", known, "seasons")))
        st.caption(f"{Stage(stage).label}: {STAGE_KNOWS[stage]}.")
        races = Races(stage, seasons, app.until, target.value)
        scores = app.read(scores_of, races)
        if scores.is_empty():
            st.info("No backtested race was over at this time.", icon=":material/hourglass_empty:")
        else:
            found = app.read(comparisons_of, races)
            verdict(found)
            coverage(app, scores, target)
            rates(app, races)
            json_beside("v1/accuracy", season=str(seasons[-1]) if seasons else "")
            if not st.context.is_embedded:
                details(app, races, scores, found)
