"""The scheduler as a process: one at a time, its runs in processes of their own, and nothing left behind when it ends."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from f1core.agenda import Job, PlannedRun
from f1core.job_log import FILE, JobLog, RunStatus
from f1core.settings import REPOSITORY, load_settings
from jobs.child import ChildProcess, packed, unpacked
from jobs.outcome import Outcome
from jobs.scheduler import only_runner
from tests.conftest import Answer, jobs_environment, run_jobs
from warehouse.errors import LockHeld

NOW = dt.datetime(2026, 11, 21, 12, 0, tzinfo=dt.UTC)
WAIT_S = 30


def planned(job: Job = Job.FORECAST, **params: str) -> PlannedRun:
    return PlannedRun(f"{job}:x", job, params, NOW, NOW + dt.timedelta(hours=1), "A run", ("a", "b"), "group")


@pytest.fixture
def data(tiny_data: Path, tmp_path: Path) -> Path:
    shutil.copytree(tiny_data / "warehouse", tmp_path / "data" / "warehouse")
    return tmp_path / "data"


@pytest.fixture
def child(data: Path) -> ChildProcess:
    return ChildProcess(jobs_environment(data))


def wait_for(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


def tasks_alive() -> list[psutil.Process]:
    """Processes that this test's processes started to make a run."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if "run-task" in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


# --- a run in a process of its own --------------------------------------------------------------------------------------


def test_a_run_goes_through_a_command_and_back() -> None:
    run = planned(event_id="2026-são-paulo")
    assert unpacked(packed(run)) == run
    assert unpacked(packed(PlannedRun("x@y", Job.WEATHER, {}, NOW, None, "x"))).deadline is None


def test_a_run_in_a_process_of_its_own_says_how_it_ended(child: ChildProcess) -> None:
    done = child(planned(Job.SETTLE, event_id="2024-lakeland"), 60)
    assert done == Outcome(RunStatus.SKIPPED, 0, note="Nothing of 2024-lakeland was sealed.")


def in_background(child: ChildProcess, limit_s: float) -> tuple[threading.Thread, list[Outcome]]:
    outcomes: list[Outcome] = []
    thread = threading.Thread(target=lambda: outcomes.append(child(planned(Job.LINEUP), limit_s)))
    thread.start()
    wait_for(tasks_alive, "the process of the run")
    return thread, outcomes


def test_a_run_that_is_killed_is_a_failed_run(child: ChildProcess) -> None:
    thread, outcomes = in_background(child, 60)
    (process,) = tasks_alive()
    process.send_signal(signal.SIGKILL)
    thread.join(WAIT_S)
    assert outcomes == [Outcome(RunStatus.FAILED, error="killed by signal 9")]


def test_a_run_that_takes_too_long_is_ended(child: ChildProcess) -> None:
    outcome = child(planned(Job.LINEUP), 0.2)
    assert (outcome.status, outcome.error) == (RunStatus.FAILED, "It took longer than 0 s and was ended.")
    assert tasks_alive() == []


def test_a_run_is_ended_when_the_runner_is_told_to_stop(child: ChildProcess) -> None:
    thread, outcomes = in_background(child, 60)
    child.stop()
    thread.join(WAIT_S)
    assert [outcome.status for outcome in outcomes] == [RunStatus.INTERRUPTED]
    assert tasks_alive() == []
    assert child(planned(), 60).status is RunStatus.INTERRUPTED, "and no other is begun"


# --- the scheduler ------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def scheduler(data: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "jobs", "run"],
        cwd=REPOSITORY,
        env=jobs_environment(data),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        for left in [*tasks_alive(), process]:
            with contextlib.suppress(psutil.Error, ProcessLookupError):
                left.kill()
        process.communicate()


def running(log: JobLog) -> bool:
    return bool(log.history(status=RunStatus.RUNNING)) and bool(tasks_alive())


def test_one_runner_at_a_time(data: Path) -> None:
    with only_runner(load_settings(data=data)):
        answer = run_jobs("run", "--once", data=data)
        assert answer.code == 6
        assert f"A runner is at work already: the scheduler (process {os.getpid()})" in answer.err
        with pytest.raises(LockHeld), only_runner(load_settings(data=data)):
            pass
    assert not (data / "jobs" / FILE).exists(), "it did nothing"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_it_and_its_run_and_is_on_record(data: Path, number: signal.Signals, code: int) -> None:
    log = JobLog(data / "jobs" / FILE)
    with scheduler(data) as process:
        wait_for(lambda: running(log), "a run")
        process.send_signal(number)
        assert process.wait(WAIT_S) == code
        assert tasks_alive() == []
    newest = log.history(1)[0]
    assert (newest.status, newest.error) == (RunStatus.INTERRUPTED, "the runner was stopped")
    assert log.history(status=RunStatus.RUNNING) == []
    state = log.fact("runner")
    assert state is not None
    assert state["is_alive"] is False


@pytest.mark.slow
def test_kill_9_leaves_no_run_behind_and_the_next_one_goes_on(data: Path) -> None:
    log = JobLog(data / "jobs" / FILE)
    with scheduler(data) as process:
        wait_for(lambda: running(log), "a run")
        orphans = tasks_alive()
        process.send_signal(signal.SIGKILL)
        process.wait(WAIT_S)
        _, alive = psutil.wait_procs(orphans, timeout=WAIT_S)
        assert alive == [], "a run that nobody records went on"
    (left,) = log.history(status=RunStatus.RUNNING)
    with scheduler(data) as process:
        wait_for(lambda: (log.get(left.run_id) or left).status is RunStatus.INTERRUPTED, "the next runner")
        wait_for(lambda: (log.last(left.key) or left).run_id != left.run_id, "the run to be made again")
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_S) == 143


def test_the_agenda_can_be_listed(data: Path, jobs: Callable[..., Answer]) -> None:
    answer = jobs("run", "--list", "--json", data=data)
    assert answer.code == 0
    rows = json.loads(answer.out)
    assert {"calendar", "f1db_check", "weather", "maintenance"} <= {row["job"] for row in rows}
    assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)
    assert not (data / "jobs").exists(), "looking makes nothing"
