"""Makes each run in a process of its own, so that its memory and its crashes stay there."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from types import FrameType
from typing import Any

from f1core.agenda import Job, PlannedRun
from f1core.clock import parse_instant
from f1core.job_log import RunStatus
from f1core.settings import REPOSITORY
from jobs.outcome import Outcome

GRACE_S = 4.0
"""After being asked to end, a run has this long; then it is killed."""
POLL_S = 0.1
MARK = "parcferme-outcome:"
"""Begins the line in which the process says how it ended; what libraries print beside it is passed over."""
_DIE_WITH_PARENT = 1
"""``PR_SET_PDEATHSIG`` of Linux."""


class ChildProcess:
    """Makes runs by ``python -m jobs run-task``, one at a time.

    Args:
        environment: Of the processes.
    """

    def __init__(self, environment: dict[str, str] | None = None) -> None:
        self.environment = dict(os.environ) if environment is None else environment
        self._stopped = threading.Event()
        self._limit = 0.0

    def __call__(self, planned: PlannedRun, limit_s: float) -> Outcome:
        """Makes a run within a time; a run that takes longer is ended."""
        if self._stopped.is_set():
            return Outcome(RunStatus.INTERRUPTED, error="the runner was stopped")
        command = [sys.executable, "-m", "jobs", "run-task", packed(planned)]
        child = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env={**self.environment, PARENT: str(os.getpid())},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        said: list[str] = []
        listener = threading.Thread(target=_listen, args=(child, said), daemon=True)
        listener.start()
        deadline = time.monotonic() + limit_s
        while child.poll() is None and time.monotonic() < deadline and not self._stopped.wait(POLL_S):
            pass
        is_late = child.poll() is None and not self._stopped.is_set()
        _end(child)
        listener.join(GRACE_S)
        if child.stdout is not None and not listener.is_alive():
            child.stdout.close()
        if self._stopped.is_set() and not said:
            return Outcome(RunStatus.INTERRUPTED, error="the runner was stopped")
        if is_late:
            return Outcome(RunStatus.FAILED, error=f"It took longer than {limit_s:.0f} s and was ended.")
        return _outcome(child.returncode, said)

    def stop(self) -> None:
        """Ends the run that is being made, and makes no other."""
        self._stopped.set()


PARENT = "PARCFERME_RUNNER"
"""Variable with the pid of the runner, so that a child can tell whether it still lives."""


def _listen(child: subprocess.Popen[str], said: list[str]) -> None:
    assert child.stdout is not None
    for line in child.stdout:
        if line.startswith(MARK):
            said[:] = [line.removeprefix(MARK)]


def _end(child: subprocess.Popen[str]) -> None:
    """Ends a process and everything it started; one that ended by itself may have left something."""
    for number, patience_s in ((signal.SIGTERM, GRACE_S), (signal.SIGKILL, GRACE_S)):
        if child.poll() is None or number == signal.SIGKILL:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(patience_s)


def _outcome(code: int, said: list[str]) -> Outcome:
    if said:
        return Outcome.of(json.loads(said[0]))
    if code < 0:
        return Outcome(RunStatus.FAILED, error=f"killed by signal {-code}")
    return Outcome(
        RunStatus.FAILED, error=f"The process ended with exit status {code} and did not say why; see the log."
    )


def packed(planned: PlannedRun) -> str:
    """A run as one argument of a command."""
    data: dict[str, Any] = asdict(planned)
    data["at"] = planned.at.isoformat()
    data["deadline"] = planned.deadline.isoformat() if planned.deadline else None
    return json.dumps(data)


def unpacked(text: str) -> PlannedRun:
    """What :func:`packed` gave."""
    data = json.loads(text)
    return PlannedRun(
        **{
            **data,
            "job": Job(data["job"]),
            "at": parse_instant(data["at"]),
            "deadline": parse_instant(data["deadline"]) if data["deadline"] else None,
            "after": tuple(data["after"]),
        }
    )


def report(outcome: Outcome) -> None:
    """Says how the run of this process ended, in the one line that the runner reads."""
    sys.stdout.write(f"\n{MARK}{json.dumps(outcome.to_dict())}\n")
    sys.stdout.flush()


def die_with_runner() -> None:
    """Has this process end when the runner dies, however it dies: a run that nobody records must not go on.

    Linux only; elsewhere the writer's lock keeps an orphan and the next runner apart.
    """
    runner = os.environ.get(PARENT)
    if runner is None or not sys.platform.startswith("linux"):
        return
    signal.signal(signal.SIGTERM, _end_group)
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGTERM)
    if os.getppid() != int(runner):
        os.kill(os.getpid(), signal.SIGTERM)


def _end_group(number: int, _frame: FrameType | None) -> None:
    """Passes the signal on to what this process has started, and to itself."""
    signal.signal(number, signal.SIG_DFL)
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), number)
    os.kill(os.getpid(), number)
