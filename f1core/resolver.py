"""Finds the event people mean in the warehouse: a name, a slug, a circuit, a country, a round, ``next`` or ``last``."""

from __future__ import annotations

import polars as pl

from f1core.clock import Clock
from f1core.event_names import EventRow, find_event, normalise
from warehouse.queries.events import event_names
from warehouse.reader import Reader

__all__ = ["normalise", "resolve"]


def resolve(reader: Reader, name: str, *, year: int | None = None, clock: Clock) -> str:
    """Finds the event a name means; see :func:`f1core.event_names.find_event`.

    Args:
        reader: The warehouse.
        name: ``Abu Dhabi``, ``abu-dhabi``, ``Yas Marina``, ``Brazil``, ``24``, ``next``, ``last``, ``2025-abu-dhabi``.
        year: Season of the event; without it the clock's season.
        clock: Says what is next, last and now.

    Returns:
        The event id.

    Raises:
        UnknownEvent: Nothing answers to the name; the message suggests what does.
        AmbiguousEvent: Several events answer; the message lists them.
    """
    return find_event(_rows(event_names(reader)), name, year=year, now=clock.now())


_last: tuple[pl.DataFrame, list[EventRow]] | None = None


def _rows(names: pl.DataFrame) -> list[EventRow]:
    """A frame's rows; those of the frame that was asked last are kept."""
    global _last  # noqa: PLW0603 - one frame, replaced by the next
    kept = _last
    if kept is None or kept[0] is not names:
        kept = _last = (names, list(names.iter_rows(named=True)))
    return kept[1]
