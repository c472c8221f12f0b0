"""Reads of Elo rankings: who stands where after an event, and the line of a career."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import polars as pl

from warehouse.reader import Reader

EntityKind = Literal["driver", "constructor"]


def rankings(reader: Reader, entity_kind: EntityKind, event_id: str | None = None) -> pl.DataFrame:
    """The ranking after an event, first place first.

    Args:
        reader: The warehouse.
        entity_kind: Drivers or constructors.
        event_id: The event; None for the newest one raced.

    Returns:
        ``elo_rankings`` with ``name, label`` (short), ``constructor_id`` (the driver's car of the season so far; a
        constructor's own id), ``constructor_name, rank_before`` (after the race before in the season; null at its first),
        ``grand_prix_name, race_date``. Empty for an event that was not raced.
    """
    return reader.query(
        """
        with newest as (
            select coalesce($event_id, arg_max(event_id, known_at)) as event_id, max(known_at) as known_at
            from elo_rankings
        ),
        now as (
            select * from elo_rankings
            where entity_kind = $kind and event_id = (select newest.event_id from newest)
        ),
        earlier as (
            select entity_id, arg_max(rank, known_at) as rank_before
            from elo_rankings
            where entity_kind = $kind
                and season = (select max(now.season) from now) and known_at < (select max(now.known_at) from now)
            group by entity_id
        ),
        cars as (
            select driver_id, arg_max(constructor_id, known_at) as constructor_id
            from driver_race_metrics
            where is_starter
                and season = (select max(now.season) from now) and known_at <= (select max(now.known_at) from now)
            group by driver_id
        )
        select
            now.*,
            coalesce(drivers.driver_name, own.constructor_name, now.entity_id) as name,
            coalesce(drivers.last_name, own.constructor_name, now.entity_id) as label,
            coalesce(cars.constructor_id, own.constructor_id) as constructor_id,
            coalesce(teams.constructor_name, own.constructor_name) as constructor_name,
            earlier.rank_before,
            events.grand_prix_name,
            events.race_date
        from now
        inner join events using (event_id)
        left join earlier on earlier.entity_id = now.entity_id
        left join drivers on $kind = 'driver' and drivers.driver_id = now.entity_id
        left join cars on $kind = 'driver' and cars.driver_id = now.entity_id
        left join constructors as teams on teams.constructor_id = cars.constructor_id
        left join constructors as own on $kind = 'constructor' and own.constructor_id = now.entity_id
        order by now.rank, now.entity_id
        """,
        {"kind": entity_kind, "event_id": event_id},
    )


def elo_lines(
    reader: Reader,
    entity_kind: EntityKind,
    entity_ids: Sequence[str] | None = None,
    *,
    from_season: int | None = None,
    to_season: int | None = None,
) -> pl.DataFrame:
    """Elo after each race somebody took part in, oldest first: the line of a career.

    Args:
        reader: The warehouse.
        entity_kind: Drivers or constructors.
        entity_ids: Whose; None for all.
        from_season: First season; None for all.
        to_season: Last season; None for all.

    Returns:
        ``event_id, season, round, grand_prix_name, race_date, entity_id, name, elo, elo_before, change, rank,
        count_events``.
    """
    return reader.query(
        """
        select
            ranked.event_id, ranked.season, events.round, events.grand_prix_name, events.race_date, ranked.entity_id,
            coalesce(drivers.driver_name, constructors.constructor_name, ranked.entity_id) as name,
            ranked.elo, ranked.elo_before, ranked.change, ranked.rank, ranked.count_events
        from elo_rankings as ranked
        inner join events using (event_id)
        left join drivers on $kind = 'driver' and drivers.driver_id = ranked.entity_id
        left join constructors on $kind = 'constructor' and constructors.constructor_id = ranked.entity_id
        where ranked.entity_kind = $kind and ranked.is_present
            and ($ids is null or list_contains($ids, ranked.entity_id))
            and ($from_season is null or ranked.season >= $from_season)
            and ($to_season is null or ranked.season <= $to_season)
        order by ranked.known_at, ranked.event_id, ranked.entity_id
        """,
        {
            "kind": entity_kind,
            "ids": None if entity_ids is None else list(entity_ids),
            "from_season": from_season,
            "to_season": to_season,
        },
    )


def highest_elo(reader: Reader, entity_kind: EntityKind, limit: int = 20) -> pl.DataFrame:
    """The highest Elo ever reached, one row per entity: ``entity_id, name, elo, event_id, season, count_events``."""
    return reader.query(
        """
        select
            entity_id,
            any_value(coalesce(drivers.driver_name, constructors.constructor_name, entity_id)) as name,
            max(elo) as elo,
            arg_max(event_id, elo) as event_id,
            arg_max(season, elo) as season,
            max(count_events) as count_events
        from elo_rankings
        left join drivers on $kind = 'driver' and drivers.driver_id = entity_id
        left join constructors on $kind = 'constructor' and constructors.constructor_id = entity_id
        where entity_kind = $kind and is_present
        group by entity_id
        order by elo desc, entity_id
        limit $limit
        """,
        {"kind": entity_kind, "limit": limit},
    )
