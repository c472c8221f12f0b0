"""Reads of drivers and constructors."""

from __future__ import annotations

import polars as pl

from warehouse.reader import Reader


def driver_names(reader: Reader) -> pl.DataFrame:
    """Names of all drivers: ``driver_id, driver_name, last_name, driver_code``."""
    return reader.query("select driver_id, driver_name, last_name, driver_code from drivers")


def constructor_names(reader: Reader) -> pl.DataFrame:
    """Names of all constructors: ``constructor_id, constructor_name``."""
    return reader.query("select constructor_id, constructor_name from constructors")


def season_people(reader: Reader, season: int) -> pl.DataFrame:
    """Everybody entered in a season or seen in one of its sessions, test drivers included.

    Returns:
        ``driver_id, driver_name, first_name, last_name, driver_code, constructor_id`` (of the entry, or of the session).
    """
    return reader.query(
        """
        with seen as (
            select driver_id, constructor_id from entries where season = $season
            union
            select driver_id, constructor_id from practice_results where season = $season
            union
            select driver_id, constructor_id from race_results where season = $season
        )
        select driver_id, driver_name, first_name, last_name, driver_code, constructor_id
        from drivers inner join seen using (driver_id)
        order by driver_id, constructor_id
        """,
        {"season": season},
    )


def season_cars(reader: Reader, season: int) -> pl.DataFrame:
    """Who drove which car number for whom in each event of a season, in order of time.

    Returns:
        ``event_id, car_number, driver_id, constructor_id``.
    """
    return reader.query(
        """
        with seen as (
            select event_id, car_number, driver_id, constructor_id, known_at from practice_results where season = $season
            union all
            select event_id, car_number, driver_id, constructor_id, known_at from qualifying_results where season = $season
            union all
            select event_id, car_number, driver_id, constructor_id, known_at from race_results where season = $season
        )
        select event_id, car_number, driver_id, constructor_id
        from seen group by all
        order by min(known_at), event_id, car_number, driver_id
        """,
        {"season": season},
    )
