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
    """Session times in the reader's zone and at the circuit; in UTC for a reader whose browser names no zone."""
    reader, local = reader_zone(), circuit_zone(event["circuit_id"])
    rows = app.read(sessions, event["event_id"])
    marks = [" (estimated)" if is_estimated else "" for is_estimated in rows["is_time_estimated"]]
    table = {
        "Session": [SessionKind(name).label for name in rows["session"]],
        "UTC" if reader is None else "Your time": [
            moment(when, reader or dt.UTC) + mark for when, mark in zip(rows["starts_at"], marks, strict=True)
        ],
    }
    if local is not None:
        table[event["place_name"]] = [moment(when, local) for when in rows["starts_at"]]
    st.table(pl.DataFrame(table), border="horizontal", hide_index=True, alt="Session times of the weekend")


@st.fragment(run_every=dt.timedelta(seconds=60))
def countdown(app: App, starts_at: dt.datetime) -> None:
    """Time to the start, kept up to date while the page is open."""
    if app.now < starts_at:
        zone = reader_zone()
        when = f"{moment(starts_at, zone)} your time" if zone else f"{moment(starts_at)} UTC"
        st.metric(
            "Lights out in", time_between(app.now, starts_at), when, delta_color="off", delta_arrow="off"
        )
    else:
        st.metric("Under way for", time_between(starts_at, app.now))
