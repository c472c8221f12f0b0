"""Where the data stand against the calendar: what comes next, what has been raced since, whether the season is over."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import polars as pl

from warehouse.vocab import EventStatus

Event = dict[str, Any]


@dataclass(frozen=True)
class Outlook:
    """The calendar as seen at one instant. Events are rows of :func:`warehouse.queries.events.calendar`.

    Attributes:
        coming: Events whose race is not over, in order; the first is the next one.
        missing: Events that should have been raced, but have no result here, in order.
        last_known: The newest event with a result, None when there is none.
        count_rounds: Rounds of the season of the next event, or of the last known one.
    """

    coming: list[Event]
    missing: list[Event]
    last_known: Event | None
    count_rounds: int

    @property
    def next(self) -> Event | None:
        """The next event, None when the calendar holds none."""
        return self.coming[0] if self.coming else None

    @property
    def is_season_over(self) -> bool:
        """Whether nothing is left in the calendar."""
        return not self.coming


def outlook(calendar: pl.DataFrame, now: dt.datetime) -> Outlook:
    """Reads the calendar at an instant.

    Args:
        calendar: All events, as in :func:`warehouse.queries.events.calendar`.
        now: The clock's instant (aware).
    """
    over = pl.col("result_known_at") <= now
    coming = calendar.filter(~over & (pl.col("status") != EventStatus.CANCELLED)).to_dicts()
    missing = calendar.filter(over & (pl.col("status") == EventStatus.SCHEDULED)).to_dicts()
    held = calendar.filter(over & (pl.col("status") == EventStatus.HELD)).tail(1).to_dicts()
    last_known = held[0] if held else None
    shown = coming[0] if coming else last_known
    season = calendar.filter(pl.col("season") == shown["season"]) if shown else calendar.clear()
    return Outlook(coming, missing, last_known, max(season["round"].to_list(), default=0))


def neighbours(events: pl.DataFrame, event_id: str, count: int = 3) -> tuple[list[Event], list[Event]]:
    """The events before and after one, nearest last and nearest first.

    Args:
        events: Events in order of time.
        event_id: One of them, or another: then both lists are empty.
        count: How many on either side.
    """
    ids = events["event_id"].to_list()
    if event_id not in ids:
        return [], []
    at = ids.index(event_id)
    return events[max(0, at - count) : at].to_dicts(), events[at + 1 : at + 1 + count].to_dicts()


def time_between(earlier: dt.datetime, later: dt.datetime) -> str:
    """A span as people say it, in at most two units: ``2 days 4 h``, ``35 min``."""
    minutes = max(0, int((later - earlier).total_seconds() // 60))
    days, hours, rest = minutes // 1440, minutes % 1440 // 60, minutes % 60
    if days >= 14:
        return f"{days} days"
    if days:
        return f"{days} day{'s' if days > 1 else ''} {hours} h"
    return f"{hours} h {rest} min" if hours else f"{rest} min"
