"""When a run is tried, tried again, and given up: pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from f1core.agenda import DAY, Job, PlannedRun
from f1core.job_log import JobRun, RunStatus
from jobs.outcome import Outcome

FIRST = dt.timedelta(minutes=15)
LONGEST = dt.timedelta(hours=6)
SEAL_FIRST = dt.timedelta(minutes=5)
SEAL_LONGEST = dt.timedelta(minutes=15)
"""A seal costs a second and cannot be had later: it is tried more often than anything else."""
LAST_CALL = dt.timedelta(minutes=10)
"""Whatever the back-off says, a run is tried once more this long before its deadline."""
RETRIES = 3
"""Times a run that failed by itself is tried again; a source that does not answer is asked until the deadline."""
INTERRUPTIONS = 10
"""Times a run that was stopped from outside is begun again."""
TIMEOUT = {
    Job.F1DB_CHECK: 30,
    Job.FULL_SEASON: 60,
    Job.EXTRACT: 30,
    Job.RETRAIN: 240,
    Job.BACKFILL: 50,
    Job.BACKTEST: 60,
    Job.FREEZE: 15,
    Job.SETTLE: 15,
}
OTHER_TIMEOUT = 20
"""Minutes a run may take."""
SPARE = dt.timedelta(minutes=30)
"""Before a session begins, the machine is kept free this long for its seal."""


def ready_at(run: PlannedRun, last: JobRun | None, now: dt.datetime, *, is_woken: bool) -> dt.datetime | None:
    """When a run is to be made, in the light of its last row.

    Args:
        run: The run as the calendar has it now.
        last: Newest row of its key.
        now: The present instant; only deadlines are held against it.
        is_woken: Whether new facts came in since it was tried.

    Returns:
        The instant, which may have passed; None when it is over, given up, or too late.
    """
    if run.deadline is not None and run.deadline <= now:
        return None
    if last is None or last.status is RunStatus.MISSED:
        # Missed, and yet in time: the session was moved.
        return run.at
    if last.status in (RunStatus.DONE, RunStatus.RUNNING):
        return None
    if last.status is RunStatus.INTERRUPTED:
        return run.at if last.attempts <= INTERRUPTIONS else None
    if last.retry_at is None:
        return None
    at = last.retry_at
    if run.deadline is not None:
        call = run.deadline - LAST_CALL
        if last.ended_at is not None and last.ended_at < call:
            at = min(at, call)
    if last.status is RunStatus.NOT_YET and is_woken and last.ended_at is not None:
        at = min(at, last.ended_at)
    return max(run.at, at)


def retry_at(
    run: PlannedRun, outcome: Outcome, now: dt.datetime, *, attempts: int, failures: int
) -> dt.datetime | None:
    """When to try again after an outcome; None: not by itself.

    Args:
        run: The run.
        outcome: How it ended.
        now: When it ended.
        attempts: Attempts so far, this one included.
        failures: Failures in a row before this one.
    """
    if outcome.status is RunStatus.SKIPPED:
        return None if run.deadline is None else now + DAY
    if outcome.status is RunStatus.NOT_YET:
        if outcome.retry_after_s is not None:
            return now + dt.timedelta(seconds=outcome.retry_after_s)
        return now + _back_off(run, attempts)
    if outcome.status is not RunStatus.FAILED:
        return None
    if outcome.is_transient:
        wait = _back_off(run, failures + 1)
        if outcome.retry_after_s is not None:
            wait = max(dt.timedelta(minutes=1), dt.timedelta(seconds=outcome.retry_after_s))
        return now + wait
    if failures >= RETRIES and not run.is_seal:
        return None
    return now + _back_off(run, failures + 1)


def _back_off(run: PlannedRun, number: int) -> dt.timedelta:
    first, longest = (SEAL_FIRST, SEAL_LONGEST) if run.is_seal else (FIRST, LONGEST)
    return min(first * 2 ** min(number - 1, 10), longest)


def budget_s(run: PlannedRun, seals: Sequence[PlannedRun], now: dt.datetime) -> float:
    """Seconds a run may take: its time-out, cut short where a seal would have to wait too long.

    Args:
        run: The run.
        seals: Seals that are to be made before their session begins.
        now: The present instant.
    """
    limit = dt.timedelta(minutes=TIMEOUT.get(run.job, OTHER_TIMEOUT))
    if not run.is_seal:
        for seal in seals:
            assert seal.deadline is not None, "a seal has a deadline"
            free_until = max(seal.at, seal.deadline - SPARE) - now
            limit = min(limit, max(free_until, (seal.deadline - now) / 3))
    return limit.total_seconds()
