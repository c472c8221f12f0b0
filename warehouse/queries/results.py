"""Reads of results: official classifications, and what race times are learned from."""

from __future__ import annotations

import datetime as dt

import polars as pl

from warehouse.reader import Reader


def race_result_lines(reader: Reader, from_season: int = 1950, session: str = "race") -> pl.DataFrame:
    """All lines of race (or sprint) results from a season on, oldest first: rows of the ``race_results`` table."""
    return reader.query(
        "select * from race_results where session = $session and season >= $season "
        "order by known_at, event_id, display_order",
        {"session": session, "season": from_season},
    )


def qualifying_lines(reader: Reader, from_season: int = 1950) -> pl.DataFrame:
    """All lines of qualifyings from a season on, oldest first: ``qualifying_results`` without sprint qualifying."""
    return reader.query(
        "select * from qualifying_results where session = 'qualifying' and season >= $season "
        "order by known_at, event_id, display_order",
        {"season": from_season},
    )


def result_cars(reader: Reader) -> pl.DataFrame:
    """Every car of every race and sprint result: ``event_id, session, car_number``."""
    return reader.query("select event_id, session, car_number from race_results")


def event_result(reader: Reader, event_id: str, session: str = "race") -> pl.DataFrame:
    """Official result of an event with names; empty when there is none (yet).

    Returns:
        Lines of ``race_results`` in official order, plus ``driver_name, driver_code, constructor_name``.
    """
    return reader.query(
        """
        select results.*, drivers.driver_name, drivers.last_name, drivers.driver_code, constructors.constructor_name
        from race_results as results
        inner join drivers using (driver_id)
        inner join constructors using (constructor_id)
        where results.season = $season and results.event_id = $event_id and results.session = $session
        order by results.display_order
        """,
        {"season": int(event_id[:4]), "event_id": event_id, "session": session},
    )


def event_qualifying(reader: Reader, event_id: str) -> pl.DataFrame:
    """Official classification of an event's qualifying with names; empty when there is none (yet).

    Returns:
        Lines of ``qualifying_results`` in the order of the list, plus ``driver_name, driver_code, constructor_name`` and
        ``status`` as race results have it: classified, disqualified, or not_classified (no time, or outside 107 %).
    """
    return reader.query(
        """
        select
            results.*,
            case
                when results.position is not null then 'classified'
                when results.position_text in ('DSQ', 'EX') then 'disqualified'
                else 'not_classified'
            end as status,
            drivers.driver_name,
            drivers.last_name,
            drivers.driver_code,
            constructors.constructor_name
        from qualifying_results as results
        inner join drivers using (driver_id)
        inner join constructors using (constructor_id)
        where results.season = $season and results.event_id = $event_id and results.session = 'qualifying'
        order by results.display_order
        """,
        {"season": int(event_id[:4]), "event_id": event_id},
    )


def past_races(reader: Reader, as_of: dt.datetime) -> pl.DataFrame:
    """Races known before an instant that ran their distance without a known stop, oldest first.

    Returns:
        ``event_id, circuit_id, winner_time_s, distance_km``.
    """
    return reader.query(
        """
        select summaries.event_id, events.circuit_id, summaries.winner_time_s, summaries.distance_km
        from session_summaries as summaries
        inner join events using (event_id)
        where summaries.session = 'race' and summaries.known_at < $as_of
            and not coalesce(summaries.is_shortened, false) and coalesce(summaries.count_red_flags, 0) = 0
        order by summaries.known_at, summaries.event_id
        """,
        {"as_of": as_of},
    )


def past_gaps(reader: Reader, as_of: dt.datetime, from_season: int) -> pl.DataFrame:
    """Gaps of classified cars on the lead lap in races known before an instant: ``event_id, position, gap_s``."""
    return reader.query(
        """
        select event_id, position, gap_s
        from race_results
        where session = 'race' and status = 'classified' and gap_s is not null
            and known_at < $as_of and season >= $season
        order by known_at, event_id, position
        """,
        {"as_of": as_of, "season": from_season},
    )


def gap_circumstances(reader: Reader) -> pl.DataFrame:
    """Where each race was held and whether it ran its distance without a known stop.

    Returns:
        ``event_id, circuit_id, lap_km, is_usual``.
    """
    return reader.query(
        """
        select
            summaries.event_id,
            events.circuit_id,
            events.course_length_km as lap_km,
            not coalesce(summaries.is_shortened, false) and coalesce(summaries.count_red_flags, 0) = 0 as is_usual
        from session_summaries as summaries
        inner join events using (event_id)
        where summaries.session = 'race'
        """
    )
