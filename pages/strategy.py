"""The strategy simulator: what if a car had stopped on another lap, on other tyres, under another safety car?"""

from __future__ import annotations

import polars as pl
import streamlit as st

from f1core.simulator.parameters import BadRace
from f1core.simulator.plan import IllegalPlan
from f1core.strategy.edits import BadEdit, WhatIf
from f1core.strategy.people import UnknownDriver, car_labels, find_driver
from f1core.strategy.setup import RaceSetup, StrategyUnavailable, playable_events, race_setup
from f1core.strategy.whatif import run
from pages.shell.choices import choose
from pages.shell.favourites import carried
from pages.shell.frame import App, explain, page
from pages.shell.sections import NAME as VIEW
from pages.shell.strategy_about import assumptions, take_away
from pages.shell.strategy_answer import numbers
from pages.shell.strategy_conditions import conditions
from pages.shell.strategy_editor import car_editor
from pages.shell.strategy_scenario import forget_strangers, read_scenario, told
from pages.shell.strategy_sections import scenario_link, strategy_sections
from pages.shell.text import plain
from warehouse.errors import NotReady, UnknownEvent
from warehouse.queries.events import calendar
from warehouse.queries.strategy_setup import next_events

NOBODY = "none"


def events_now(app: App) -> pl.DataFrame:
    """Races that can be played, as far as the clock lets them be known."""
    # By the hour: what is remembered of a race must not be worked out anew on every visit.
    hour = app.now.replace(minute=0, second=0, microsecond=0)
    if app.until is None:
        coming = app.read(next_events)["event_id"]
        asked = st.query_params.get("event")
        return app.read(playable_events, hour, asked if asked in coming else None)
    events = app.read(playable_events, app.until)
    known = app.read(calendar).filter(pl.col("result_known_at") < app.until)["event_id"]
    return events.filter(~pl.col("is_past") | pl.col("event_id").is_in(known.implode()))


def pick_event(events: pl.DataFrame) -> str:
    """Season and race, from the URL or by hand."""
    past = events.filter("is_past")
    default = (past if past.height else events)["event_id"][0]
    ahead = events.filter(~pl.col("is_past"))["event_id"].to_list()
    when = {event: " (to come)" for event in ahead} | {event: " (next)" for event in ahead[:1]}
    names = {
        event: f"{label[5:]}{when.get(event, '')}{' · wet' if is_wet else ''}"
        for event, _, label, _, is_wet in events.iter_rows()
    }
    asked = st.query_params.get("event")
    shown = str(asked if asked in names else default)
    season = shown[:4]
    seasons = sorted(set(events["season"].cast(pl.String)), reverse=True)
    left, right = st.columns([1, 3])
    st.session_state["choice_season"] = season

    def to_season() -> None:
        year = int(st.session_state["choice_season"])
        mine = events.filter(pl.col("season") == year)
        along = {name: st.query_params[name] for name in (VIEW,) if name in st.query_params}
        st.query_params.from_dict({"event": mine["event_id"][0], **along, **carried()})

    left.selectbox("Season", seasons, key="choice_season", on_change=to_season)
    own = [event for event in names if event.startswith(season)]
    with right:
        return choose(
            "Race",
            own,
            "event",
            default=shown,
            words=names.__getitem__,
            is_list=True,
            resets=("cars", "driver", "rival", "basis"),
        )


def pick_car(setup: RaceSetup, label: str, name: str, default: str, others: list[str]) -> str:
    """A car of the field, from the URL (by any name people use) or by hand."""
    names = dict(setup.drivers.select("driver_id", "driver_name").iter_rows())
    asked = st.query_params.get(name)
    if asked is not None and asked not in names and asked not in others:
        try:
            st.query_params[name] = find_driver(setup.drivers, asked)
        except UnknownDriver as error:
            explain(error)
            st.query_params.pop(name)
    options = [*others, *(driver for driver in names if driver != default or not others)]
    words = {NOBODY: "No other car", **names}
    first = NOBODY if others else default
    return choose(label, options, name, default=first, words=words.__getitem__, is_list=True)


def scenario(setup: RaceSetup, names: dict[str, str], asked: WhatIf) -> tuple[str, str | None, WhatIf, bool]:
    """The editors: driver, the other car, scenario, and whether its plans are allowed."""
    what_if = forget_strangers(asked, setup)
    told()
    conditions(setup, what_if)
    left, right = st.columns(2, gap="large")
    with left:
        driver = pick_car(setup, "Driver", "driver", setup.drivers["driver_id"][0], [])
        is_legal = car_editor(setup, what_if, driver, names[driver])
    with right:
        rival = pick_car(setup, "Another car", "rival", driver, [NOBODY])
        other = None if rival in (NOBODY, driver) else rival
        if other is not None:
            is_legal = car_editor(setup, what_if, other, names[other]) and is_legal
        changed = [names[edit.driver_id] for edit in what_if.edits if edit.driver_id not in (driver, rival)]
        if changed:
            st.caption(f":material/edit: Also changed: {plain(', '.join(changed))}.")
    return driver, other, what_if, is_legal


def answer(app: App, setup: RaceSetup, asked: WhatIf) -> None:
    """The scenario and what it brings."""
    names = dict(setup.drivers.select("driver_id", "driver_name").iter_rows())
    driver, rival, what_if, is_legal = scenario(setup, names, asked)
    if not is_legal:
        st.info("The scenario is simulated as soon as the rules allow it.", icon=":material/pause_circle:")
        return
    try:
        found = run(setup, what_if, driver)
    except (BadEdit, BadRace, IllegalPlan) as error:
        explain(error)
        return
    labels = car_labels(setup.drivers)
    numbers(found, names[driver])
    strategy_sections(app, setup, found, rival, names, labels)
    assumptions(setup, found)
    take_away(setup, found, labels, scenario_link(found))


with page("Strategy") as app:
    st.title("What if they had stopped on another lap?", anchor=False)
    events = events_now(app)
    if events.is_empty():
        st.info(
            "No race can be simulated: `python -m jobs ingest` brings laps of races from 2018 on.",
            icon=":material/hourglass_empty:",
        )
    else:
        event_id = pick_event(events)
        asked = read_scenario()
        try:
            setup = app.read(race_setup, event_id, asked.basis, app.until)
        except (StrategyUnavailable, NotReady, UnknownEvent) as error:
            explain(error)
        else:
            answer(app, setup, asked)
