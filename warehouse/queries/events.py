"""Reads of the calendar: events, their sessions, and the names people call them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl

from warehouse.errors import UnknownEvent
from warehouse.reader import Reader


def calendar(reader: Reader, season: int | None = None) -> pl.DataFrame:
    """Events with the names of grand prix and circuit and the start of the race.

    Args:
        reader: The warehouse.
        season: Only this season; None for all.

    Returns:
        One row per event by race start: the ``events`` table, plus ``race_starts_at`` [UTC], ``is_time_estimated``,
        ``circuit_name``, ``place_name``, ``country_name``, ``full_name`` (of the grand prix).
    """
    return reader.query(
        """
        select
            events.*,
            sessions.starts_at as race_starts_at,
            sessions.known_at as result_known_at,
            sessions.is_time_estimated,
            circuits.circuit_name,
            circuits.place_name,
            circuits.country_name,
            circuits.circuit_type,
            grands_prix.full_name
        from events
        inner join sessions on sessions.event_id = events.event_id and sessions.session = 'race'
        inner join circuits on circuits.circuit_id = events.circuit_id
        inner join grands_prix on grands_prix.grand_prix_id = events.grand_prix_id
        where $season is null or events.season = $season
        order by sessions.starts_at, events.event_id
        """,
        {"season": season},
    )


def sessions(reader: Reader, event_id: str) -> pl.DataFrame:
    """Sessions of an event by start: ``session, starts_at, known_at, is_time_estimated, time_source``."""
    return reader.query(
        "select session, starts_at, known_at, is_time_estimated, time_source from sessions "
        "where event_id = $event_id order by starts_at",
        {"event_id": event_id},
    )


def session_times(reader: Reader) -> pl.DataFrame:
    """Start of every session of every event: ``event_id, session, starts_at`` [UTC], in order of time."""
    return reader.query(
        "select event_id, session, starts_at from sessions order by starts_at, event_id, session"
    )


def session_calendar(reader: Reader) -> pl.DataFrame:
    """Every session of every event: ``event_id, session, starts_at, known_at`` [UTC], ``is_time_estimated``, by time."""
    return reader.query(
        "select event_id, session, starts_at, known_at, is_time_estimated from sessions "
        "order by starts_at, event_id, session"
    )


def season_sessions(reader: Reader, season: int) -> pl.DataFrame:
    """Sessions of a season by time: ``event_id, session, starts_at, known_at`` [UTC], ``is_time_estimated``."""
    return reader.query(
        "select event_id, session, starts_at, known_at, is_time_estimated from sessions where season = $season "
        "order by starts_at, event_id, session",
        {"season": season},
    )


def session_starts(reader: Reader, event_id: str) -> dict[str, dt.datetime]:
    """Start of every session of an event [UTC], by session."""
    return dict(sessions(reader, event_id).select("session", "starts_at").iter_rows())


def grand_prix_names(reader: Reader) -> dict[str, str]:
    """Full name of each grand prix by its id, e.g. ``great-britain``: ``British Grand Prix``."""
    rows = reader.query("select grand_prix_id, full_name from grands_prix order by grand_prix_id")
    return dict(rows.iter_rows())


def seasons(reader: Reader) -> list[int]:
    """Seasons in the calendar, newest first."""
    return reader.query("select distinct season from events order by season desc")["season"].to_list()


def event_names(reader: Reader) -> pl.DataFrame:
    """Everything an event may be called: one row per event with the names of grand prix, circuit, place and country."""
    return reader.query(
        """
        select
            events.event_id,
            events.season,
            events.round,
            events.grand_prix_id,
            events.grand_prix_name,
            grands_prix.full_name,
            grands_prix.short_name,
            circuits.circuit_id,
            circuits.circuit_name,
            circuits.full_name as circuit_full_name,
            circuits.previous_names,
            circuits.place_name,
            grands_prix.country_name as grand_prix_country,
            circuits.country_name,
            sessions.starts_at as race_starts_at,
            sessions.known_at as result_known_at,
            events.status
        from events
        inner join grands_prix on grands_prix.grand_prix_id = events.grand_prix_id
        inner join circuits on circuits.circuit_id = events.circuit_id
        inner join sessions on sessions.event_id = events.event_id and sessions.session = 'race'
        order by sessions.starts_at, events.event_id
        """
    )


def newest_result(reader: Reader, now: dt.datetime | None = None) -> dict[str, object] | None:
    """The newest event with a race result (known by ``now``): ``event_id, season, round, known_at``; None when none."""
    rows = reader.query(
        """
        select
            events.event_id,
            events.season,
            events.round,
            events.grand_prix_name,
            max(results.known_at) as known_at
        from race_results as results
        inner join events using (event_id)
        where results.session = 'race' and ($now::timestamptz is null or results.known_at <= $now)
        group by all
        order by known_at desc
        limit 1
        """,
        {"now": now},
    )
    return rows.row(0, named=True) if rows.height else None


def event_head(reader: Reader, event_id: str) -> dict[str, Any]:
    """One event as in :func:`calendar`.

    Raises:
        UnknownEvent: No such event.
    """
    rows = calendar(reader).filter(pl.col("event_id") == event_id)
    if rows.is_empty():
        raise UnknownEvent(f"No event is called {event_id}.", hint="Names look like 2026-great-britain.")
    return rows.row(0, named=True)
