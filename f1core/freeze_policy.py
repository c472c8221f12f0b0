"""When the official record of an event is due: the stage that counts, and the instant by which it should be sealed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from enum import StrEnum

from warehouse.stages import cutoff
from warehouse.vocab import SessionKind, Stage, Target

TARGET_SESSION = {
    Target.RACE: SessionKind.RACE,
    Target.SPRINT: SessionKind.SPRINT,
    Target.QUALIFYING: SessionKind.QUALIFYING,
}
"""The session that a target forecasts: once it has begun, nothing can be sealed."""


class FreezePolicy(StrEnum):
    """Which stage is the official one (``PREDICTION_FREEZE_POLICY``)."""

    POST_QUALIFYING = "post_qualifying"
    """What was known when qualifying had ended."""
    T_MINUS = "t-minus"
    """The latest stage that was known some minutes before the start."""


class SealState(StrEnum):
    """How the official record of an event and target stands."""

    SEALED = "sealed"
    DUE = "due"
    """Not due yet."""
    OVERDUE = "overdue"
    """Due, not sealed, and the session has not begun: it can still be sealed."""
    MISSED = "missed"
    """The session began without it: it is never sealed late."""
    CANCELLED = "cancelled"
    UNSCHEDULED = "unscheduled"
    """The calendar has no such session."""


def session_start(target: Target, starts: Mapping[str, dt.datetime]) -> dt.datetime | None:
    """Start of the session a target forecasts; None when the calendar has none."""
    return starts.get(TARGET_SESSION[target].value)


def due_at(
    policy: FreezePolicy, minutes: int, target: Target, starts: Mapping[str, dt.datetime]
) -> dt.datetime | None:
    """The instant by which the official record should be sealed.

    Args:
        policy: Which stage is official.
        minutes: Minutes before the start, for ``t-minus`` and for targets that no qualifying leads up to.
        target: What is forecast.
        starts: Start of every session of the event (UTC), by session.

    Returns:
        With ``post_qualifying`` the end of that stage (the race only); else some minutes before the session's start. None
        when the calendar has no such session.
    """
    start = session_start(target, starts)
    if start is None:
        return None
    before = start - dt.timedelta(minutes=minutes)
    if policy is FreezePolicy.POST_QUALIFYING and target is Target.RACE and SessionKind.QUALIFYING in starts:
        return min(cutoff("", starts, Stage.POST_QUALIFYING), start)
    return before


def seal_state(
    policy: FreezePolicy,
    sealed: Collection[Stage],
    *,
    due: dt.datetime | None,
    start: dt.datetime | None,
    now: dt.datetime,
    is_cancelled: bool = False,
) -> SealState:
    """How the official record stands.

    Args:
        policy: Which stage is official.
        sealed: Stages that are sealed.
        due: As in :func:`due_at`.
        start: Start of the session that is forecast.
        now: The present instant.
        is_cancelled: Whether the event is cancelled.

    Returns:
        ``sealed`` as soon as the official stage or a later one is; with ``t-minus`` any stage counts once the time is up.
    """
    official = {Stage.POST_QUALIFYING, Stage.PRE_RACE}
    if policy is FreezePolicy.T_MINUS:
        official = set(Stage) if due is not None and now >= due else {Stage.PRE_RACE}
    if official & set(sealed):
        return SealState.SEALED
    if is_cancelled:
        return SealState.CANCELLED
    if start is None or due is None:
        return SealState.UNSCHEDULED
    if now >= start:
        return SealState.MISSED
    return SealState.OVERDUE if now >= due else SealState.DUE
