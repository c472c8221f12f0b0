"""A stored forecast as pages show it: reading it, saying where it comes from, handing it out."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

import polars as pl
import streamlit as st

from f1core.accuracy import FROM_SEASON
from f1core.outlook import time_between
from f1core.review import forecast_document, review
from f1core.wording import BASELINE_NAMES, KIND_NAMES, KIND_WORDS, STAGE_KNOWS, TARGET_NAMES
from pages.shell.downloads import downloads
from pages.shell.embed import json_beside
from pages.shell.frame import App
from pages.shell.text import day, plain, race_title
from warehouse.queries.events import sessions
from warehouse.queries.forecasts import prediction_entries, prediction_heads, stored_events
from warehouse.queries.results import event_qualifying, event_result
from warehouse.vocab import Stage, Target

KIND_ICONS = {
    "backtest": ":material/history:",
    "provisional": ":material/edit_note:",
    "sealed": ":material/lock:",
}

KIND_COLOURS: dict[str, Literal["gray", "blue", "green"]] = {
    "backtest": "gray",
    "provisional": "blue",
    "sealed": "green",
}


def stored_heads(app: App, event_id: str, target: Target = Target.RACE) -> dict[str, pl.DataFrame]:
    """Heads of an event's stored forecasts of a target by kind; a kind it has none of is left out."""
    found = {
        kind: app.read(prediction_heads, kind, event_id, target=target.value).filter(
            pl.col("as_of") <= app.now
        )
        for kind in KIND_NAMES
    }
    return {kind: heads for kind, heads in found.items() if heads.height}


def is_over(app: App, event_id: str, target: Target) -> bool:
    """Whether the result of an event's session should be known by now."""
    rows = app.read(sessions, event_id).filter(pl.col("session") == target.value)
    return bool((rows["known_at"] <= app.now).any())


def known_result(app: App, event_id: str, target: Target = Target.RACE) -> pl.DataFrame:
    """The official result of an event's session, as far as the clock lets it be known; empty when there is none."""
    if target is Target.QUALIFYING:
        rows = app.read(event_qualifying, event_id)
    else:
        rows = app.read(event_result, event_id, target.value)
    return rows.filter(pl.col("known_at") <= app.now)


def read_review(app: App, kind: str, head: dict[str, Any]) -> pl.DataFrame:
    """A stored forecast held against the result there is; see :func:`f1core.review.review`."""
    target = Target(head["target"])
    entries = app.read(prediction_entries, kind, head["event_id"], head["stage"], head["model"], target.value)
    return review(entries, known_result(app, head["event_id"], target), target)


def badges(kind: str, stage: str) -> None:
    """Says of what kind a forecast is and what it could know."""
    with st.container(horizontal=True, gap="xsmall"):
        st.badge(KIND_NAMES[kind], icon=KIND_ICONS[kind], color=KIND_COLOURS[kind], help=KIND_WORDS[kind])
        st.badge(Stage(stage).label, icon=":material/visibility:", color="violet", help=STAGE_KNOWS[stage])


def provenance(kind: str, head: dict[str, Any], now: dt.datetime) -> None:
    """What a forecast is, what it could know, and who made it."""
    stage = Stage(head["stage"])
    age = f" ({time_between(head['data_through'], now)} old)" if kind == "provisional" else ""
    st.caption(
        f"**{KIND_NAMES[kind]}.** {KIND_WORDS[kind]} **{stage.label}:** {STAGE_KNOWS[stage]}.  \n"
        f"As of {head['as_of']:%d %b %Y %H:%M} UTC · data through {day(head['data_through'])}{age} · "
        f"{head['feature_coverage']:.0%} of feature values known · computed {head['computed_at']:%d %b %Y %H:%M} UTC · "
        f"model version `{head['model_version']}` · data `{head['data_version'][:12]}`"
    )
    if kind == "sealed":
        st.caption(
            f"Sealed {head['sealed_at']:%d %b %Y %H:%M:%S} UTC, "
            f"{time_between(head['sealed_at'], head['session_starts_at'])} before the start, "
            f"as record {head['sequence']} of the ledger · confidence in the winner named: "
            f"{head['confidence_level']} ({head['confidence_score']:.0%})  \nSHA-256 `{head['record_hash']}`"
        )


def take_away(kind: str, head: dict[str, Any], rows: pl.DataFrame) -> None:
    """Files of what is shown, the same from the API, and the view to embed."""
    name = f"{head['event_id']}_{head['target']}_{head['stage']}_{head['model']}_{kind}"
    downloads(name, rows.drop("label"), forecast_document(kind, head, rows))
    season, _, race = head["event_id"].partition("-")
    if head["model"] not in BASELINE_NAMES:
        json_beside(f"predict/{race}/{season}", kind=kind, stage=head["stage"], target=head["target"])


def warnings_of(head: dict[str, Any]) -> None:
    """What the forecast itself warns of, apart from missing results, which the page says better."""
    words = [text for text in head["warnings"].split(" | ") if text and "not in the data" not in text]
    if words:
        st.caption(" ".join(f":material/info: {plain(text)}" for text in words))


def nothing_stored(app: App, event: dict[str, Any], events: pl.DataFrame, target: Target) -> None:
    """What there is of a session that was not forecast."""
    result = known_result(app, event["event_id"], target)
    if target is not Target.RACE:
        words = f"No {TARGET_NAMES[target].lower()} forecast of this event is stored."
        st.info(words, icon=":material/hourglass_empty:")
        official_result(result, event)
        return
    done = app.read(stored_events, "backtest").height
    total = events.filter((pl.col("status") == "held") & (pl.col("season") >= FROM_SEASON)).height
    st.info(
        f"No forecast of this race is stored. {done} of the {total} races since {FROM_SEASON} are backtested; "
        f"`python -m jobs backtest --from {FROM_SEASON}` adds the others.",
        icon=":material/hourglass_empty:",
    )
    official_result(result, event)


def official_result(result: pl.DataFrame, event: dict[str, Any]) -> None:
    """The official result as a table, where there is one."""
    if result.height:
        columns = {"Result": "position_text", "Driver": "driver_name", "Team": "constructor_name"}
        st.dataframe(
            result.select(**columns), hide_index=True, alt=f"Official result of the {race_title(event)}"
        )
