"""Reads of recorded sessions: laps, car telemetry, weather and race control, and what was loaded."""

from __future__ import annotations

import polars as pl

from warehouse.reader import Reader


def session_laps(reader: Reader, event_id: str, session: str | None = None) -> pl.DataFrame:
    """Laps of an event's recorded sessions.

    Args:
        reader: The warehouse.
        event_id: The event.
        session: Only this session; None for all.

    Returns:
        ``session_laps`` with ``driver_name`` and ``constructor_name`` (missing where the car's driver is not known), by
        session, car and lap.
    """
    return reader.query(
        """
        select session_laps.*, drivers.driver_name, constructors.constructor_name
        from session_laps
        left join drivers using (driver_id)
        left join constructors using (constructor_id)
        where session_laps.event_id = $event_id and ($session is null or session_laps.session = $session)
        order by session_laps.known_at, session_laps.session, try_cast(car_number as integer), car_number, lap_number
        """,
        {"event_id": event_id, "session": session},
    )


def telemetry_laps(reader: Reader, event_id: str) -> pl.DataFrame:
    """The laps of an event that have car telemetry, fastest first within a session.

    Returns:
        ``session, car_number, driver_id, driver_name, driver_code, lap_number, lap_time_s, compound, count_samples,
        length_m``.
    """
    return reader.query(
        """
        with sampled as (
            select event_id, session, car_number, lap_number, count(*) as count_samples, max(distance_m) as length_m
            from telemetry
            where event_id = $event_id
            group by all
        )
        select
            sampled.session,
            sampled.car_number,
            laps.driver_id,
            drivers.driver_name,
            laps.driver_code,
            sampled.lap_number,
            laps.lap_time_s,
            laps.compound,
            sampled.count_samples,
            sampled.length_m
        from sampled
        left join session_laps as laps using (event_id, session, car_number, lap_number)
        left join drivers using (driver_id)
        order by sampled.session, laps.lap_time_s nulls last, sampled.car_number, sampled.lap_number
        """,
        {"event_id": event_id},
    )


def lap_telemetry(
    reader: Reader, event_id: str, session: str, car_number: str, lap_number: int
) -> pl.DataFrame:
    """Samples of one lap in order; empty where there are none."""
    return reader.query(
        """
        select * from telemetry
        where event_id = $event_id and session = $session and car_number = $car_number and lap_number = $lap_number
        order by sample
        """,
        {"event_id": event_id, "session": session, "car_number": car_number, "lap_number": lap_number},
    )


def session_weather(reader: Reader, event_id: str, session: str | None = None) -> pl.DataFrame:
    """Weather measured at the circuit during an event's sessions, in order of time."""
    return reader.query(
        """
        select * from weather
        where event_id = $event_id and ($session is null or session = $session)
        order by known_at, session, measurement
        """,
        {"event_id": event_id, "session": session},
    )


def race_control(reader: Reader, event_id: str, session: str | None = None) -> pl.DataFrame:
    """Messages of race control during an event's sessions, in order of time."""
    return reader.query(
        """
        select * from race_control
        where event_id = $event_id and ($session is null or session = $session)
        order by known_at, session, message_number
        """,
        {"event_id": event_id, "session": session},
    )


def session_loads(reader: Reader, event_id: str | None = None) -> pl.DataFrame:
    """Sessions that were loaded, newest session first; all events without ``event_id``."""
    return reader.query(
        """
        select * from session_loads
        where $event_id is null or event_id = $event_id
        order by known_at desc, event_id, session
        """,
        {"event_id": event_id},
    )


def sessions_with_results(reader: Reader, event_id: str) -> set[str]:
    """Sessions of an event of which the warehouse has a result."""
    rows = reader.query(
        """
        select session from practice_results where event_id = $event_id
        union
        select session from qualifying_results where event_id = $event_id
        union
        select session from race_results where event_id = $event_id
        """,
        {"event_id": event_id},
    )
    return set(rows["session"].to_list())
