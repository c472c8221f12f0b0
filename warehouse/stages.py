"""When each stage of a forecast ends: the instant after which nothing may be used."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from warehouse.errors import NotReady
from warehouse.vocab import PRACTICES, SessionKind, Stage

PRE_RACE_LEAD = dt.timedelta(minutes=30)
"""The pre-race stage ends this long before the start; the final grid is known 60 minutes before it."""
QUALIFYING_LENGTH = dt.timedelta(minutes=60)
PUBLICATION_MARGIN = dt.timedelta(minutes=1)
"""Facts known exactly at the end of qualifying belong to the stage after it; the gate is strict."""


def cutoff(event_id: str, starts: Mapping[str, dt.datetime], stage: Stage) -> dt.datetime:
    """The instant before which a fact must be known to count for a race forecast of this stage.

    Args:
        event_id: For messages only.
        starts: Start of every session of the event (UTC), by :class:`SessionKind`.
        stage: The stage.

    Returns:
        ``pre_weekend``: start of the first session. ``pre_qualifying``: start of qualifying.
        ``post_qualifying``: a minute after qualifying has usually ended. ``pre_race``: 30 minutes before the start.

    Raises:
        NotReady: The calendar does not give the session that ends the stage.
    """
    race = starts.get(SessionKind.RACE)
    qualifying = starts.get(SessionKind.QUALIFYING)
    if race is None or qualifying is None:
        raise NotReady(f"The calendar has no session times for {event_id} yet.")
    if stage is Stage.PRE_WEEKEND:
        return min(starts[s] for s in (*PRACTICES, *SessionKind) if s in starts)
    if stage is Stage.PRE_QUALIFYING:
        return qualifying
    if stage is Stage.POST_QUALIFYING:
        return qualifying + QUALIFYING_LENGTH + PUBLICATION_MARGIN
    return race - PRE_RACE_LEAD
