"""The record of every run of a job: what was planned, when it began and ended, how it ended, and why.

One SQLite file (``data/jobs/job_runs.sqlite``) that the runner writes and every process may read. It is no Delta table: a
run must be on record while the warehouse's writer is busy, dead, or its disk is full (docs/decisions/007).

Every write is a transaction of its own, on disk before the call returns, so that ``kill -9`` at any line leaves either the
row before or the row after. A run that was begun and never ended is found by :meth:`JobLog.interrupted`.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from f1core.agenda import PlannedRun
from f1core.job_log_file import LogFile
from f1core.processes import process_started

FILE = "job_runs.sqlite"
REAL = "real"
KEPT = dt.timedelta(days=400)
"""Rows of recurring runs are kept this long."""


class RunStatus(StrEnum):
    """How a run stands or ended."""

    RUNNING = "running"
    DONE = "done"
    NOT_YET = "not_yet"
    """What it needs is not there yet; it is tried again."""
    FAILED = "failed"
    MISSED = "missed"
    """A seal whose session began without it; it is never made late."""
    INTERRUPTED = "interrupted"
    """Its process was stopped or died; it is made again."""
    SKIPPED = "skipped"
    """There was nothing to do, or the settings forbid it."""


@dataclass(frozen=True)
class JobRun:
    """One row of ``job_runs``.

    Attributes:
        run_id: Number of the row.
        key: What it was for; see :class:`f1core.agenda.PlannedRun`.
        job: The kind of run.
        params: What the task was told.
        planned_at: When it was due (UTC).
        started_at: When this attempt began; None for one that was never made.
        ended_at: When it ended.
        status: How it stands.
        rows: Rows it wrote or changed; None where that means nothing.
        attempts: Which attempt this is, from 1. Waiting for what is not there yet is counted in one row.
        error: What went wrong.
        note: What else there is to say.
        retry_at: When it is tried again; None: not by itself.
        pid: Process that made it.
        process: When that process was started, as the system says: a pid alone is used again.
        host: Machine that made it.
        clock: ``real`` or ``rehearsal``.
    """

    run_id: int
    key: str
    job: str
    params: Mapping[str, str]
    planned_at: dt.datetime | None
    started_at: dt.datetime | None
    ended_at: dt.datetime | None
    status: RunStatus
    rows: int | None
    attempts: int
    error: str | None
    note: str | None
    retry_at: dt.datetime | None
    pid: int | None
    process: str | None
    host: str | None
    clock: str

    @property
    def duration(self) -> dt.timedelta | None:
        """How long the attempt took."""
        return self.ended_at - self.started_at if self.started_at and self.ended_at else None


class JobLog:
    """Reads and writes the record.

    Args:
        path: The file (``settings.jobs_root / FILE``); made by the first write.
        clock: ``real``, or ``rehearsal`` for one that a simulated clock drives, which no power cut has to spare.
    """

    def __init__(self, path: Path, *, clock: str = REAL) -> None:
        self.path = path
        self.clock = clock
        self._file = LogFile(path, durable=clock == REAL)

    # Writing ------------------------------------------------------------------------------------------------------

    def begin(self, planned: PlannedRun, now: dt.datetime, pid: int | None = None) -> int:
        """Records that a run begins.

        A run that waited for what was not there goes on in its row; every other attempt has a row of its own, so that no
        fault is overwritten by the success after it.

        Args:
            planned: The run.
            now: The clock's instant.
            pid: The process that makes it; this one when left out.

        Returns:
            Number of the row.

        Raises:
            WarehouseError: The record cannot be written; the run should not be made then.
        """
        pid = pid or os.getpid()
        who = (pid, process_started(pid), platform.node())
        with self._file.writing() as con:
            last = con.execute(
                "select run_id, status, attempts from job_runs where key = ? order by run_id desc limit 1",
                (planned.key,),
            ).fetchone()
            goes_on = last is not None and last["status"] in _OPEN
            attempts = last["attempts"] + 1 if goes_on else 1
            if last is not None and last["status"] == RunStatus.NOT_YET:
                con.execute(
                    "update job_runs set status = ?, planned_at = ?, started_at = ?, ended_at = null, attempts = ?, "
                    "retry_at = null, error = null, pid = ?, process = ?, host = ? where run_id = ?",
                    (RunStatus.RUNNING, _text(planned.at), _text(now), attempts, *who, last["run_id"]),
                )
                return int(last["run_id"])
            return self._insert(con, planned, RunStatus.RUNNING, attempts, now, who=who)

    def finish(
        self,
        run_id: int,
        status: RunStatus,
        *,
        now: dt.datetime,
        rows: int | None = None,
        error: str | None = None,
        note: str | None = None,
        retry_at: dt.datetime | None = None,
    ) -> None:
        """Records how a run ended; repeating it does no harm.

        Raises:
            WarehouseError: The record cannot be written (a full disk): call again when there is space. A process that
                ends before leaves the row running, and the next one finds it interrupted.
        """
        with self._file.writing() as con:
            con.execute(
                "update job_runs set status = ?, ended_at = ?, rows = ?, error = ?, note = ?, retry_at = ? "
                "where run_id = ?",
                (status, _text(now), rows, error, note, _text(retry_at), run_id),
            )

    def record(
        self, planned: PlannedRun, status: RunStatus, *, now: dt.datetime, note: str, error: str | None = None
    ) -> int:
        """Records a run that was never made: a missed seal. Returns the number of its row."""
        with self._file.writing() as con:
            return self._insert(con, planned, status, 0, None, ended=now, note=note, error=error)

    def interrupted(self, now: dt.datetime) -> list[JobRun]:
        """Marks runs whose process is gone, and returns them; hold the runner's lock.

        A process is told by its pid and by when it was started. One on another machine (or in another container) cannot
        be alive while the lock is held here.
        """
        with self._file.writing() as con:
            rows = con.execute("select * from job_runs where status = ?", (RunStatus.RUNNING,)).fetchall()
            dead = [row for row in rows if not _is_alive(row)]
            for row in dead:
                con.execute(
                    "update job_runs set status = ?, ended_at = ?, error = ? where run_id = ?",
                    (
                        RunStatus.INTERRUPTED,
                        _text(now),
                        f"process {row['pid']} ended without saying how",
                        row["run_id"],
                    ),
                )
            ids = [row["run_id"] for row in dead]
        return [run for run_id in ids if (run := self.get(run_id)) is not None]

    def prune(self, now: dt.datetime) -> int:
        """Deletes rows of recurring runs that are old; what was planned for an event stays. Returns how many."""
        with self._file.writing() as con:
            done = con.execute(
                "delete from job_runs where instr(key, '@') > 0 and ended_at < ?", (_text(now - KEPT),)
            )
            return done.rowcount

    def note_fact(self, name: str, value: Mapping[str, Any]) -> None:
        """Keeps a small fact about the runner itself under a name, in place of the one before."""
        with self._file.writing() as con:
            con.execute(
                "insert into facts (name, value) values (?, ?) on conflict (name) do update set value = excluded.value",
                (name, json.dumps(value, sort_keys=True)),
            )

    def _insert(
        self,
        con: sqlite3.Connection,
        planned: PlannedRun,
        status: RunStatus,
        attempts: int,
        started: dt.datetime | None,
        *,
        ended: dt.datetime | None = None,
        note: str | None = None,
        error: str | None = None,
        who: tuple[int, str | None, str] | None = None,
    ) -> int:
        pid, process, host = who or (os.getpid(), process_started(os.getpid()), platform.node())
        cursor = con.execute(
            "insert into job_runs (key, job, params, planned_at, started_at, ended_at, status, attempts, error, note, "
            "pid, process, host, clock) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                planned.key,
                planned.job.value,
                json.dumps(dict(planned.params), sort_keys=True),
                _text(planned.at),
                _text(started),
                _text(ended),
                status,
                attempts,
                error,
                note,
                pid,
                process,
                host,
                self.clock,
            ),
        )
        return int(cursor.lastrowid or 0)

    # Reading ------------------------------------------------------------------------------------------------------

    def get(self, run_id: int) -> JobRun | None:
        """A row by its number."""
        found = self._rows("where run_id = ?", (run_id,))
        return found[0] if found else None

    def last(self, key: str) -> JobRun | None:
        """The newest row of a key."""
        found = self._rows("where key = ? order by run_id desc limit 1", (key,))
        return found[0] if found else None

    def latest(self) -> dict[str, JobRun]:
        """The newest row of every key."""
        rows = self._rows("where run_id in (select max(run_id) from job_runs group by key)")
        return {run.key: run for run in rows}

    def history(
        self,
        limit: int = 200,
        *,
        job: str | None = None,
        status: RunStatus | None = None,
        key: str | None = None,
    ) -> list[JobRun]:
        """Rows, newest first.

        Args:
            limit: At most so many.
            job: Only of this kind.
            status: Only with this status.
            key: Only of this key.
        """
        wanted = {"job": job, "status": status, "key": key}
        given = {name: value for name, value in wanted.items() if value is not None}
        where = " and ".join(f"{name} = ?" for name in given)
        return self._rows(
            f"{'where ' + where if where else ''} order by coalesce(started_at, ended_at) desc, run_id desc limit ?",
            (*given.values(), limit),
        )

    def done_keys(self) -> set[str]:
        """Keys of runs that are done."""
        return {run.key for run in self._rows("where status = ?", (RunStatus.DONE,))}

    def fact(self, name: str) -> dict[str, Any] | None:
        """A fact about the runner; see :meth:`note_fact`."""
        with self._file.reading() as con:
            row = (
                None
                if con is None
                else con.execute("select value from facts where name = ?", (name,)).fetchone()
            )
        return None if row is None else dict(json.loads(row["value"]))

    def _rows(self, where: str, values: tuple[Any, ...] = ()) -> list[JobRun]:
        with self._file.reading() as con:
            if con is None:
                return []
            return [_run(row) for row in con.execute(f"select * from job_runs {where}", values)]  # noqa: S608


_OPEN = (RunStatus.NOT_YET, RunStatus.FAILED, RunStatus.INTERRUPTED)


def _is_alive(row: sqlite3.Row) -> bool:
    if row["pid"] is None or row["host"] != platform.node():
        return False
    started = process_started(int(row["pid"]))
    return started is not None and started == row["process"]


def _run(row: sqlite3.Row) -> JobRun:
    return JobRun(
        run_id=row["run_id"],
        key=row["key"],
        job=row["job"],
        params=json.loads(row["params"]),
        planned_at=_instant(row["planned_at"]),
        started_at=_instant(row["started_at"]),
        ended_at=_instant(row["ended_at"]),
        status=RunStatus(row["status"]),
        rows=row["rows"],
        attempts=row["attempts"],
        error=row["error"],
        note=row["note"],
        retry_at=_instant(row["retry_at"]),
        pid=row["pid"],
        process=row["process"],
        host=row["host"],
        clock=row["clock"],
    )


def _text(instant: dt.datetime | None) -> str | None:
    return None if instant is None else instant.astimezone(dt.UTC).isoformat(timespec="microseconds")


def _instant(text: str | None) -> dt.datetime | None:
    return None if text is None else dt.datetime.fromisoformat(text)
