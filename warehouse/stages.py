"""When each stage of a forecast ends: the instant after which nothing may be used."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from warehouse.errors import NotReady
from warehouse.vocab import PRACTICES, SessionKind, Stage, Target

PRE_RACE_LEAD = dt.timedelta(minutes=30)
"""The pre-race stage ends this long before the start; the final grid is known 60 minutes before it."""
QUALIFYING_LENGTHS = {
    SessionKind.QUALIFYING: dt.timedelta(minutes=60),
    SessionKind.SPRINT_QUALIFYING: dt.timedelta(minutes=45),
}
"""How long qualifying usually takes, as ``known_at`` has it (see docs/time.md). Sprint qualifying runs for 12, 10 and 8
minutes with two breaks of 7: 44 minutes."""
PUBLICATION_MARGIN = dt.timedelta(minutes=1)
"""Facts known exactly at the end of qualifying belong to the stage after it; the gate is strict."""

TARGET_SESSION = {
    Target.RACE: SessionKind.RACE,
    Target.SPRINT: SessionKind.SPRINT,
    Target.QUALIFYING: SessionKind.QUALIFYING,
}
"""The session that a target forecasts: once it has begun, nothing can be sealed."""


def qualifying_session(starts: Mapping[str, dt.datetime], target: Target = Target.RACE) -> SessionKind:
    """The session that sets the order in which a target's session starts.

    Args:
        starts: Start of every session of the event (UTC), by :class:`SessionKind`.
        target: What is forecast; qualifying itself is the session of its own target.

    Returns:
        Qualifying. Of a sprint it is sprint qualifying; in 2021 and 2022 there was none and Friday's qualifying set the
        sprint's grid.
    """
    if target is Target.SPRINT and SessionKind.SPRINT_QUALIFYING in starts:
        return SessionKind.SPRINT_QUALIFYING
    return SessionKind.QUALIFYING


def cutoff(
    event_id: str, starts: Mapping[str, dt.datetime], stage: Stage, target: Target = Target.RACE
) -> dt.datetime:
    """The instant before which a fact must be known to count for a forecast of this stage.

    Args:
        event_id: For messages only.
        starts: Start of every session of the event (UTC), by :class:`SessionKind`.
        stage: The stage.
        target: What is forecast. What is said below of qualifying is true of sprint qualifying where a sprint is; see
            :func:`qualifying_session`.

    Returns:
        ``pre_weekend``: start of the first session. ``pre_qualifying``: start of qualifying.
        ``post_qualifying``: a minute after qualifying has usually ended. ``pre_race``: 30 minutes before the start.

    Raises:
        NotReady: The calendar does not give the session that ends the stage, or there is no such stage of the target.
    """
    session = TARGET_SESSION[target]
    start = starts.get(session)
    named = qualifying_session(starts, target)
    qualifying = starts.get(named)
    if start is None and target is Target.SPRINT:
        raise NotReady(f"{event_id} has no sprint in the calendar.")
    if start is None or qualifying is None:
        raise NotReady(f"The calendar has no session times for {event_id} yet.")
    if target is Target.SPRINT and qualifying >= start:
        # The calendar has the sprint but not yet what sets its grid: Saturday's qualifying is the race's.
        raise NotReady(f"The calendar has no sprint qualifying for {event_id} yet.")
    if stage is Stage.PRE_WEEKEND:
        return min(starts[s] for s in (*PRACTICES, *SessionKind) if s in starts)
    if stage is Stage.PRE_QUALIFYING:
        return qualifying
    if target is Target.QUALIFYING:
        raise NotReady(f"Qualifying is not forecast at stage {stage.value}: it is over by then.")
    if stage is Stage.POST_QUALIFYING:
        return qualifying + QUALIFYING_LENGTHS[named] + PUBLICATION_MARGIN
    return start - PRE_RACE_LEAD
