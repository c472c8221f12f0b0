"""Reads about the warehouse itself: what it holds, and up to when."""

from __future__ import annotations

import datetime as dt

import polars as pl

from warehouse.reader import Reader
from warehouse.tables import ALL_TABLES


def table_sizes(reader: Reader) -> pl.DataFrame:
    """Rows and newest known fact of every table: ``table, group, rows, known_through``."""
    parts = []
    for table in ALL_TABLES:
        newest = "max(known_at)" if "known_at" in table.column_names else "null::timestamptz"
        parts.append(
            f"select '{table.name}' as \"table\", '{table.group}' as \"group\", "
            f'count(*) as rows, {newest} as known_through from "{table.name}"'
        )
    return reader.query(" union all ".join(parts))


def missing_results(reader: Reader, now: dt.datetime) -> pl.DataFrame:
    """Events that should have been raced by now but have no result here.

    Returns:
        ``event_id, season, round, grand_prix_name, race_starts_at``, oldest first.
    """
    return reader.query(
        """
        select events.event_id, events.season, events.round, events.grand_prix_name, sessions.starts_at as race_starts_at
        from events
        inner join sessions on sessions.event_id = events.event_id and sessions.session = 'race'
        where sessions.known_at <= $now and events.status = 'scheduled'
        order by sessions.starts_at
        """,
        {"now": now},
    )
