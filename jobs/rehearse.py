"""Drives a rehearsal: the runner and the tasks of the product on a simulated clock that jumps from one run to the next."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from f1core.agenda import LOOK_BACK, Job, PlannedRun, planned_runs
from f1core.agenda_calendar import agenda_events
from f1core.job_log import RunStatus
from f1core.log import configure_logging
from f1core.rehearsal.arrival import Arrivals
from f1core.rehearsal.clock import RehearsalClock
from f1core.rehearsal.faults import PlugPulled, watched
from f1core.rehearsal.installation import copy_installation, lay_out, settings_of
from f1core.rehearsal.marker import read_mark
from f1core.rehearsal.script import Script, read_script
from f1core.rehearsal.source import RehearsalSource, RehearsalSources
from f1core.rehearsal.timeline import BEFORE, Timeline, job_log, note_forecasts, read_timeline
from f1core.settings import REPOSITORY, Settings
from f1core.sources.archive import find_archive
from f1core.training import extract_missing, train
from f1core.workspace import Workspace
from jobs.outcome import Outcome
from jobs.runner import Runner
from jobs.scheduler import only_runner
from jobs.tasks import InProcess
from warehouse.errors import SourceError, WarehouseError
from warehouse.queries.events import calendar, session_calendar
from warehouse.reader import Reader
from warehouse.vocab import Stage

JOBS = frozenset(Job) - {Job.WEATHER, Job.BACKFILL, Job.BACKTEST, Job.STRATEGY}
"""What a rehearsal runs: no source tells what the weather forecast was; what was before is not its matter, nor is
what nothing sealed goes by."""
COME_BACK = dt.timedelta(minutes=15)
"""When a runner that could write nothing down is tried again."""
Progress = Callable[[str], None]


class Rehearsal:
    """A rehearsal in its data folder.

    Args:
        origin: The installation whose facts are rehearsed; only read.
        data: The rehearsal's folder, as :func:`prepare` leaves it.
        arrivals: The season as it arrives, when it was read before.

    Raises:
        WarehouseError: The folder belongs to no rehearsal.
    """

    def __init__(self, origin: Settings, data: Path, arrivals: Arrivals | None = None) -> None:
        self.script = read_script(data)
        self.settings = self.script.apply(settings_of(origin, data))
        self.origin = Reader(origin.warehouse_root)
        self.arrivals = arrivals or arrivals_of(self.origin, self.script)
        self.clock = RehearsalClock.starting_at(self.script.since)
        self.work = Workspace(self.settings, self.clock, rehearsal=True)
        self.log = job_log(self.work)
        self.sources = RehearsalSources(
            RehearsalSource(self.arrivals, self.script.faults),
            self.origin,
            origin.fetched_root,
            _archive(origin),
        )
        self._in_process = InProcess(self.work.again, self.sources)
        self.seconds: dict[str, float] = {
            name: float(value) for name, value in read_mark(data).get("seconds", {}).items()
        }

    def run(self, until: dt.datetime | None = None, *, locked: bool = True) -> Timeline:
        """Makes every run that is due up to an instant, and tells what happened; goes on where it was stopped.

        Args:
            until: Up to here; None: to the end of the script.
            locked: Whether to hold the runner's lock, as one must; a fault to rehearse is not to.

        Raises:
            LockHeld: Another runner is at work in this folder.
            WarehouseError: The record of runs cannot be written.
        """
        began = time.perf_counter()
        end = until or self.script.until
        with only_runner(self.settings) if locked else contextlib.nullcontext():
            self.clock.forward(max(self.clock.now(), self._stopped_at()))
            self.log.interrupted(self.clock.now())
            runner = Runner(self.work, self.log, self._execute, jobs=JOBS)
            instant: dt.datetime | None = self.clock.now()
            while instant is not None and instant <= end:
                self.clock.forward(instant)
                instant = self._step(runner)
        self.seconds["runs"] = self.seconds.get("runs", 0.0) + time.perf_counter() - began
        return self.timeline()

    def timeline(self) -> Timeline:
        """What has happened so far."""
        return read_timeline(self.work.again(), self.script, self.seconds)

    def _step(self, runner: Runner) -> dt.datetime | None:
        """Makes what is due; the next instant at which something is."""
        try:
            runner.step()
        except WarehouseError:
            # The record itself cannot be written. Whoever drives a runner comes back to it, as the scheduler does.
            return self.clock.now() + COME_BACK
        return runner.next_at(self.clock.now())

    def _execute(self, planned: PlannedRun, limit_s: float) -> Outcome:
        """Makes a run as the product does, and keeps what it forecast: a forecast is replaced by the next of its stage."""
        if planned.job is Job.RETRAIN:
            # After the race only the next event is forecast, and that is before its weekend: the other stages would not be
            # asked for any more.
            planned = replace(planned, params={**planned.params, "stages": Stage.PRE_WEEKEND.value})
        outcome = self._in_process(planned, limit_s)
        if planned.job is Job.FORECAST and outcome.rows:
            note_forecasts(self.work)
        return outcome

    def _stopped_at(self) -> dt.datetime:
        """The last instant of which anything is on record."""
        latest = self.log.latest().values()
        known = [at for run in latest if run.note != BEFORE for at in (run.started_at, run.ended_at) if at]
        return max(known, default=self.script.since)


def go_on(
    origin: Settings,
    data: Path,
    *,
    plug: PlugPulled | None = None,
    until: dt.datetime | None = None,
    locked: bool = True,
) -> None:
    """Goes on with a rehearsal in a process of its own, perhaps until its plug is pulled.

    Args:
        origin: The installation whose facts are rehearsed.
        data: The rehearsal's folder.
        plug: Where this process is killed.
        until: Up to here; None: to the end of the script.
        locked: As in :meth:`Rehearsal.run`.
    """
    configure_logging("CRITICAL")
    with watched(plug) if plug is not None else contextlib.nullcontext():
        Rehearsal(origin, data).run(until, locked=locked)


def _archive(origin: Settings) -> Path | None:
    try:
        return find_archive(origin, beside=REPOSITORY).path
    except SourceError:
        return None


def arrivals_of(origin: Reader, script: Script) -> Arrivals:
    """The season of a script as it arrives."""
    whole = Arrivals.of(origin, script.season)
    corrections = script.corrections(whole.tables)
    return Arrivals.of(origin, script.season, corrections) if corrections else whole


def prepare(
    origin: Settings,
    script: Script,
    data: Path,
    *,
    champion: Path | None = None,
    progress: Progress = lambda _words: None,
) -> Rehearsal:
    """Makes the data folder of a rehearsal: facts, features and models as of its first instant.

    Args:
        origin: The installation whose facts are rehearsed; only read.
        script: What is rehearsed.
        data: A new or empty folder.
        champion: A models folder to take instead of training; its models must know no more than the first instant.
        progress: Told what is being done.

    Raises:
        WarehouseError: Something lies in the folder, or the models know too much.
        NotReady: There is nothing to learn from before the first instant.
    """
    began = time.perf_counter()
    reader = Reader(origin.warehouse_root)
    arrivals = arrivals_of(reader, script)
    progress(f"facts known by {script.since:%Y-%m-%d %H:%M} UTC")
    settings = script.apply(lay_out(origin, data, arrivals, script.since, about={"script": script.to_json()}))
    clock = RehearsalClock.starting_at(script.since)
    work = Workspace(settings, clock, rehearsal=True)
    laid_out = time.perf_counter()
    if champion is not None:
        copy_installation(champion, settings.models_root)
        _refuse_models_that_know_too_much(work)
    else:
        progress("models as of then")
        with work.writing("train"):
            extract_missing(work, tuple(Stage))
            train(work, progress=lambda words, _done: progress(words))
    _note_what_is_over(work, script)
    rehearsal = Rehearsal(origin, data, arrivals)
    rehearsal.seconds = {"facts": laid_out - began, "champion": time.perf_counter() - laid_out}
    return rehearsal


def _refuse_models_that_know_too_much(work: Workspace) -> None:
    for version in work.registry.production().values():
        manifest = work.registry.manifest(version)
        if manifest.cutoff > work.clock.now():
            raise WarehouseError(
                f"The model {version} learned from results up to {manifest.cutoff}: "
                f"the rehearsal begins at {work.clock.now()}."
            )


def _note_what_is_over(work: Workspace, script: Script) -> None:
    """Writes down what an installation at work would have done for earlier events, so that it is not made up for now."""
    log = job_log(work)
    events = agenda_events(calendar(work.reader), session_calendar(work.reader))
    earlier = [event for event in events if max(event.known.values(), default=script.since) < script.since]
    runs = planned_runs(earlier, work.settings, since=script.since - LOOK_BACK, until=script.until)
    for run in runs:
        log.record(run, RunStatus.DONE, now=script.since, note=BEFORE)
