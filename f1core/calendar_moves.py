"""What has changed in the calendar between two looks at it, in words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from f1core.workspace import Workspace
from warehouse.errors import WarehouseError
from warehouse.queries.events import session_times

Times = Mapping[tuple[str, str], dt.datetime]
"""Start of every session (UTC), by event and session."""


def session_table(workspace: Workspace) -> dict[tuple[str, str], dt.datetime]:
    """The published calendar; empty while there is none."""
    try:
        rows = session_times(workspace.reader).iter_rows()
    except WarehouseError:
        return {}
    return {(event_id, session): starts_at for event_id, session, starts_at in rows}


def calendar_moves(before: Times, after: Times, now: dt.datetime) -> list[str]:
    """Sessions to come that were moved, added or dropped, in order of time.

    Args:
        before: The calendar as it was; nothing is told when it was empty.
        after: The calendar as it is.
        now: What began before this instant is left out.
    """
    if not before:
        return []
    told = []
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        at = new or old
        if old == new or at is None or max(old or at, new or at) <= now:
            continue
        name = f"{key[0]} {key[1]}"
        if old is None:
            words = f"{name} added, {at:%Y-%m-%d %H:%M} UTC"
        elif new is None:
            words = f"{name} dropped, was {old:%Y-%m-%d %H:%M} UTC"
        else:
            words = f"{name} moved from {old:%Y-%m-%d %H:%M} to {new:%Y-%m-%d %H:%M} UTC"
        told.append((at, words))
    return [words for _, words in sorted(told)]
