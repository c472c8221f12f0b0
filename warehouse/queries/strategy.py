"""Reads of the strategy simulator's parameters: facts they are measured on, measurements, fits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import polars as pl

from warehouse.reader import Reader


def measurements(reader: Reader, as_of: dt.datetime | None = None) -> pl.DataFrame:
    """Rows of ``strategy_measurements`` known before an instant, in order of time, event, parameter and part.

    Args:
        reader: The warehouse.
        as_of: Only what was known strictly before it; None for all.
    """
    return reader.query(
        """
        select *
        from strategy_measurements
        where $as_of::timestamptz is null or known_at < $as_of
        order by known_at, event_id, parameter, part
        """,
        {"as_of": as_of},
    )


def strategy_parameters(reader: Reader, circuit_id: str | None = None) -> pl.DataFrame:
    """The newest fit in the table ``strategy_parameters``, of one circuit or of all, by circuit, parameter and part."""
    return reader.query(
        """
        select *
        from strategy_parameters
        where
            known_at = (select max(known_at) from strategy_parameters)
            and ($circuit_id::varchar is null or circuit_id = $circuit_id)
        order by circuit_id, parameter, part
        """,
        {"circuit_id": circuit_id},
    )


def undercuts(reader: Reader, as_of: dt.datetime | None = None) -> pl.DataFrame:
    """Rows of ``undercuts`` known before an instant, in order of time, event and lap; all of them when None."""
    return reader.query(
        """
        select *
        from undercuts
        where $as_of::timestamptz is null or known_at < $as_of
        order by known_at, event_id, lap, driver_id, rival_id
        """,
        {"as_of": as_of},
    )


def race_paces(reader: Reader) -> pl.DataFrame:
    """Rows of ``race_paces``, by event and driver."""
    return reader.query("select * from race_paces order by event_id, driver_id")


def measured_from(reader: Reader) -> dict[str, str]:
    """Fingerprint each measured event was made from."""
    rows = reader.query(
        "select event_id, any_value(made_from) as made_from from strategy_measurements group by event_id"
    )
    return dict(rows.iter_rows())


def race_facts(reader: Reader, columns: Sequence[str]) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """What races are measured on: laps, neutralisations and results of every race that has laps.

    Args:
        reader: The warehouse.
        columns: Columns of ``laps``.

    Returns:
        ``laps`` with ``known_at``, ``track_status_periods`` and ``race_results`` of races, each in the order of its key.
    """
    chosen = ", ".join(f'"{name}"' for name in columns)
    return (
        reader.query(
            f"select {chosen}, known_at from laps where session = 'race' order by event_id, car_number, lap_number"
        ),
        reader.query(
            """
            select event_id, status, period, first_lap, last_lap, count_laps, known_at
            from track_status_periods
            where session = 'race'
            order by event_id, status, period
            """
        ),
        reader.query(
            """
            select event_id, driver_id, car_number, is_starter, position, grid_position, is_pit_lane_start, known_at
            from race_results
            where session = 'race' and event_id in (select event_id from laps where session = 'race')
            order by event_id, driver_id, car_number
            """
        ),
    )


def circuits_of_events(reader: Reader) -> pl.DataFrame:
    """Circuit of every event: ``event_id, season, circuit_id``."""
    return reader.query("select event_id, season, circuit_id from events order by event_id")


def strategy_fits(reader: Reader) -> pl.DataFrame:
    """All fits in the table ``strategy_parameters``."""
    return reader.query(
        "select * from strategy_parameters order by known_at, version, circuit_id, parameter, part"
    )
