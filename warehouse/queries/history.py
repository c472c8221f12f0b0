"""The one gate through which history passes: nothing known at or after the cut-off gets through.

Features for a forecast are computed from a :class:`History` only. Facts are held in memory, ordered by ``known_at``;
a history is a prefix of each of them, so the gate costs a binary search.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from warehouse.reader import Reader
from warehouse.tables import TABLES

GATED_TABLES = (
    "race_results",
    "qualifying_results",
    "practice_results",
    "starting_grids",
    "driver_standings",
    "constructor_standings",
    "session_summaries",
    "ratings",
)
"""Facts that features may read, always through the gate."""

CALENDAR_COLUMNS = (
    "event_id",
    "season",
    "round",
    "grand_prix_id",
    "circuit_id",
    "race_date",
    "is_sprint",
    "course_length_km",
    "scheduled_laps",
)
"""What of the calendar is public before a weekend; whether an event was held is not among it."""

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Facts:
    """All facts that features may be made from, in memory.

    Attributes:
        tables: Gated tables by name, each ordered by ``known_at`` and key.
        calendar: Events (columns of :data:`CALENDAR_COLUMNS`), ordered by race date.
        sessions: ``event_id, session, starts_at``.
        circuits: The circuits table.
    """

    tables: Mapping[str, pl.DataFrame]
    calendar: pl.DataFrame
    sessions: pl.DataFrame
    circuits: pl.DataFrame

    @cached_property
    def known_us(self) -> dict[str, NDArray[np.int64]]:
        """``known_at`` of every gated table [µs since 1970 UTC], in its order, for the gate's binary search."""
        return {
            name: rows["known_at"].dt.epoch("us").to_numpy()
            for name, rows in self.tables.items()
            if "known_at" in rows.columns
        }

    def history(self, as_of: dt.datetime) -> History:
        """What the world knew before ``as_of``."""
        return History(self, as_of)


@dataclass(frozen=True)
class History:
    """The facts known strictly before an instant.

    Attributes:
        facts: Where they come from.
        as_of: The cut-off (UTC).
    """

    facts: Facts
    as_of: dt.datetime
    _ends: dict[str, int] = field(default_factory=dict)

    def end(self, name: str) -> int:
        """Number of rows of a table that were known: the identity of what this history sees of it."""
        if name not in self._ends:
            known = self.facts.known_us[name]
            self._ends[name] = int(np.searchsorted(known, _microseconds(self.as_of), side="left"))
        return self._ends[name]

    def table(self, name: str) -> pl.DataFrame:
        """Rows of a gated table with ``known_at < as_of``."""
        return self.facts.tables[name].head(self.end(name))

    @property
    def data_through(self) -> dt.datetime | None:
        """When the newest of all known facts became known; None when nothing was."""
        newest = [
            (int(self.facts.known_us[name][end - 1]), name, end - 1)
            for name in GATED_TABLES
            if name != "ratings" and (end := self.end(name))
        ]
        if not newest:
            return None
        _, name, row = max(newest)
        found: dt.datetime = self.facts.tables[name]["known_at"][row]
        return found


def _microseconds(instant: dt.datetime) -> int:
    return (instant - EPOCH) // dt.timedelta(microseconds=1)


def order_by_known(name: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Orders a gated table for the gate: by ``known_at``, then by key, so that equal facts give equal bytes."""
    return rows.sort(["known_at", *TABLES[name].key])


def load_facts(reader: Reader, *, from_season: int | None = None) -> Facts:
    """Loads the facts of the published snapshot.

    Args:
        reader: The warehouse.
        from_season: Leave out gated rows of earlier seasons; None loads all.
    """
    floor = from_season or 0
    tables = {
        name: order_by_known(
            name, reader.query(f'select * from "{name}" where season >= $floor', {"floor": floor})
        )
        for name in GATED_TABLES
    }
    calendar = reader.query(f"select {', '.join(CALENDAR_COLUMNS)} from events order by race_date, event_id")
    sessions = reader.query("select event_id, session, starts_at from sessions")
    return Facts(tables, calendar, sessions, reader.table("circuits"))


def history(reader: Reader, as_of: dt.datetime) -> History:
    """What the world knew before ``as_of``, from the published snapshot."""
    return load_facts(reader).history(as_of)
