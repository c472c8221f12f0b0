"""The calendar as the agenda needs it: events, when their sessions are, and what that does not say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from f1core.targets import RULES, has_target
from warehouse.vocab import EventStatus, SessionKind, Target


@dataclass(frozen=True)
class AgendaEvent:
    """An event as the agenda needs it.

    Attributes:
        event_id: The event.
        name: What people call it, with the season.
        status: Held, scheduled or cancelled.
        starts: Start of every session (UTC).
        known: When the result of every session is known (UTC).
        is_time_estimated: Whether only the day of the race is known.
        estimated: Sessions of which only the day is known.
    """

    event_id: str
    name: str
    status: EventStatus
    starts: Mapping[SessionKind, dt.datetime]
    known: Mapping[SessionKind, dt.datetime]
    is_time_estimated: bool = False
    estimated: frozenset[SessionKind] = frozenset()

    @property
    def is_plannable(self) -> bool:
        """Whether it takes place, and when is known."""
        return (
            self.status is not EventStatus.CANCELLED
            and SessionKind.RACE in self.starts
            and not self.is_time_estimated
        )

    @property
    def starts_by_name(self) -> dict[str, dt.datetime]:
        """Start of every session, by the session's name."""
        return {kind.value: at for kind, at in self.starts.items()}

    def has(self, target: Target) -> bool:
        """Whether the event has a target, as far as the calendar says when its sessions are; the race always."""
        return target is Target.RACE or has_target(self.starts_by_name, target)

    def has_seal(self, target: Target) -> bool:
        """Whether forecasts of a target are sealed: it must be known, and not only estimated, when its session begins."""
        return self.has(target) and RULES[target].session not in self.estimated

    @property
    def first_start(self) -> dt.datetime:
        """Start of the first session."""
        return min(self.starts.values())


def agenda_events(calendar: pl.DataFrame, sessions: pl.DataFrame) -> list[AgendaEvent]:
    """Events in order of their races.

    Args:
        calendar: Rows of :func:`warehouse.queries.events.calendar`.
        sessions: Rows of the ``sessions`` table.
    """
    starts: dict[str, dict[SessionKind, dt.datetime]] = {}
    known: dict[str, dict[SessionKind, dt.datetime]] = {}
    estimated: dict[str, set[SessionKind]] = {}
    for event_id, session, start, end, is_estimated in sessions.select(
        "event_id", "session", "starts_at", "known_at", "is_time_estimated"
    ).iter_rows():
        starts.setdefault(event_id, {})[SessionKind(session)] = start
        known.setdefault(event_id, {})[SessionKind(session)] = end
        if is_estimated:
            estimated.setdefault(event_id, set()).add(SessionKind(session))
    return [
        AgendaEvent(
            row["event_id"],
            f"{row['grand_prix_name']} {row['season']}",
            EventStatus(row["status"]),
            starts.get(row["event_id"], {}),
            known.get(row["event_id"], {}),
            bool(row["is_time_estimated"]),
            frozenset(estimated.get(row["event_id"], ())),
        )
        for row in calendar.sort("race_starts_at", "event_id").iter_rows(named=True)
    ]


def without_times(events: Iterable[AgendaEvent], now: dt.datetime) -> list[str]:
    """What cannot be planned of events to come, because the calendar does not say when sessions are.

    Returns:
        Events of which nothing is planned, and, like ``2026-vale (seal of qualifying)``, single seals: nothing is sealed
        before a start that is an estimate.
    """
    found = []
    for event in events:
        if event.status is not EventStatus.SCHEDULED:
            continue
        if not event.is_plannable:
            if not event.known or max(event.known.values()) > now:
                found.append(event.event_id)
            continue
        found += [
            f"{event.event_id} (seal of {target.value})"
            for target, rules in RULES.items()
            if event.has(target) and not event.has_seal(target) and event.known[rules.session] > now
        ]
    return found
