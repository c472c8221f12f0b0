"""A season's calendar as a page shows it: the state of every event, its sessions, and the same as a calendar file."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any

import polars as pl

from f1core.circuit_time import circuit_zone
from f1core.ics import Entry, calendar_file, session_uid
from warehouse.vocab import EventStatus, SessionKind


class EventState(StrEnum):
    """Where an event stands at an instant."""

    RACED = "raced"
    MISSING = "missing"
    RUNNING = "running"
    NEXT = "next"
    COMING = "coming"
    CANCELLED = "cancelled"

    @property
    def words(self) -> str:
        """What people read."""
        return {
            "raced": "Raced",
            "missing": "Raced, not in the data",
            "running": "Under way",
            "next": "Next",
            "coming": "To come",
            "cancelled": "Cancelled",
        }[self.value]


def season_events(calendar: pl.DataFrame, sessions: pl.DataFrame, now: dt.datetime) -> pl.DataFrame:
    """Events with their state.

    Args:
        calendar: Events of one season, as in :func:`warehouse.queries.events.calendar`.
        sessions: As in :func:`warehouse.queries.events.season_sessions`.
        now: The clock's instant. Results that became known later count as not known.

    Returns:
        The calendar plus ``state`` (an :class:`EventState`), ``first_at`` and ``count_sessions``, in order of time. At most
        one event is ``next`` or ``running``: the first whose race is not over.
    """
    first = sessions.group_by("event_id").agg(
        first_at=pl.col("starts_at").min(), count_sessions=pl.len().cast(pl.Int32)
    )
    rows = calendar.join(first, on="event_id", how="left", maintain_order="left")
    over, cancelled = pl.col("result_known_at") <= now, pl.col("status") == EventStatus.CANCELLED
    waiting = ~over & ~cancelled
    state = (
        pl.when(cancelled)
        .then(pl.lit(EventState.CANCELLED.value))
        .when(over & (pl.col("status") == EventStatus.HELD))
        .then(pl.lit(EventState.RACED.value))
        .when(over)
        .then(pl.lit(EventState.MISSING.value))
        .when(waiting.cum_sum() > 1)
        .then(pl.lit(EventState.COMING.value))
        .when(pl.coalesce("first_at", "race_starts_at") <= now)
        .then(pl.lit(EventState.RUNNING.value))
        .otherwise(pl.lit(EventState.NEXT.value))
    )
    return rows.with_columns(state=state)


def session_rows(events: pl.DataFrame, sessions: pl.DataFrame) -> pl.DataFrame:
    """One row per session of some events, in order of time, as people take them away.

    Args:
        events: As in :func:`season_events`.
        sessions: As in :func:`warehouse.queries.events.season_sessions`.

    Returns:
        ``season, round, event_id, grand_prix, circuit, place, country, session, state, starts_at`` and ``ends_at`` [UTC]
        (the end by the usual length), ``circuit_time_zone`` (null where it is not known), ``is_time_estimated``.
    """
    head = events.select(
        "event_id",
        "season",
        "round",
        "state",
        "circuit_id",
        grand_prix="full_name",
        circuit="circuit_name",
        place="place_name",
        country="country_name",
    )
    return (
        sessions.join(head, on="event_id", how="inner", maintain_order="left")
        .with_columns(
            circuit_time_zone=pl.col("circuit_id").map_elements(_zone_name, return_dtype=pl.String),
        )
        .select(
            "season",
            "round",
            "event_id",
            "grand_prix",
            "circuit",
            "place",
            "country",
            "session",
            "state",
            "starts_at",
            pl.col("known_at").alias("ends_at"),
            "circuit_time_zone",
            "is_time_estimated",
        )
    )


def season_file(season: int, rows: pl.DataFrame, stamp: dt.datetime, *, only_coming: bool = False) -> bytes:
    """The sessions as a calendar file.

    Args:
        season: The season.
        rows: As in :func:`session_rows`.
        stamp: When the facts were published.
        only_coming: Leave out what has been raced.
    """
    done = (EventState.RACED.value, EventState.MISSING.value)
    shown = rows.filter(~pl.col("state").is_in(done)) if only_coming else rows
    return calendar_file(
        f"Formula 1 {season} (unofficial)", [_entry(row) for row in shown.iter_rows(named=True)], stamp
    )


def _entry(row: dict[str, Any]) -> Entry:
    kind = SessionKind(row["session"])
    place = ", ".join(dict.fromkeys((row["circuit"], row["place"], row["country"])))
    words = [f"Round {row['round']} of {row['season']}."]
    if row["is_time_estimated"]:
        words.append("Only the day is known.")
    if row["state"] == EventState.CANCELLED:
        words.append("Cancelled.")
    zone = circuit_zone_of(row)
    if zone and not row["is_time_estimated"]:
        words.append(f"At the circuit: {row['starts_at'].astimezone(zone):%a %d %b %H:%M} ({zone.key}).")
    return Entry(
        session_uid(row["event_id"], row["session"]),
        row["starts_at"],
        max(row["ends_at"], row["starts_at"]),
        f"{row['grand_prix']}: {kind.label}",
        place,
        "\n".join([*words, "Unofficial."]),
        is_day_only=row["is_time_estimated"],
        is_tentative=row["is_time_estimated"],
        is_cancelled=row["state"] == EventState.CANCELLED,
    )


def circuit_zone_of(row: dict[str, Any]) -> Any:
    """The time zone of a row of :func:`session_rows`; None where it is not known."""
    from zoneinfo import ZoneInfo

    return ZoneInfo(row["circuit_time_zone"]) if row["circuit_time_zone"] else None


def _zone_name(circuit_id: str) -> str | None:
    zone = circuit_zone(circuit_id)
    return zone.key if zone else None
