"""One race: what was forecast, by whom, and what happened."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from f1core.charts.finishing_order import finishing_order
from f1core.charts.outcome_probabilities import outcome_probabilities
from f1core.charts.predicted_actual import predicted_actual
from f1core.resolver import resolve
from f1core.wording import KIND_NAMES, OUTCOME_WORDS, TARGET_NAMES, model_name, model_order, stage_order
from pages.shell import forecast as stored
from pages.shell.charts import draw
from pages.shell.choices import choose
from pages.shell.comparison import grades
from pages.shell.frame import App, explain, page
from pages.shell.race_extras import weather
from pages.shell.race_sections import Shown, around, race_sections
from pages.shell.sealed import seal_note
from pages.shell.tables import driver_table
from pages.shell.targets import event_target
from pages.shell.text import race_place, race_title
from warehouse.errors import UnknownEvent
from warehouse.queries.accuracy import backtest_scores
from warehouse.queries.events import calendar
from warehouse.queries.forecasts import stored_events
from warehouse.vocab import Stage, Target


def asked_event(app: App, events: pl.DataFrame, default: str) -> str:
    """The event of the URL, by its id or by any name people use; the default when nothing answers to it."""
    asked = st.query_params.get("event")
    if asked is None or asked in set(events["event_id"]):
        return asked or default
    try:
        found = resolve(app.reader, asked, clock=app.clock)
    except UnknownEvent as error:
        explain(error)
        found = default
    st.query_params["event"] = found
    return found


def pick_event(app: App, events: pl.DataFrame, kept: pl.DataFrame) -> dict[str, Any]:
    """Season and race, from the URL or by hand.

    Args:
        app: The app.
        events: The calendar.
        kept: Events with stored forecasts, in order of time.
    """
    raced = kept.filter(pl.col("race_date") <= app.now.date())
    default = (raced if raced.height else kept if kept.height else events)["event_id"][-1]
    event_id = asked_event(app, events, default)
    event = events.filter(pl.col("event_id") == event_id).row(0, named=True)
    newest = {str(row["season"]): row["event_id"] for row in kept.iter_rows(named=True)}
    mine = kept.filter(pl.col("season") == event["season"])["event_id"].to_list()
    shown = events.filter(pl.col("event_id").is_in({*mine, event_id}))
    names = {row["event_id"]: f"{row['round']} · {row['full_name']}" for row in shown.iter_rows(named=True)}
    st.session_state["choice_season"] = str(event["season"])

    def to_season() -> None:
        st.query_params["event"] = newest.get(st.session_state["choice_season"], event_id)

    left, right = st.columns([1, 3])
    seasons = sorted({*newest, str(event["season"])}, reverse=True)
    left.selectbox("Season", seasons, key="choice_season", on_change=to_season)
    with right:
        choose("Race", list(names), "event", default=event_id, words=names.__getitem__, is_list=True)
    return event


def forecast(app: App, event: dict[str, Any], found: dict[str, pl.DataFrame], target: Target) -> Shown:
    """The stored forecasts of a session: which one is shown, and the forecast itself."""
    is_over = stored.is_over(app, event["event_id"], target)
    kind = "backtest" if is_over and "backtest" in found and "sealed" not in found else next(reversed(found))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if len(found) > 1:
            kind = choose("Kind", list(found), "kind", default=kind, words=KIND_NAMES.__getitem__)
        stages = stage_order(found[kind]["stage"])
        stage = choose("Stage", stages, "stage", default=stages[0], words=lambda name: Stage(name).label)
        heads = found[kind].filter(pl.col("stage") == stage)
        models = model_order(heads["model"])
        model = choose("Model", models, "model", default=models[0], words=model_name)
    head = heads.filter(pl.col("model") == model).row(0, named=True)
    rows = stored.read_review(app, kind, head)
    raced = rows["position"].is_not_null().any()
    scores = app.read(backtest_scores, stage=stage, target=target.value)
    scores = scores.filter((pl.col("event_id") == event["event_id"]) & (kind == "backtest") & raced)
    stored.badges(kind, stage)
    stored.warnings_of(head)
    seal_note(app, event, target)
    if is_over and not raced:
        st.warning(
            f"**This {TARGET_NAMES[target].lower()} has been run, but its result is not in the data.**",
            icon=":material/update_disabled:",
        )
    if raced:
        grades(rows, scores, model, target)
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Forecast against result" if raced else "Predicted order", anchor=False)
        draw(predicted_actual if raced else finishing_order, rows, key="order")
    with right:
        st.subheader(", ".join(OUTCOME_WORDS[target]).capitalize(), anchor=False)
        draw(outcome_probabilities, rows, OUTCOME_WORDS[target], key="outcomes")
    driver_table(rows, alt=f"Forecast of the {race_title(event)}, a line per driver", target=target)
    stored.take_away(kind, head, rows)
    stored.provenance(kind, head, app.now)
    return Shown(kind, head, found[kind], rows, scores)


with page("Races") as app:
    events = app.read(calendar)
    both = pl.concat([app.read(stored_events, kind) for kind in KIND_NAMES])
    kept = both.unique("event_id", keep="last").sort("race_date")
    if events.is_empty():
        st.info("The calendar is empty: `python -m jobs ingest` fills it.", icon=":material/event_busy:")
    else:
        title = st.container()
        event = pick_event(app, events, kept)
        title.title(race_title(event), anchor=False)
        when = f"{event['race_starts_at']:%a %d %b %Y, %H:%M} UTC"
        title.markdown(f"Round {event['round']} · {race_place(event)} · {when}")
        weather(app, event)
        target = event_target(event)
        shown = None
        if found := stored.stored_heads(app, event["event_id"], target):
            shown = forecast(app, event, found, target)
        else:
            stored.nothing_stored(app, event, events, target)
        if not st.context.is_embedded:
            race_sections(app, event, target, shown)
            around(kept, event)
