"""Reads of results: official classifications, and what race times are learned from."""

from __future__ import annotations

import datetime as dt

import polars as pl

from warehouse.reader import Reader


def race_result_lines(reader: Reader, from_season: int = 1950) -> pl.DataFrame:
    """All lines of race results from a season on, oldest first: the ``race_results`` table without sprints."""
    return reader.query(
        "select * from race_results where session = 'race' and season >= $season order by known_at, event_id, display_order",
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
