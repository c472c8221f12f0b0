"""Reads of the weather forecasts of coming sessions."""

from __future__ import annotations

import datetime as dt

import polars as pl

from warehouse.reader import Reader


def latest_forecast(reader: Reader, event_id: str, as_of: dt.datetime) -> pl.DataFrame:
    """The newest forecast of every session hour of an event that was known before an instant.

    An hour that is over keeps the last forecast that was issued for it.

    Args:
        reader: The warehouse.
        event_id: The event.
        as_of: The instant; forecasts issued at it or later are not seen.

    Returns:
        Rows of ``weather_forecasts``, one per session and hour, by hour; empty when there is no forecast.
    """
    return reader.query(
        """
        select *
        from weather_forecasts
        where event_id = $event_id and known_at < $as_of
        qualify row_number() over (partition by session, valid_at order by issued_at desc) = 1
        order by valid_at, session
        """,
        {"event_id": event_id, "as_of": as_of},
    )


def forecast_issues(reader: Reader, event_id: str, as_of: dt.datetime) -> pl.DataFrame:
    """Every forecast of an event that was known before an instant.

    Args:
        reader: The warehouse.
        event_id: The event.
        as_of: The instant; forecasts issued at it or later are not seen.

    Returns:
        Rows of ``weather_forecasts``, oldest issue first, by hour.
    """
    return reader.query(
        """
        select *
        from weather_forecasts
        where event_id = $event_id and known_at < $as_of
        order by issued_at, valid_at, session
        """,
        {"event_id": event_id, "as_of": as_of},
    )


def coming_sessions(reader: Reader, since: dt.datetime, until: dt.datetime) -> pl.DataFrame:
    """Sessions that end after an instant and start before another, with the place they are held at.

    Args:
        reader: The warehouse.
        since: Sessions that were over by then are left out.
        until: So are sessions that start later.

    Returns:
        ``event_id, season, circuit_id, latitude, longitude, session, starts_at, ends_at, is_time_estimated`` by start;
        cancelled events are left out.
    """
    return reader.query(
        """
        select
            events.event_id,
            events.season,
            events.circuit_id,
            circuits.latitude,
            circuits.longitude,
            sessions.session,
            sessions.starts_at,
            sessions.known_at as ends_at,
            sessions.is_time_estimated
        from sessions
        inner join events using (event_id)
        inner join circuits on circuits.circuit_id = events.circuit_id
        where sessions.known_at > $since and sessions.starts_at <= $until and events.status <> 'cancelled'
        order by sessions.starts_at, events.event_id, sessions.session
        """,
        {"since": since, "until": until},
    )


def stored_issues(reader: Reader) -> set[tuple[str, dt.datetime]]:
    """Event and issue time of every forecast that is stored."""
    return set(reader.query("select distinct event_id, issued_at from weather_forecasts").iter_rows())


def wet_races(reader: Reader, circuit_id: str, until: dt.datetime) -> pl.DataFrame:
    """Races at a circuit whose laps are known, with whether they were wet.

    Args:
        reader: The warehouse.
        circuit_id: The circuit.
        until: Races known later are left out.

    Returns:
        ``event_id, season, is_wet`` in order of time.
    """
    return reader.query(
        """
        select event_id, events.season, summaries.is_wet
        from session_summaries as summaries
        inner join events using (event_id)
        where summaries.session = 'race' and events.circuit_id = $circuit and summaries.is_wet is not null
            and summaries.known_at <= $until
        order by summaries.known_at
        """,
        {"circuit": circuit_id, "until": until},
    )
