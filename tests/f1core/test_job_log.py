"""The job log: every run is on record, whatever dies, fills up or is damaged."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from f1core.agenda import Job, PlannedRun
from f1core.job_log import FILE, JobLog, RunStatus
from f1core.processes import process_started
from f1core.settings import REPOSITORY
from warehouse.errors import SchemaTooNew, WarehouseError

NOW = dt.datetime(2026, 5, 24, 13, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


def planned(key: str = "extract:2026-vale:qualifying", job: Job = Job.EXTRACT) -> PlannedRun:
    return PlannedRun(
        key, job, {"event_id": "2026-vale"}, NOW - MINUTE, NOW + MINUTE, "For a test", group=key
    )


@pytest.fixture
def log(tmp_path: Path) -> JobLog:
    return JobLog(tmp_path / "jobs" / FILE)


def test_a_run_is_on_record_from_begin_to_end(log: JobLog) -> None:
    run_id = log.begin(planned(), NOW)
    running = log.get(run_id)
    assert running is not None
    assert (running.status, running.ended_at, running.attempts) == (RunStatus.RUNNING, None, 1)
    assert (running.planned_at, running.started_at) == (NOW - MINUTE, NOW)
    assert running.params == {"event_id": "2026-vale"}
    assert running.pid == os.getpid()
    log.finish(run_id, RunStatus.DONE, now=NOW + MINUTE, rows=20, note="twenty rows")
    done = log.last(planned().key)
    assert done is not None
    assert (done.status, done.rows, done.note, done.error) == (RunStatus.DONE, 20, "twenty rows", None)
    assert done.duration == MINUTE
    assert done.clock == "real"
    assert log.done_keys() == {planned().key}
    assert log.last("another") is None


def test_waiting_is_counted_in_one_row_and_a_fault_keeps_its_own(log: JobLog) -> None:
    for attempt in range(3):
        run_id = log.begin(planned(), NOW + attempt * MINUTE)
        log.finish(run_id, RunStatus.NOT_YET, now=NOW, note="not published", retry_at=NOW + 60 * MINUTE)
    (waiting,) = log.history()
    assert (waiting.attempts, waiting.retry_at) == (3, NOW + 60 * MINUTE)
    run_id = log.begin(planned(), NOW + 3 * MINUTE)
    log.finish(run_id, RunStatus.FAILED, now=NOW, error="the source is down")
    run_id = log.begin(planned(), NOW + 4 * MINUTE)
    log.finish(run_id, RunStatus.DONE, now=NOW, rows=1)
    assert [(run.status.value, run.attempts, run.error) for run in log.history()] == [
        ("done", 5, None),
        ("failed", 4, "the source is down"),
    ]
    # After it is done a run of the same key begins to count anew.
    assert (again := log.get(log.begin(planned(), NOW + 5 * MINUTE))) is not None
    assert again.attempts == 1


def test_history_is_newest_first_and_can_be_narrowed(log: JobLog) -> None:
    for number, job in enumerate((Job.EXTRACT, Job.FREEZE, Job.EXTRACT)):
        run_id = log.begin(planned(f"{job}:{number}", job), NOW + number * MINUTE)
        log.finish(run_id, RunStatus.DONE if number else RunStatus.FAILED, now=NOW + 9 * MINUTE)
    log.record(planned("freeze:late", Job.FREEZE), RunStatus.MISSED, now=NOW + 20 * MINUTE, note="too late")
    assert [run.key for run in log.history()] == ["freeze:late", "extract:2", "freeze:1", "extract:0"]
    assert [run.key for run in log.history(1)] == ["freeze:late"]
    assert [run.key for run in log.history(job="freeze")] == ["freeze:late", "freeze:1"]
    assert [run.key for run in log.history(status=RunStatus.FAILED)] == ["extract:0"]
    missed = log.last("freeze:late")
    assert missed is not None
    assert (missed.started_at, missed.attempts) == (None, 0), "it was never made"
    assert set(log.latest()) == {"freeze:late", "extract:2", "freeze:1", "extract:0"}


def test_old_rows_of_what_recurs_are_pruned_and_those_of_events_stay(log: JobLog) -> None:
    for key in ("weather@2025-01-01T00:00Z", "settle:2025-vale"):
        run_id = log.begin(planned(key), NOW)
        log.finish(run_id, RunStatus.DONE, now=NOW)
    assert log.prune(NOW + dt.timedelta(days=399)) == 0
    assert log.prune(NOW + dt.timedelta(days=401)) == 1
    assert log.done_keys() == {"settle:2025-vale"}


def test_facts_are_replaced_by_name(log: JobLog) -> None:
    assert log.fact("began") is None
    log.note_fact("began", {"at": "then"})
    log.note_fact("began", {"at": "now"})
    assert log.fact("began") == {"at": "now"}


# --- processes that die -----------------------------------------------------------------------------------------------

BEGIN_AND_WAIT = """
import datetime as dt, sys, time
from pathlib import Path
from f1core.agenda import Job, PlannedRun
from f1core.job_log import JobLog
now = dt.datetime(2026, 5, 24, 13, 0, tzinfo=dt.UTC)
log = JobLog(Path(sys.argv[1]))
log.begin(PlannedRun("backfill@x", Job.BACKFILL, {}, now, None, "x"), now)
print("begun", flush=True)
time.sleep(60)
"""


def test_a_run_whose_process_was_killed_is_found(log: JobLog) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", BEGIN_AND_WAIT, str(log.path)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "begun\n"
    try:
        assert log.interrupted(NOW + MINUTE) == [], "it is alive"
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
    (found,) = log.interrupted(NOW + MINUTE)
    assert (found.key, found.status, found.ended_at) == (
        "backfill@x",
        RunStatus.INTERRUPTED,
        NOW + MINUTE,
    )
    assert str(child.pid) in (found.error or "")
    assert log.interrupted(NOW + 2 * MINUTE) == [], "once"


def test_a_pid_that_is_used_again_is_not_taken_for_the_process(log: JobLog) -> None:
    log.begin(planned(), NOW)
    assert log.interrupted(NOW) == [], "this very process"
    with sqlite3.connect(log.path) as con:
        con.execute("update job_runs set process = 'another boot:1'")
    con.close()
    assert [run.key for run in log.interrupted(NOW)] == [planned().key]


def test_a_run_of_another_machine_cannot_be_alive_while_the_lock_is_held_here(log: JobLog) -> None:
    log.begin(planned(), NOW)
    with sqlite3.connect(log.path) as con:
        con.execute("update job_runs set host = 'a container that is gone'")
    con.close()
    assert len(log.interrupted(NOW)) == 1


def test_processes_are_told_apart() -> None:
    mine = process_started(os.getpid())
    assert mine is not None
    assert mine == process_started(os.getpid())
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert process_started(child.pid) not in (None, mine)
    child.communicate(b"\n")
    assert process_started(child.pid) is None


def test_writers_at_once_lose_nothing(log: JobLog) -> None:
    def write(name: str) -> None:
        own = JobLog(log.path)
        for number in range(20):
            run_id = own.begin(planned(f"{name}:{number}"), NOW)
            own.finish(run_id, RunStatus.DONE, now=NOW)

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(log.done_keys()) == 80
    assert len(log.history(1000)) == 80


def test_it_is_read_while_somebody_writes(log: JobLog) -> None:
    log.begin(planned(), NOW)
    writer = sqlite3.connect(log.path, isolation_level=None)
    try:
        writer.execute("begin immediate")
        writer.execute("delete from job_runs")
        assert len(log.history()) == 1, "what was committed, at once"
    finally:
        writer.close()
    assert len(log.history()) == 1, "it died before it committed"


# --- files that are damaged, foreign, or cannot be written ------------------------------------------------------------


def damaged(log: JobLog, how: str) -> bytes:
    for number in range(25):
        log.begin(planned(f"extract:{number}"), NOW)
    body = log.path.read_bytes()
    bad = {
        "cut": body[: len(body) // 2],
        "garbage": os.urandom(len(body)),
        "a page": body[:4096] + b"\xff" * 4096 + body[8192:],
    }[how]
    log.path.write_bytes(bad)
    return bad


@pytest.mark.parametrize("how", ["cut", "garbage", "a page"])
def test_a_damaged_record_is_put_aside_and_said_so(log: JobLog, how: str) -> None:
    bad = damaged(log, how)
    fresh = JobLog(log.path)
    fresh.begin(planned("extract:new"), NOW + MINUTE)
    rows = {run.key: run for run in fresh.history()}
    assert set(rows) == {"extract:new", "job_log"}
    first = rows["job_log"]
    assert first.status is RunStatus.FAILED
    assert "damaged" in (first.error or "")
    aside = log.path.with_name("job_runs.damaged-1.sqlite")
    assert aside.name in (first.note or "")
    assert aside.read_bytes() == bad, "nothing of it is lost"


def test_a_second_damaged_record_does_not_overwrite_the_first(log: JobLog) -> None:
    first = damaged(log, "garbage")
    second = damaged(JobLog(log.path), "garbage")
    JobLog(log.path).begin(planned(), NOW)
    kept = [log.path.with_name(f"job_runs.damaged-{number}.sqlite").read_bytes() for number in (1, 2)]
    assert kept == [first, second]


def test_whoever_only_reads_a_damaged_record_changes_nothing(log: JobLog) -> None:
    bad = damaged(log, "garbage")
    with pytest.raises(WarehouseError, match=r"job log .* is damaged"):
        JobLog(log.path).history()
    assert log.path.read_bytes() == bad


def test_a_file_of_another_program_is_not_written_to(log: JobLog) -> None:
    log.path.parent.mkdir()
    with sqlite3.connect(log.path) as con:
        con.execute("create table letters (text)")
        con.execute("insert into letters values ('dear diary')")
    con.close()
    log.begin(planned(), NOW)
    with sqlite3.connect(log.path.with_name("job_runs.damaged-1.sqlite")) as con:
        assert con.execute("select * from letters").fetchall() == [("dear diary",)]
    con.close()
    assert len(log.history()) == 2


def test_a_record_of_a_newer_version_is_left_alone(log: JobLog) -> None:
    log.begin(planned(), NOW)
    with sqlite3.connect(log.path) as con:
        con.execute("pragma user_version = 99")
    con.close()
    before = log.path.read_bytes()
    with pytest.raises(SchemaTooNew, match="newer version"):
        JobLog(log.path).begin(planned("extract:new"), NOW)
    assert log.path.read_bytes() == before


def test_on_a_full_disk_it_says_so_and_the_end_is_recorded_when_there_is_space(
    log: JobLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = log.begin(planned(), NOW)
    connect = log._file._connect

    def full() -> sqlite3.Connection:
        con = connect()
        con.execute("pragma max_page_count = 1")  # SQLite takes the limit for the disk's
        return con

    monkeypatch.setattr(log._file, "_connect", full)
    long = "x" * 100_000
    with pytest.raises(WarehouseError, match="the disk is full"):
        log.finish(run_id, RunStatus.DONE, now=NOW, note=long)
    with pytest.raises(WarehouseError, match="the disk is full"):
        log.begin(replace(planned("extract:other"), params={"x": long}), NOW)
    still = log.get(run_id)
    assert still is not None
    assert still.status is RunStatus.RUNNING, "nothing was half written"
    monkeypatch.setattr(log._file, "_connect", connect)
    log.finish(run_id, RunStatus.DONE, now=NOW + MINUTE, rows=1)
    assert [(run.status, run.ended_at) for run in log.history()] == [(RunStatus.DONE, NOW + MINUTE)]


def test_where_no_folder_can_be_made_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "jobs").write_text("a file is in the way")
    with pytest.raises(WarehouseError, match="job log"):
        JobLog(tmp_path / "jobs" / FILE).begin(planned(), NOW)
    assert JobLog(tmp_path / "nothing" / FILE).history() == []
    assert not (tmp_path / "nothing").exists(), "reading makes nothing"


def test_params_are_kept_as_they_are(log: JobLog) -> None:
    odd = {"event_id": "2026-são-paulo", "note": "a 'quoted' \"text\"; --"}
    run_id = log.begin(replace(planned(), params=odd), NOW)
    found = log.get(run_id)
    assert found is not None
    assert found.params == odd
    assert json.loads(json.dumps(found.params)) == odd
