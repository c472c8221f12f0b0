"""Laps and telemetry: every lap of any session in the warehouse, and the cars' channels where they were recorded."""

from __future__ import annotations

from typing import Any

import polars as pl
import streamlit as st

from f1core.lap_view import SessionLaps, session_laps
from f1core.outlook import time_between
from f1core.resolver import resolve
from pages.shell.choices import choose
from pages.shell.frame import App, explain, page
from pages.shell.laps import lap_times, pick_drivers, positions, trace, tyres
from pages.shell.pace import pace, sectors
from pages.shell.telemetry import telemetry
from pages.shell.text import plain
from warehouse.errors import UnknownEvent
from warehouse.queries.events import calendar
from warehouse.queries.laps import lap_sessions
from warehouse.queries.sessions import session_loads
from warehouse.vocab import SessionKind

VIEWS = {
    "trace": "Race trace",
    "positions": "Positions",
    "times": "Lap times",
    "tyres": "Tyres",
    "pace": "Race pace",
    "sectors": "Sectors",
    "telemetry": "Telemetry",
}
ONLY_RACES = ("trace", "positions", "pace")
ORDER = list(SessionKind)


def asked_event(app: App, known: pl.DataFrame, default: str) -> str:
    """The event of the URL by its id or any name people use; one without laps is told, and the newest is shown."""
    asked = st.query_params.get("event")
    if asked is None or asked in set(known["event_id"]):
        return asked or default
    try:
        found = resolve(app.reader, asked, clock=app.clock)
    except UnknownEvent as error:
        explain(error)
        found = default
    if found not in set(known["event_id"]):
        no_laps(app, found)
        found = default
    st.query_params["event"] = found
    return found


def no_laps(app: App, event_id: str) -> None:
    """Why an event has no laps here."""
    event = app.read(calendar).filter(pl.col("event_id") == event_id).row(0, named=True)
    name = f"{event['full_name']} {event['season']}"
    why = (
        "it has not been raced yet"
        if event["result_known_at"] > app.now
        else "lap timing begins in 2018"
        if event["season"] < 2018
        else "its timing is neither in the lap archive nor loaded; `python -m jobs extract "
        f"--race {event['event_id'][5:]} --year {event['season']}` loads what exists"
    )
    st.info(
        f"**There are no laps of the {plain(name)}:** {why}. The newest session is shown.",
        icon=":material/timer_off:",
    )


def pick_session(app: App, known: pl.DataFrame) -> dict[str, Any]:
    """Season, event and session, from the URL or by hand: a row of ``lap_sessions``."""
    event_id = asked_event(app, known, known["event_id"][-1])
    head = known.filter(pl.col("event_id") == event_id).row(0, named=True)
    newest = {str(row["season"]): row["event_id"] for row in known.iter_rows(named=True)}
    mine = known.filter(pl.col("season") == head["season"]).unique(
        "event_id", keep="first", maintain_order=True
    )
    names = {row["event_id"]: f"{row['round']} · {row['full_name']}" for row in mine.iter_rows(named=True)}
    st.session_state["choice_season"] = str(head["season"])

    def to_season() -> None:
        st.query_params["event"] = newest[st.session_state["choice_season"]]
        for name in ("session", "drivers", "to", "lap"):
            st.query_params.pop(name, None)

    left, middle, right = st.columns([1, 2, 2], vertical_alignment="bottom")
    left.selectbox("Season", sorted(newest, reverse=True), key="choice_season", on_change=to_season)
    with middle:
        event_id = choose(
            "Race weekend",
            list(names),
            "event",
            default=event_id,
            words=names.__getitem__,
            is_list=True,
            resets=("session", "drivers", "to", "lap"),
        )
    there = known.filter(pl.col("event_id") == event_id)
    sessions = sorted(there["session"], key=ORDER.index, reverse=True)
    with right:
        session = choose(
            "Session",
            sessions,
            "session",
            default=sessions[0],
            words=lambda one: SessionKind(one).label,
            resets=("drivers", "to", "lap", "view"),
        )
    return there.filter(pl.col("session") == session).row(0, named=True)


def provenance(app: App, chosen: dict[str, Any], found: SessionLaps) -> None:
    """Where the laps come from and how old they are."""
    source = "lap archive (FastF1 timing)"
    if chosen["origin"] == "session_laps":
        loads = app.read(session_loads, chosen["event_id"]).filter(pl.col("session") == chosen["session"])
        source = "FastF1 session"
        if loads.height:
            load = loads.row(0, named=True)
            source += f" {load['origin']}, loaded {load['loaded_at']:%d %b %Y %H:%M} UTC"
            if load["problems"]:
                st.caption(f":material/info: {plain(load['problems'])}.")
    when = f"{chosen['known_at']:%d %b %Y %H:%M} UTC, {time_between(chosen['known_at'], app.now)} ago"
    st.caption(f"Timing: {source} · {found.rows.height:,} laps of {found.drivers.height} cars · known {when}")
    for note in found.notes:
        st.caption(f":material/info: {note}")


with page("Laps") as app:
    known = app.read(lap_sessions, app.until)
    if known.is_empty():
        st.title("Laps & telemetry", anchor=False)
        st.info(
            "No laps are in the warehouse. The lap archive brings races from 2018 on (`python -m jobs ingest`), jobs load "
            "practice and qualifying as they are driven.",
            icon=":material/timer_off:",
        )
    else:
        title = st.container()
        chosen = pick_session(app, known)
        where = (chosen["event_id"], chosen["session"])
        title.title(f"{chosen['full_name']} {chosen['season']}: laps", anchor=False)
        found = app.read(session_laps, *where, chosen["origin"])
        views = [view for view in VIEWS if found.is_race or view not in ONLY_RACES]
        view = choose("View", views, "view", default=views[0], words=VIEWS.__getitem__)
        name = "_".join(where)
        if view in ("trace", "positions", "times"):
            drivers = pick_drivers(found)
        if view == "trace":
            trace(app, found, drivers, where, name)
        elif view == "positions":
            positions(app, found, drivers, where, name)
        elif view == "times":
            lap_times(found, drivers, name)
        elif view == "tyres":
            tyres(found, name)
        elif view == "pace":
            pace(found, name)
        elif view == "sectors":
            sectors(found, name)
        else:
            telemetry(app, chosen, chosen["session"], known.filter(pl.col("count_telemetry_laps") > 0), name)
        provenance(app, chosen, found)
