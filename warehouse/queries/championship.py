"""Reads of the championship: title odds after every round, final positions, and what they were made from."""

from __future__ import annotations

import datetime as dt

import polars as pl

from warehouse.reader import Reader


def odds_seasons(reader: Reader) -> list[int]:
    """Seasons with title odds, newest first."""
    return reader.query("select distinct season from championship_odds order by season desc")[
        "season"
    ].to_list()


def title_odds(
    reader: Reader, season: int, championship: str, until: dt.datetime | None = None
) -> pl.DataFrame:
    """Title odds of a season after each of its rounds, in order of time and then of the championship.

    Args:
        reader: The warehouse.
        season: The season.
        championship: ``drivers`` or ``constructors``.
        until: Leave out rounds known after this instant; None for all.

    Returns:
        The ``championship_odds`` table plus ``grand_prix_name``, ``full_name`` (of the grand prix), ``race_date``, ``name``
        (as people say it), ``label`` (short) and ``constructor_name`` (the driver's, missing without a car).
    """
    return reader.query(
        """
        select
            odds.*,
            events.grand_prix_name,
            grands_prix.full_name,
            events.race_date,
            coalesce(drivers.driver_name, own.constructor_name, odds.entity_id) as name,
            coalesce(drivers.last_name, own.constructor_name, odds.entity_id) as label,
            cars.constructor_name
        from championship_odds as odds
        inner join events using (event_id)
        inner join grands_prix on grands_prix.grand_prix_id = events.grand_prix_id
        left join drivers on odds.championship = 'drivers' and drivers.driver_id = odds.entity_id
        left join constructors as own on odds.championship = 'constructors' and own.constructor_id = odds.entity_id
        left join constructors as cars on odds.championship = 'drivers' and cars.constructor_id = odds.constructor_id
        where
            odds.season = $season and odds.championship = $championship
            and ($until::timestamptz is null or odds.known_at <= $until)
        order by odds.known_at, odds.event_id, odds.position, odds.entity_id
        """,
        {"season": season, "championship": championship, "until": until},
    )


def final_positions(reader: Reader, event_id: str, championship: str) -> pl.DataFrame:
    """Distribution of final positions as it stood after an event: ``entity_id, position, probability``."""
    return reader.query(
        """
        select entity_id, position, probability
        from championship_positions
        where event_id = $event_id and championship = $championship
        order by entity_id, position
        """,
        {"event_id": event_id, "championship": championship},
    )


def stored_rounds(reader: Reader, season: int) -> pl.DataFrame:
    """Rounds of a season with odds: ``event_id, made_from, is_backtest``."""
    return reader.query(
        """
        select event_id, any_value(made_from) as made_from, bool_and(is_backtest) as is_backtest
        from championship_odds
        where season = $season
        group by event_id
        order by event_id
        """,
        {"season": season},
    )


def season_odds(reader: Reader, season: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The two championship tables of a season as they are stored."""
    odds, positions = (
        reader.query(f'select * from "{table}" where season = $season', {"season": season})
        for table in ("championship_odds", "championship_positions")
    )
    return odds, positions


def standings_in_order(reader: Reader, championship: str) -> pl.DataFrame:
    """The official tables of all rounds, in order: ``season, event_id, display_order, entity_id, points``."""
    table, name = {
        "drivers": ("driver_standings", "driver_id"),
        "constructors": ("constructor_standings", "constructor_id"),
    }[championship]
    return reader.query(
        f"""
        select standings.season, event_id, display_order, standings.{name} as entity_id, points
        from {table} as standings
        inner join sessions using (event_id)
        where sessions.session = 'race'
        order by standings.season, sessions.starts_at, event_id, display_order
        """
    )
