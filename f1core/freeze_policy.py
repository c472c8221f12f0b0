"""When the official record of an event is due: the stage that counts, and the instant by which it should be sealed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from enum import StrEnum

from warehouse.errors import NotReady
from warehouse.stages import TARGET_SESSION, cutoff, qualifying_session
from warehouse.vocab import Stage, Target


class FreezePolicy(StrEnum):
    """Which stage is the official one (``PREDICTION_FREEZE_POLICY``)."""

    POST_QUALIFYING = "post_qualifying"
    """What was known when qualifying had ended; of qualifying itself what was known before it."""
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
        With ``post_qualifying`` the end of that stage (of the race or the sprint); else some minutes before the session's
        start. None when the calendar has no such session.
    """
    start = session_start(target, starts)
    if start is None:
        return None
    before = start - dt.timedelta(minutes=minutes)
    if (
        official_stage(policy, target) is not Stage.POST_QUALIFYING
        or qualifying_session(starts, target) not in starts
    ):
        return before
    try:
        return min(cutoff("", starts, Stage.POST_QUALIFYING, target), start)
    except NotReady:
        # A sprint whose qualifying is not in the calendar yet.
        return before


def official_stage(policy: FreezePolicy, target: Target) -> Stage | None:
    """The stage that is official by a policy; None for the latest one that is known when the record is due."""
    if policy is FreezePolicy.T_MINUS:
        return None
    return Stage.PRE_QUALIFYING if target is Target.QUALIFYING else Stage.POST_QUALIFYING


def seal_state(
    policy: FreezePolicy,
    sealed: Collection[Stage],
    *,
    due: dt.datetime | None,
    start: dt.datetime | None,
    now: dt.datetime,
    is_cancelled: bool = False,
    target: Target = Target.RACE,
) -> SealState:
    """How the official record stands.

    Args:
        policy: Which stage is official.
        sealed: Stages that are sealed.
        due: As in :func:`due_at`.
        start: Start of the session that is forecast.
        now: The present instant.
        is_cancelled: Whether the event is cancelled.
        target: What is forecast.

    Returns:
        ``sealed`` as soon as the official stage or a later one is; with ``t-minus`` any stage counts once the time is up.
    """
    last = Stage.PRE_QUALIFYING if target is Target.QUALIFYING else Stage.PRE_RACE
    official = {last, official_stage(policy, target)}
    if policy is FreezePolicy.T_MINUS and due is not None and now >= due:
        official = set(Stage)
    if official & set(sealed):
        return SealState.SEALED
    if is_cancelled:
        return SealState.CANCELLED
    if start is None or due is None:
        return SealState.UNSCHEDULED
    if now >= start:
        return SealState.MISSED
    return SealState.OVERDUE if now >= due else SealState.DUE
