"""The calendar of a season: where every weekend stands, when its sessions are, and the same for people's own calendars."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import streamlit as st

from f1core.circuit_time import circuit_zone
from f1core.ics import MIME
from f1core.outlook import time_between
from f1core.resolver import resolve
from f1core.season_view import EventState, season_events, season_file, session_rows
from pages.shell.choices import choose
from pages.shell.downloads import downloads
from pages.shell.frame import App, explain, page
from pages.shell.season import season_table
from pages.shell.text import listed, moment, plain, race_place, race_title
from pages.shell.weekend import countdown, reader_zone, session_table
from warehouse.errors import UnknownEvent
from warehouse.queries.events import calendar, season_sessions, seasons

SHOWN = {"all": "All", "coming": "To come", "raced": "Raced"}
DONE = (EventState.RACED.value, EventState.MISSING.value)


def pick_season(app: App) -> int:
    """The season, from the URL or by hand; without a choice the one that is running or was last."""
    there = [str(year) for year in app.read(seasons)]
    default = str(app.now.year) if str(app.now.year) in there else there[0]
    return int(choose("Season", there, "season", default=default, is_list=True, resets=("event",)))


def pick_event(app: App, events: pl.DataFrame) -> dict[str, Any]:
    """The weekend in full: of the URL, else the next one, else the last."""
    ahead = events.filter(pl.col("state").is_in([EventState.NEXT.value, EventState.RUNNING.value]))
    default = (ahead if ahead.height else events.tail(1))["event_id"][0]
    asked = st.query_params.get("event")
    ids = events["event_id"].to_list()
    if asked is not None and asked not in ids:
        try:
            found = resolve(app.reader, asked, year=int(events["season"][0]), clock=app.clock)
            if found in ids:
                st.query_params["event"] = found
        except UnknownEvent as error:
            explain(error)
            st.query_params.pop("event", None)
    names = {row["event_id"]: f"{row['round']} · {row['full_name']}" for row in events.iter_rows(named=True)}
    event = choose("Weekend", ids, "event", default=default, words=names.__getitem__, is_list=True)
    return events.filter(pl.col("event_id") == event).row(0, named=True)


def weekend(app: App, event: dict[str, Any]) -> None:
    """One weekend: its state, its sessions, and where to go on."""
    state = EventState(event["state"])
    left, right = st.columns([2, 3], gap="large")
    with left:
        st.subheader(race_title(event), anchor=False)
        sprint = " · sprint weekend" if event["is_sprint"] else ""
        st.markdown(f"**{state.words}** · round {event['round']} · {plain(race_place(event))}{sprint}")
        if state in (EventState.NEXT, EventState.RUNNING):
            countdown(app, event["race_starts_at"])
        if state is EventState.CANCELLED:
            st.warning(
                "**Cancelled.** It will not be held, and nothing is forecast of it.",
                icon=":material/event_busy:",
            )
        if state is EventState.MISSING:
            st.warning(
                "**Raced, but its result is not in the data.** Jobs bring it as soon as a source has it; "
                "`python -m jobs run` starts them.",
                icon=":material/update_disabled:",
            )
        where = {"event": event["event_id"]}
        st.page_link("pages/race.py", label="Forecast and result", icon=":material/flag:", query_params=where)
        if state is EventState.RACED and event["season"] >= 2018:
            st.page_link(
                "pages/laps.py", label="Laps of the race", icon=":material/timer:", query_params=where
            )
    with right:
        session_table(app, event)
        zone = circuit_zone(event["circuit_id"])
        own = reader_zone()
        told = [f"the circuit's {zone.key}" if zone else "", f"yours {own.key}" if own else ""]
        st.caption(f"Time zones: {listed([words for words in told if words]) or 'UTC'}.")


def summary(events: pl.DataFrame) -> str:
    """How the season stands, in one line."""
    counts = dict(events.group_by("state").len().iter_rows())
    parts = [f"{counts[state.value]} {state.words.lower()}" for state in EventState if state.value in counts]
    return f"{events.height} weekends: {'; '.join(parts)}."


with page("Calendar") as app:
    st.title("Calendar", anchor=False)
    if not app.read(seasons):
        st.info("The calendar is empty: `python -m jobs ingest` fills it.", icon=":material/event_busy:")
    else:
        left, middle, right = st.columns([1, 2, 2], vertical_alignment="bottom")
        with left:
            season = pick_season(app)
        times = app.read(season_sessions, season)
        events = season_events(app.read(calendar, season), times, app.now)
        with middle:
            event = pick_event(app, events)
        with right:
            shown = choose("Show", list(SHOWN), "show", default="all", words=SHOWN.__getitem__)
        weekend(app, event)
        st.subheader(f"Season {season}", anchor=False)
        st.caption(summary(events))
        kept = events if shown == "all" else events.filter(pl.col("state").is_in(DONE) == (shown == "raced"))
        if kept.is_empty():
            st.info("No weekend of this kind in this season.", icon=":material/event_available:")
        else:
            season_table(kept, reader_zone())
        stamp = dt.datetime.fromisoformat(app.reader.snapshot.published_at)
        rows = session_rows(kept, times)
        st.download_button(
            "Add to my calendar (.ics)",
            lambda: season_file(season, rows, stamp),
            f"formula-1-{season}.ics",
            MIME,
            icon=":material/calendar_add_on:",
            on_click="ignore",
            help="All sessions shown, in UTC; a session keeps its identity, so that loading the file again moves it",
        )
        downloads(f"calendar_{season}", rows)
        st.caption(
            f"Calendar and session times: F1DB and the season's schedule, published here {moment(stamp)} UTC "
            f"({time_between(stamp, app.now)} ago). Times marked as estimated are known by the day only."
        )
