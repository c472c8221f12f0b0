"""A race weekend: its name and place, its session times, the time left."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl
import streamlit as st

from f1core.circuit_time import circuit_zone
from f1core.outlook import Event, time_between
from pages.shell.frame import App
from pages.shell.text import moment
from warehouse.queries.events import sessions
from warehouse.vocab import SessionKind


def reader_zone() -> ZoneInfo | None:
    """The zone of the reader's browser; None when it does not say."""
    try:
        return ZoneInfo(st.context.timezone) if st.context.timezone else None
    except (ZoneInfoNotFoundError, ValueError):
        return None


def session_table(app: App, event: Event) -> None:
    """Session times in UTC and at the circuit; where the circuit's zone is not known, in the reader's."""
    local, whose = circuit_zone(event["circuit_id"]), event["place_name"]
    if local is None:
        local, whose = reader_zone(), "Your time"
    rows = app.read(sessions, event["event_id"])
    marks = [" (estimated)" if is_estimated else "" for is_estimated in rows["is_time_estimated"]]
    table = {
        "Session": [SessionKind(name).label for name in rows["session"]],
        "UTC": [moment(when) + mark for when, mark in zip(rows["starts_at"], marks, strict=True)],
    }
    if local is not None:
        table[whose] = [moment(when, local) for when in rows["starts_at"]]
    st.table(pl.DataFrame(table), border="horizontal", hide_index=True, alt="Session times of the weekend")


@st.fragment(run_every=dt.timedelta(seconds=60))
def countdown(app: App, starts_at: dt.datetime) -> None:
    """Time to the start, kept up to date while the page is open."""
    if app.now < starts_at:
        st.metric("Lights out in", time_between(app.now, starts_at))
    else:
        st.metric("Under way for", time_between(starts_at, app.now))
