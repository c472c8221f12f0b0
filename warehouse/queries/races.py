"""Reads of races as a whole: how they went, and what earlier ones at the same place were like."""

from __future__ import annotations

import datetime as dt

import polars as pl

from warehouse.reader import Reader


def previous_runnings(
    reader: Reader, event_id: str, until: dt.datetime | None = None, limit: int = 10
) -> pl.DataFrame:
    """Earlier races at an event's circuit, the newest first.

    Args:
        reader: The warehouse.
        event_id: The event.
        until: Races known later are left out; None for all.
        limit: Most rows.

    Returns:
        ``event_id, season, grand_prix_name, race_date, winner_id, winner_name, constructor_name, winner_grid`` (missing
        from the pit lane), ``pole_name, count_starters, count_classified, is_wet`` (missing before 2018),
        ``count_safety_cars, count_red_flags``.
    """
    return reader.query(
        """
        with here as (
            select events.circuit_id, sessions.starts_at
            from events
            inner join sessions on sessions.event_id = events.event_id and sessions.session = 'race'
            where events.event_id = $event
        )

        select
            events.event_id,
            events.season,
            events.grand_prix_name,
            events.race_date,
            winner.driver_id as winner_id,
            drivers.driver_name as winner_name,
            constructors.constructor_name,
            own.position as winner_grid,
            first_names.driver_name as pole_name,
            summaries.count_starters,
            summaries.count_classified,
            summaries.is_wet,
            summaries.count_safety_cars,
            summaries.count_red_flags
        from events
        inner join here on here.circuit_id = events.circuit_id
        inner join sessions on sessions.event_id = events.event_id and sessions.session = 'race'
        inner join session_summaries as summaries
            on summaries.event_id = events.event_id and summaries.session = 'race'
        inner join race_results as winner
            on winner.event_id = events.event_id and winner.session = 'race'
                and winner.driver_id = summaries.winner_driver_id
        inner join drivers on drivers.driver_id = winner.driver_id
        inner join constructors on constructors.constructor_id = winner.constructor_id
        left join starting_grids as own
            on own.event_id = events.event_id and own.session = 'race' and own.driver_id = winner.driver_id
        left join starting_grids as pole
            on pole.event_id = events.event_id and pole.session = 'race' and pole.position = 1
        left join drivers as first_names on first_names.driver_id = pole.driver_id
        where sessions.starts_at < here.starts_at and ($until::timestamptz is null or summaries.known_at <= $until)
        qualify row_number() over (partition by events.event_id order by winner.display_order) = 1
        order by sessions.starts_at desc
        limit $limit
        """,
        {"event": event_id, "until": until, "limit": limit},
    )


def race_summary(reader: Reader, event_id: str, session: str = "race") -> pl.DataFrame:
    """The row of ``session_summaries`` of one session; empty before it."""
    return reader.query(
        "select * from session_summaries where event_id = $event and session = $session",
        {"event": event_id, "session": session},
    )
