"""The facts of a season as they arrived: at any instant exactly what the world knew by then, and not a row more."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from f1core.ratings import lap_paces, rate_frames
from f1core.rehearsal.corrections import Correction
from warehouse.reader import Reader
from warehouse.tables import FACT_TABLES, TABLES, Table
from warehouse.vocab import EventStatus, SessionKind

ALWAYS_PLANNED = (SessionKind.QUALIFYING, SessionKind.RACE)
"""Sessions that every calendar has; others that only results tell of are known with those."""
RATED = ("race_results", "qualifying_results")
"""What ratings are made of."""


def arriving_tables() -> tuple[Table, ...]:
    """Tables whose rows belong to a season and become known at some instant: facts and ratings."""
    return tuple(
        table
        for table in (*FACT_TABLES, TABLES["ratings"])
        if {"season", "known_at"} <= set(table.column_names)
    )


@dataclass(frozen=True)
class Arrivals:
    """The facts of one season, released as they became known.

    A row is released from the instant of its ``known_at`` on; a forecast still sees it only through the gate, which is
    strict. The calendar of the season is known from its first day, but nothing in it that only a result tells: whether
    a race was held, sessions that no schedule has, the rounds a driver was entered for.

    Attributes:
        season: The season.
        tables: Everything known of the season in the end, by table.
        before: Results and laps of the seasons before, from which ratings go on.
        corrections: What was first known otherwise.
    """

    season: int
    tables: Mapping[str, pl.DataFrame]
    before: Mapping[str, pl.DataFrame]
    corrections: tuple[Correction, ...] = ()

    @classmethod
    def of(cls, origin: Reader, season: int, corrections: Sequence[Correction] = ()) -> Arrivals:
        """The season as an installation knows it by now.

        Args:
            origin: The installation's warehouse.
            season: The season.
            corrections: What was first known otherwise.
        """
        return cls(
            season,
            {table.name: _rows(origin, table.name, "=", season) for table in arriving_tables()},
            {name: _rows(origin, name, "<", season) for name in (*RATED, "laps")} if corrections else {},
            tuple(corrections),
        )

    def at(self, now: dt.datetime) -> dict[str, pl.DataFrame]:
        """All rows of the season that were known by an instant, by table, each in its contract's columns."""
        stood = dict(self.tables)
        standing = [correction for correction in self.corrections if now < correction.until]
        for correction in standing:
            stood |= correction.before(stood)
        known = {name: rows.filter(pl.col("known_at") <= now) for name, rows in stood.items()}
        held = known["race_results"].filter(pl.col("session") == "race")["event_id"].unique()
        events = stood["events"].filter(pl.col("known_at") <= now)
        known["sessions"] = _planned(stood["sessions"], events, now)
        known["events"] = _calendar(events, known["sessions"], held.to_list())
        known["entries"] = _entered(stood["entries"], known["events"], known["race_results"])
        if any(correction.is_visible(RATED, now) for correction in standing):
            known["ratings"] = self._rated(known)
        return {name: rows.select(TABLES[name].column_names) for name, rows in known.items()}

    @cached_property
    def instants(self) -> list[dt.datetime]:
        """Every instant at which what is known changes, in order."""
        found = {
            instant
            for rows in (*self.tables.values(), *(t for c in self.corrections for t in c.tables.values()))
            for instant in rows["known_at"].unique()
        }
        return sorted(found | {correction.until for correction in self.corrections})

    def state(self, now: dt.datetime) -> str:
        """A name for what is known at an instant: the same as long as nothing arrives."""
        return f"{self.season}-{bisect_right(self.instants, now)}"

    def _rated(self, known: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
        """Ratings anew: a rating depends on no later event, but a provisional result gives provisional ones."""
        results, qualifying = (pl.concat([self.before[name], known[name]]) for name in RATED)
        return rate_frames(results, qualifying, self._paces).filter(pl.col("season") == self.season)

    @cached_property
    def _paces(self) -> pl.DataFrame:
        """Race pace of all races; laps are never corrected, and a race without a result is not rated."""
        return lap_paces(pl.concat([self.before["laps"], self.tables["laps"]]))


def _rows(origin: Reader, name: str, relation: str, season: int) -> pl.DataFrame:
    table = TABLES[name].name
    return origin.query(f'select * from "{table}" where season {relation} $season', {"season": season})  # noqa: S608


def _planned(sessions: pl.DataFrame, events: pl.DataFrame, now: dt.datetime) -> pl.DataFrame:
    """Sessions of the calendar; one of which only the result tells is known with it."""
    is_planned = (pl.col("time_source") != "estimated") | pl.col("session").is_in(ALWAYS_PLANNED)
    return sessions.join(events.select("event_id"), on="event_id", how="semi").filter(
        is_planned | (pl.col("known_at") <= now)
    )


def _calendar(events: pl.DataFrame, sessions: pl.DataFrame, held: Sequence[str]) -> pl.DataFrame:
    """The calendar with the status as it stood, and rounds counted by the start of the race as it was planned."""
    starts = sessions.filter(pl.col("session") == "race").select("event_id", "starts_at")
    status = (
        pl.when(pl.col("event_id").is_in(held))
        .then(pl.lit(EventStatus.HELD.value))
        .when(pl.col("status") == EventStatus.CANCELLED.value)
        .then(pl.col("status"))
        .otherwise(pl.lit(EventStatus.SCHEDULED.value))
    )
    return (
        events.join(starts, on="event_id", how="inner")
        .sort("starts_at", "event_id")
        .with_columns(
            status=status,
            round=pl.int_range(1, pl.len() + 1, dtype=pl.Int32),
            race_date=pl.col("starts_at").dt.date(),
        )
    )


def _entered(entries: pl.DataFrame, events: pl.DataFrame, results: pl.DataFrame) -> pl.DataFrame:
    """Entries with the rounds that were raced by then: the source fills them as the season goes."""
    held = events.filter(pl.col("status") == EventStatus.HELD.value)
    raced = held["source_round"].cast(pl.String).to_list()
    newest = results.filter(pl.col("session") == "race")["known_at"].max()
    seen = pl.col("rounds").str.split(";").list.eval(pl.element().filter(pl.element().is_in(raced)))
    return (
        entries.with_columns(
            known_at=pl.lit(newest, pl.Datetime("us", "UTC")).fill_null(
                pl.datetime(pl.col("season"), 1, 1, time_zone="UTC")
            ),
            seen=seen.list.join(";"),
        )
        .filter(pl.col("is_test_driver") | (pl.col("seen") != ""))
        .with_columns(rounds=pl.when(~pl.col("is_test_driver")).then(pl.col("seen")))
    )
