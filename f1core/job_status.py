"""How the jobs of an installation stand: the runner, its last and next runs, what sources still allow."""

from __future__ import annotations

import datetime as dt
import platform
import threading
from functools import lru_cache
from typing import Any

from f1core.agenda import DAY, PlannedRun
from f1core.backtest_progress import progress_data, read_progress
from f1core.job_log import FILE, JobLog, JobRun
from f1core.plan import Plan
from f1core.processes import process_started
from f1core.sources.limits import Quota, QuotaState
from f1core.workspace import Workspace
from warehouse.errors import SourceUnavailable, WarehouseError

AHEAD = 14
"""Days that are looked ahead."""
SILENT = dt.timedelta(minutes=3)
"""A runner that gave no sign of life for so long does not live."""


_PLANNING = threading.Lock()


def job_log(workspace: Workspace) -> JobLog:
    """The record of an installation's runs."""
    return JobLog(workspace.settings.jobs_root / FILE)


def coming_runs(
    workspace: Workspace, now: dt.datetime, *, days: int = AHEAD
) -> tuple[list[PlannedRun], list[str]]:
    """What is planned from an instant on, and the coming events that nothing can be planned for."""
    plan = _plan(workspace)
    with _PLANNING:
        return plan.all(now, now + days * DAY), plan.unplannable(now)


@lru_cache(maxsize=4)
def _plan(workspace: Workspace) -> Plan:
    """One plan per installation: it plans anew by itself when the published calendar has changed."""
    return Plan(workspace)


def runner_state(log: JobLog, now: dt.datetime) -> dict[str, Any]:
    """Whether a runner is at work.

    Returns:
        ``is_alive``; ``seen_at``, ``pid`` and ``host`` of its last sign of life (None when there never was one).
    """
    said = log.fact("runner")
    if said is None:
        return {"is_alive": False, "seen_at": None, "pid": None, "host": None}
    seen = dt.datetime.fromisoformat(said["at"])
    is_here = said["host"] == platform.node()
    is_gone = is_here and process_started(int(said["pid"])) != said["process"]
    return {
        "is_alive": bool(said["is_alive"]) and now - seen <= SILENT and not is_gone,
        "seen_at": seen,
        "pid": said["pid"],
        "host": said["host"],
    }


def last_runs(log: JobLog) -> dict[str, JobRun]:
    """The newest run of every job, by job."""
    newest: dict[str, JobRun] = {}
    for run in log.latest().values():
        kept = newest.get(run.job)
        if kept is None or _when(run) > _when(kept):
            newest[run.job] = run
    return newest


def host_quota(workspace: Workspace) -> tuple[list[QuotaState], str]:
    """What every host still allows, and what is wrong with the record of requests, empty as a rule."""
    try:
        return Quota.of(workspace.settings).states(), ""
    except (WarehouseError, SourceUnavailable) as error:
        return [], str(error)


def job_status(workspace: Workspace, now: dt.datetime, *, count: int = 10) -> dict[str, Any]:
    """The jobs as plain data.

    Args:
        workspace: The installation.
        now: The present instant.
        count: Coming runs that are listed.

    Returns:
        ``runner``, ``last`` (newest run of every job), ``next`` (coming runs), ``without_times`` (events and seals that
        cannot be planned), ``replanned`` (what the calendar moved last), ``backtest`` (how far the one over all test seasons
        is; None when it was never begun), ``quota`` (what every host still allows).
    """
    log = job_log(workspace)
    coming, without_times = coming_runs(workspace, now)
    return {
        "runner": runner_state(log, now),
        "last": [run_data(run) for _, run in sorted(last_runs(log).items())],
        "next": [{"key": run.key, "title": run.title, "at": run.at} for run in coming[:count]],
        "without_times": without_times,
        "replanned": log.fact("replanned"),
        "backtest": progress_data(read_progress(workspace.settings), now),
        "quota": [
            {
                "host": state.host,
                "limit_per_hour": state.limit_per_hour,
                "used": state.used,
                "left": state.left,
                "resets_at": state.resets_at,
                "note": state.note,
            }
            for state in host_quota(workspace)[0]
        ],
    }


def run_data(run: JobRun) -> dict[str, Any]:
    """A run as plain data."""
    return {
        "key": run.key,
        "job": run.job,
        "status": run.status.value,
        "planned_at": run.planned_at,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "rows": run.rows,
        "attempts": run.attempts,
        "error": run.error,
        "note": run.note,
        "retry_at": run.retry_at,
    }


def _when(run: JobRun) -> dt.datetime:
    return run.started_at or run.ended_at or run.planned_at or dt.datetime.min.replace(tzinfo=dt.UTC)
