"""The scheduler process: one runner on the machine's clock, woken by APScheduler when something is due.

APScheduler says when; what is due, in which order, and what was missed follows from the agenda and the job log, so that
nothing is lost with the process. Everything is in UTC.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import os
import platform
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.blocking import BlockingScheduler

from f1core.clock import Clock
from f1core.installation import active_settings
from f1core.job_log import FILE, JobLog, JobRun
from f1core.log import get_logger
from f1core.processes import process_started
from f1core.settings import Settings
from f1core.workspace import Workspace
from jobs.child import ChildProcess
from jobs.runner import Execute, Runner
from warehouse.errors import LockHeld, ParcFermeError
from warehouse.lock import writer_lock

BEAT_S = 30
"""Seconds between two signs of life; also how late a new calendar or a clock that was set is noticed."""
GRACE_S = 24 * 3600
"""Seconds by which APScheduler may be late with a wake-up: a machine that slept makes up for it when it wakes."""
LOCK = "runner"
STOPPED = "stopped"
STEP = "step"


@contextlib.contextmanager
def only_runner(settings: Settings) -> Iterator[None]:
    """Holds the lock of the one runner of a data folder.

    Raises:
        LockHeld: Another runner is at work; the message names its process.
    """
    try:
        with writer_lock(settings.locks_root, holder="the scheduler", name=LOCK):
            yield
    except LockHeld as error:
        words = error.message.replace("The warehouse is being written by", "A runner is at work already:")
        raise LockHeld(words, hint="One runner at a time; `python -m jobs status` shows it.") from None


class Scheduler:
    """Drives a runner; hold :func:`only_runner` meanwhile.

    Args:
        settings: As they were read; the installation in use (a demo, or real facts) is looked up at every step.
        execute: Makes a run; a process each when left out.
    """

    def __init__(self, settings: Settings, execute: Execute | None = None) -> None:
        logging.getLogger("apscheduler").setLevel(logging.WARNING)  # it tells of every wake-up
        self.settings = settings
        self.clock = Clock.system()
        self.child = ChildProcess()
        self.execute = execute or self.child
        self.signal = 0
        self._runner: Runner | None = None
        self._working = threading.Lock()
        self._scheduler = BlockingScheduler(
            timezone=dt.UTC,
            executors={"default": ThreadPoolExecutor(1), "beat": ThreadPoolExecutor(1)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": GRACE_S},
        )

    def runner(self) -> Runner:
        """The runner of the installation that is in use now."""
        settings = active_settings(self.settings)
        if self._runner is None or self._runner.workspace.settings != settings:
            log = JobLog(settings.jobs_root / FILE)
            for run in log.interrupted(self.clock.now()):
                get_logger(__name__).warning("run_was_interrupted", key=run.key, pid=run.pid)
            self._runner = Runner(Workspace(settings, self.clock), log, self.execute)
        return self._runner

    def catch_up(self) -> list[JobRun]:
        """Makes what is due and returns what was made."""
        with self._working:
            try:
                self._say(is_alive=True)
                return self.runner().step()
            finally:
                self._say(is_alive=False)

    def run(self) -> int:
        """Works until it is told to stop; returns the exit status."""
        self.listen()
        now = self.clock.now()
        self._scheduler.add_job(self._step, "date", run_date=now, id=STEP)
        self._scheduler.add_job(
            self._beat, "interval", seconds=BEAT_S, next_run_time=now, id="beat", executor="beat"
        )
        if not self.signal:
            self._scheduler.start()
        with self._working:  # the step that was interrupted writes down how it ended
            self._say(is_alive=False)
        return 128 + self.signal if self.signal else 0

    def listen(self) -> None:
        """Takes over Ctrl-C and SIGTERM."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self.signal:
            return
        self.signal = number
        self.child.stop()
        if self._runner is not None:
            self._runner.stop()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def _step(self) -> None:
        """One step, then the next wake-up; what goes wrong is logged, and tried again at the next beat."""
        with self._working:
            wake_at = None
            try:
                runner = self.runner()
                runner.step()
                wake_at = runner.next_at(self.clock.now())
            except ParcFermeError as error:
                get_logger(__name__).error("step_failed", error=str(error))
            except Exception as error:
                get_logger(__name__).exception("step_failed", exc_info=error)
        if wake_at is not None and not self.signal:
            self._wake(wake_at)

    def _beat(self) -> None:
        """Tells that the runner lives, and wakes it when the calendar or the clock has brought something forward."""
        if self.signal:  # it came while the scheduler was being started
            self._scheduler.shutdown(wait=False)
            return
        try:
            self._say(is_alive=True)
        except ParcFermeError as error:
            get_logger(__name__).error("no_sign_of_life", error=str(error))
        if self._working.acquire(blocking=False):
            try:
                now = self.clock.now()
                runner = self.runner()
                is_due = bool(runner.due(now)) or runner.has_unwritten
                wake_at = now if is_due else runner.next_at(now)
            except ParcFermeError as error:
                get_logger(__name__).error("no_plan", error=str(error))
                return
            finally:
                self._working.release()
            if wake_at is not None and not self.signal:
                self._wake(wake_at)

    def _wake(self, at: dt.datetime) -> None:
        with contextlib.suppress(RuntimeError):  # it is being shut down
            self._scheduler.add_job(self._step, "date", run_date=at, id=STEP, replace_existing=True)

    def _say(self, *, is_alive: bool) -> None:
        now = self.clock.now()
        settings = active_settings(self.settings)
        JobLog(settings.jobs_root / FILE).note_fact(
            "runner",
            {
                "at": now.isoformat(),
                "is_alive": is_alive,
                "pid": os.getpid(),
                "process": process_started(os.getpid()),
                "host": platform.node(),
            },
        )
