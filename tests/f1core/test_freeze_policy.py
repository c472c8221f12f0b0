"""When the official record is due, and how it stands."""

from __future__ import annotations

import datetime as dt

import pytest

from f1core.freeze_policy import FreezePolicy, SealState, due_at, seal_state, session_start
from warehouse.vocab import Stage, Target

QUALIFYING = dt.datetime(2026, 11, 21, 4, tzinfo=dt.UTC)
RACE = dt.datetime(2026, 11, 22, 4, tzinfo=dt.UTC)
SPRINT = dt.datetime(2026, 11, 21, 0, tzinfo=dt.UTC)
SPRINT_QUALIFYING = SPRINT - dt.timedelta(hours=19, minutes=30)
STARTS = {
    "sprint_qualifying": SPRINT_QUALIFYING,
    "sprint": SPRINT,
    "qualifying": QUALIFYING,
    "race": RACE,
}
MINUTE = dt.timedelta(minutes=1)
AFTER_QUALIFYING, T_MINUS = FreezePolicy.POST_QUALIFYING, FreezePolicy.T_MINUS


@pytest.mark.parametrize(
    ("policy", "target", "starts", "due"),
    [
        (AFTER_QUALIFYING, Target.RACE, STARTS, QUALIFYING + 61 * MINUTE),
        (AFTER_QUALIFYING, Target.RACE, {"race": RACE}, RACE - 45 * MINUTE),
        (AFTER_QUALIFYING, Target.RACE, {"qualifying": RACE, "race": RACE}, RACE),
        (AFTER_QUALIFYING, Target.SPRINT, STARTS, SPRINT_QUALIFYING + 46 * MINUTE),
        # 2021 and 2022: Friday's qualifying set the sprint's grid.
        (
            AFTER_QUALIFYING,
            Target.SPRINT,
            {"qualifying": SPRINT_QUALIFYING, "sprint": SPRINT, "race": RACE},
            SPRINT_QUALIFYING + 61 * MINUTE,
        ),
        # A calendar that lacks sprint qualifying: what is held on the day after the sprint did not set its grid.
        (
            AFTER_QUALIFYING,
            Target.SPRINT,
            {"sprint": SPRINT, "qualifying": QUALIFYING, "race": RACE},
            SPRINT - 45 * MINUTE,
        ),
        (T_MINUS, Target.SPRINT, STARTS, SPRINT - 45 * MINUTE),
        (AFTER_QUALIFYING, Target.QUALIFYING, STARTS, QUALIFYING - 45 * MINUTE),
        (T_MINUS, Target.RACE, STARTS, RACE - 45 * MINUTE),
        (T_MINUS, Target.SPRINT, {"race": RACE}, None),
        (AFTER_QUALIFYING, Target.RACE, {}, None),
    ],
)
def test_when_it_is_due(
    policy: FreezePolicy, target: Target, starts: dict[str, dt.datetime], due: dt.datetime | None
) -> None:
    assert due_at(policy, 45, target, starts) == due
    start = session_start(target, starts)
    assert due is None or (start is not None and due <= start)


@pytest.mark.parametrize(
    ("policy", "sealed", "when", "state"),
    [
        (AFTER_QUALIFYING, [], -1, SealState.DUE),
        (AFTER_QUALIFYING, [Stage.PRE_WEEKEND], -1, SealState.DUE),
        (AFTER_QUALIFYING, [], 0, SealState.OVERDUE),
        (AFTER_QUALIFYING, [Stage.PRE_QUALIFYING], 0, SealState.OVERDUE),
        (AFTER_QUALIFYING, [Stage.POST_QUALIFYING], 0, SealState.SEALED),
        (AFTER_QUALIFYING, [Stage.PRE_RACE], -1, SealState.SEALED),
        (AFTER_QUALIFYING, [Stage.PRE_WEEKEND], 10_000, SealState.MISSED),
        (T_MINUS, [Stage.PRE_WEEKEND], -1, SealState.DUE),
        (T_MINUS, [Stage.PRE_WEEKEND], 0, SealState.SEALED),
        (T_MINUS, [], 0, SealState.OVERDUE),
        (T_MINUS, [Stage.PRE_WEEKEND], 10_000, SealState.SEALED),
    ],
)
def test_how_it_stands(policy: FreezePolicy, sealed: list[Stage], when: int, state: SealState) -> None:
    due = due_at(policy, 30, Target.RACE, STARTS)
    assert due is not None
    assert seal_state(policy, sealed, due=due, start=RACE, now=due + when * MINUTE) is state


def test_the_official_record_of_qualifying_is_what_was_known_before_it() -> None:
    due = due_at(AFTER_QUALIFYING, 30, Target.QUALIFYING, STARTS)
    assert due == QUALIFYING - 30 * MINUTE
    for sealed, state in (([Stage.PRE_WEEKEND], SealState.DUE), ([Stage.PRE_QUALIFYING], SealState.SEALED)):
        found = seal_state(
            AFTER_QUALIFYING,
            sealed,
            due=due,
            start=QUALIFYING,
            now=due - MINUTE,
            target=Target.QUALIFYING,
        )
        assert found is state


def test_at_the_start_it_is_too_late() -> None:
    due = due_at(T_MINUS, 30, Target.RACE, STARTS)
    for now, state in ((RACE - MINUTE, SealState.OVERDUE), (RACE, SealState.MISSED)):
        assert seal_state(T_MINUS, [], due=due, start=RACE, now=now) is state


def test_cancelled_and_unscheduled() -> None:
    now = RACE - 10_000 * MINUTE
    assert seal_state(T_MINUS, [], due=None, start=None, now=now) is SealState.UNSCHEDULED
    assert seal_state(T_MINUS, [], due=RACE, start=RACE, now=now, is_cancelled=True) is SealState.CANCELLED
    sealed = seal_state(T_MINUS, [Stage.PRE_RACE], due=RACE, start=RACE, now=now, is_cancelled=True)
    assert sealed is SealState.SEALED, "what was sealed stays sealed"
