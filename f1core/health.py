"""What the health page shows: runs, coming runs, the age of the facts, what sources still allow; as frames."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import polars as pl

from f1core.agenda import Job, PlannedRun
from f1core.job_log import JobLog, JobRun, RunStatus
from f1core.outlook import time_between
from f1core.sources.limits import QuotaState

STATUS_WORDS = {
    RunStatus.RUNNING: "▸ running",
    RunStatus.DONE: "✓ done",
    RunStatus.NOT_YET: "… not yet",
    RunStatus.FAILED: "✗ failed",
    RunStatus.MISSED: "! missed",
    RunStatus.INTERRUPTED: "‖ interrupted",
    RunStatus.SKIPPED: "– skipped",
}
"""A status as people read it: a sign and a word, never a colour alone."""
STATUS_MEANS = {
    RunStatus.RUNNING: "its process is at work",
    RunStatus.DONE: "it did what it was for, or found that nothing was left to do",
    RunStatus.NOT_YET: "what it needs is not there yet; it is tried again by itself",
    RunStatus.FAILED: "something went wrong; the error says what, and “again at” when it is tried again",
    RunStatus.MISSED: "a session began before its forecast was sealed; a seal is never made late",
    RunStatus.INTERRUPTED: "its process was stopped or died; it is made again",
    RunStatus.SKIPPED: "there was nothing it could do, or the settings forbid it",
}
JOB_WORDS = {
    Job.CALENDAR: "Calendar",
    Job.F1DB_CHECK: "F1DB release",
    Job.LINEUP: "Line-up",
    Job.FULL_SEASON: "Full season",
    Job.RESULTS: "Results",
    Job.WEATHER: "Weather",
    Job.EXTRACT: "Session data",
    Job.FREEZE: "Seal",
    Job.SETTLE: "Settlement",
    Job.RETRAIN: "Retraining",
    Job.FORECAST: "Forecast",
    Job.STRATEGY: "Strategy parameters",
    Job.BACKFILL: "Older sessions",
    Job.MAINTENANCE: "Tidying",
    Job.BACKTEST: "Backtest",
}
FAULTS = (RunStatus.FAILED, RunStatus.MISSED, RunStatus.INTERRUPTED)
RUN_SCHEMA = pl.Schema(
    {
        "status": pl.String(),
        "job": pl.String(),
        "what": pl.String(),
        "planned_at": pl.Datetime("us", "UTC"),
        "started_at": pl.Datetime("us", "UTC"),
        "ended_at": pl.Datetime("us", "UTC"),
        "took_s": pl.Float64(),
        "rows": pl.Int64(),
        "attempts": pl.Int64(),
        "again_at": pl.Datetime("us", "UTC"),
        "words": pl.String(),
        "key": pl.String(),
    }
)


def runs_until(log: JobLog, now: dt.datetime, *, limit: int) -> list[JobRun]:
    """The newest runs on record that began before an instant, newest first."""
    found = [run for run in log.history(limit) if (run.started_at or run.ended_at or now) <= now]
    return sorted(found, key=lambda run: (run.started_at or run.ended_at or now, run.run_id), reverse=True)


def runs_frame(runs: Sequence[JobRun]) -> pl.DataFrame:
    """Runs, a line each (:data:`RUN_SCHEMA`); ``words`` is the error, else the note."""
    rows = [
        {
            "status": STATUS_WORDS[run.status],
            "job": job_words(run.job),
            "what": about(run.key),
            "planned_at": run.planned_at,
            "started_at": run.started_at,
            "ended_at": run.ended_at,
            "took_s": run.duration.total_seconds() if run.duration is not None else None,
            "rows": run.rows,
            "attempts": run.attempts or None,
            "again_at": run.retry_at,
            "words": run.error or run.note,
            "key": run.key,
        }
        for run in runs
    ]
    return pl.DataFrame(rows, schema=RUN_SCHEMA, orient="row")


def coming_frame(runs: Sequence[PlannedRun], retries: Sequence[JobRun], now: dt.datetime) -> pl.DataFrame:
    """What comes next, in order: planned runs, and runs that are tried again.

    Returns:
        ``at`` [UTC], ``in_words``, ``job``, ``title``, ``not_after`` [UTC].
    """
    rows = [
        {"at": run.at, "job": job_words(run.job), "title": run.title, "not_after": run.deadline}
        for run in runs
    ]
    rows += [
        {
            "at": run.retry_at,
            "job": job_words(run.job),
            "title": f"Again: {about(run.key)}",
            "not_after": None,
        }
        for run in retries
        if run.retry_at is not None and run.retry_at > now
    ]
    instant = pl.Datetime("us", "UTC")
    schema = pl.Schema({"at": instant, "job": pl.String(), "title": pl.String(), "not_after": instant})
    frame = pl.DataFrame(rows, schema=schema, orient="row").sort("at", maintain_order=True)
    words = [time_between(now, at) for at in frame["at"].to_list()]
    return frame.with_columns(in_words=pl.Series(words, dtype=pl.String))


def freshness(found: pl.DataFrame, now: dt.datetime) -> pl.DataFrame:
    """How much every table holds, and how old its newest fact is.

    Args:
        found: As in :func:`warehouse.queries.health.table_sizes`.
        now: The present instant.

    Returns:
        ``group``, ``table``, ``rows``, ``known_through`` [UTC], ``age`` in words, missing where a table has no facts that
        become known, and ``age_days``.
    """
    newest = [None if at is None or at > now else at for at in found["known_through"].to_list()]
    return found.with_columns(
        age=pl.Series([None if at is None else time_between(at, now) for at in newest], dtype=pl.String),
        age_days=pl.Series(
            [None if at is None else (now - at).total_seconds() / 86400 for at in newest], dtype=pl.Float64
        ),
    ).select("group", "table", "rows", "known_through", "age", "age_days")


def quota_frame(states: Sequence[QuotaState]) -> pl.DataFrame:
    """What every host still allows: ``host``, ``left``, ``limit``, ``left_pct``, ``resets_at`` [UTC], ``note``."""
    rows = [
        {
            "host": state.host,
            "left": state.left,
            "limit": state.limit_per_hour,
            "left_pct": 100 * state.left / state.limit_per_hour,
            "resets_at": state.resets_at,
            "note": state.note or None,
        }
        for state in states
    ]
    schema = pl.Schema(
        {
            "host": pl.String(),
            "left": pl.Int64(),
            "limit": pl.Int64(),
            "left_pct": pl.Float64(),
            "resets_at": pl.Datetime("us", "UTC"),
            "note": pl.String(),
        }
    )
    return pl.DataFrame(rows, schema=schema, orient="row")


def faults_since(runs: Sequence[JobRun], since: dt.datetime) -> list[JobRun]:
    """Runs that ended badly after an instant."""
    return [run for run in runs if run.status in FAULTS and (run.ended_at or run.started_at or since) > since]


def count_since(runs: Sequence[JobRun], since: dt.datetime) -> int:
    """How many runs began after an instant."""
    return sum(1 for run in runs if run.started_at is not None and run.started_at > since)


def roughly(earlier: dt.datetime, later: dt.datetime) -> str:
    """A span in its largest unit, short enough for a card on a phone."""
    return " ".join(time_between(earlier, later).split()[:2])


def missed_seals(runs: Sequence[JobRun]) -> list[str]:
    """What was never sealed, in words, newest first."""
    return [about(run.key) for run in runs if run.status is RunStatus.MISSED]


def job_words(job: str) -> str:
    """The name of a job as people read it."""
    return JOB_WORDS.get(Job(job), job) if job in set(Job) else job.replace("_", " ")


def about(key: str) -> str:
    """What a run is for, in words: ``2025 las vegas, race, post qualifying``; the instant of one that recurs."""
    if "@" in key:
        return key.partition("@")[2].replace("T", " ").removesuffix("Z")
    return ", ".join(part.replace("-", " ").replace("_", " ") for part in key.split(":")[1:])


def health_document(
    runs: Sequence[JobRun], status: dict[str, Any], tables: pl.DataFrame, now: dt.datetime
) -> dict[str, Any]:
    """Everything the page shows, as one document."""
    return {
        "now": now,
        **status,
        "runs": runs_frame(runs).to_dicts(),
        "tables": tables.drop("age").to_dicts(),
    }
