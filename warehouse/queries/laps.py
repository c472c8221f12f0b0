"""Reads of laps for looking at them: which sessions have any, the laps of one, neutralisations, a circuit's outline."""

from __future__ import annotations

import datetime as dt

import polars as pl

from warehouse.reader import Reader


def lap_sessions(reader: Reader, until: dt.datetime | None = None) -> pl.DataFrame:
    """Every session with laps: the lap archive's races and sprints, and sessions that were loaded.

    Args:
        reader: The warehouse.
        until: Leave out sessions known after this instant; None for all.

    Returns:
        ``event_id, season, session, origin`` (``laps`` or ``session_laps``; the lap archive goes first), ``count_laps,
        count_telemetry_laps, known_at``, with ``round, grand_prix_name, full_name, circuit_id, race_date`` of the event, by
        time.
    """
    return reader.query(
        """
        with found as (
            select event_id, session, 'laps' as origin, count(*) as count_laps, max(known_at) as known_at
            from laps group by all
            union all
            select event_id, session, 'session_laps' as origin, count(*) as count_laps, max(known_at) as known_at
            from session_laps group by all
        ),
        kept as (
            select * from found
            qualify row_number() over (partition by event_id, session order by origin) = 1
        ),
        sampled as (
            select event_id, session, count(distinct (car_number, lap_number)) as count_telemetry_laps
            from telemetry group by all
        )
        select
            kept.event_id,
            events.season,
            kept.session,
            kept.origin,
            kept.count_laps::integer as count_laps,
            coalesce(sampled.count_telemetry_laps, 0)::integer as count_telemetry_laps,
            kept.known_at,
            events.round,
            events.grand_prix_name,
            grands_prix.full_name,
            events.circuit_id,
            events.race_date
        from kept
        inner join events using (event_id)
        inner join grands_prix using (grand_prix_id)
        left join sampled using (event_id, session)
        where $until::timestamptz is null or kept.known_at <= $until
        order by kept.known_at, kept.event_id, kept.session
        """,
        {"until": until},
    )


def race_laps(reader: Reader, event_id: str, session: str) -> pl.DataFrame:
    """Laps of a race or sprint of the lap archive, with names.

    Returns:
        Rows of ``laps`` plus ``driver_name, last_name, constructor_name``, by car and lap; laps driven after the one the
        result was taken at are left out.
    """
    return reader.query(
        """
        select laps.*, drivers.driver_name, drivers.last_name, constructors.constructor_name
        from laps
        inner join drivers using (driver_id)
        inner join constructors using (constructor_id)
        where laps.season = $season and laps.event_id = $event_id and laps.session = $session
            and not laps.is_after_result
        order by try_cast(laps.car_number as integer), laps.car_number, laps.lap_number
        """,
        {"season": int(event_id[:4]), "event_id": event_id, "session": session},
    )


def loaded_laps(reader: Reader, event_id: str, session: str) -> pl.DataFrame:
    """Laps of a session that was loaded, with names where the car's driver is known.

    Returns:
        Rows of ``session_laps`` plus ``driver_name, last_name, constructor_name``, by car and lap.
    """
    return reader.query(
        """
        select session_laps.*, drivers.driver_name, drivers.last_name, constructors.constructor_name
        from session_laps
        left join drivers using (driver_id)
        left join constructors using (constructor_id)
        where session_laps.season = $season and session_laps.event_id = $event_id
            and session_laps.session = $session
        order by try_cast(session_laps.car_number as integer), session_laps.car_number, session_laps.lap_number
        """,
        {"season": int(event_id[:4]), "event_id": event_id, "session": session},
    )


def neutralisations(reader: Reader, event_id: str, session: str) -> pl.DataFrame:
    """Safety cars, virtual safety cars and red flags of a race or sprint: ``status, period, first_lap, last_lap``."""
    return reader.query(
        """
        select status, period, first_lap, last_lap
        from track_status_periods
        where season = $season and event_id = $event_id and session = $session
        order by first_lap, status, period
        """,
        {"season": int(event_id[:4]), "event_id": event_id, "session": session},
    )


def outline_laps(reader: Reader, circuit_id: str, until: dt.datetime | None = None) -> pl.DataFrame:
    """Laps whose positions were recorded at a circuit, newest session first and fastest lap first in it.

    Returns:
        ``event_id, season, session, car_number, lap_number, lap_time_s, driver_name, count_places, known_at``.
    """
    return reader.query(
        """
        with placed as (
            select telemetry.event_id, session, car_number, lap_number, count(x_m) as count_places
            from telemetry
            inner join events using (event_id)
            where events.circuit_id = $circuit_id
            group by all
        )
        select
            placed.event_id,
            laps.season,
            placed.session,
            placed.car_number,
            placed.lap_number,
            laps.lap_time_s,
            drivers.driver_name,
            placed.count_places,
            laps.known_at
        from placed
        inner join session_laps as laps using (event_id, session, car_number, lap_number)
        left join drivers using (driver_id)
        where laps.lap_time_s is not null and placed.count_places > 0
            and ($until::timestamptz is null or laps.known_at <= $until)
        order by laps.known_at desc, placed.session, laps.lap_time_s, placed.car_number, placed.lap_number
        """,
        {"circuit_id": circuit_id, "until": until},
    )
