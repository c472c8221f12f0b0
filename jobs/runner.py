"""Makes the runs that are due, one at a time, and records each; knows nothing of clocks, processes or APScheduler.

Driven by the scheduler on the machine's clock and by a rehearsal on a simulated one. What is due follows from the agenda
and the job log alone, so that a runner that was killed goes on where it was.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection
from typing import Any

from f1core.agenda import DAY, LOOK_BACK, Job, PlannedRun, order
from f1core.job_log import JobLog, JobRun, RunStatus
from f1core.ledger import Ledger, prediction_name
from f1core.log import get_logger
from f1core.plan import LOOK_AHEAD, WEEK, Plan
from f1core.settings import Settings
from f1core.workspace import Workspace
from jobs.outcome import Outcome
from jobs.retries import budget_s, ready_at, retry_at
from warehouse.vocab import Stage, Target

Execute = Callable[[PlannedRun, float], Outcome]
"""Makes a run within so many seconds and says how it ended."""

URGENT = dt.timedelta(minutes=20)
"""A seal whose session begins within this time goes before everything else."""
HELD = dt.timedelta(minutes=15)
"""After a source did not answer one run, the others of its kind wait this long."""
KEPT_FOR = dt.timedelta(hours=6)
"""How old the plan on record may be while the calendar stands still."""
AT_MOST = 3
"""Times one key is tried within one step, should new facts keep coming in."""


class Runner:
    """Makes what is due.

    Args:
        workspace: The installation; read for the calendar and the ledger only.
        log: The record of runs.
        execute: Makes a run.
        now: Tells the time; the workspace's clock when left out.
        jobs: Kinds of runs to make; None for all that make sense here.
    """

    def __init__(
        self,
        workspace: Workspace,
        log: JobLog,
        execute: Execute,
        *,
        now: Callable[[], dt.datetime] | None = None,
        jobs: Collection[Job] | None = None,
    ) -> None:
        self.workspace = workspace
        self.log = log
        self.execute = execute
        self.now = now or workspace.clock.now
        self.plan = Plan(workspace, jobs)
        self.is_stopped = False
        self._first: dt.datetime | None = None
        self._latest: dict[str, JobRun] | None = None
        self._changes = 0
        self._seen: dict[str, int] = {}
        self._down: dict[Job, dt.datetime] = {}
        self._kept_plan: dict[str, Any] | None = None
        self._planned_from: tuple[str | None, dt.datetime] | None = None
        self._unwritten: list[tuple[int, str, RunStatus, dict[str, Any]]] = []

    # What there is to do ------------------------------------------------------------------------------------------

    def due(self, now: dt.datetime) -> list[PlannedRun]:
        """Runs to make now, in the order in which to make them."""
        waiting = [run for run, at in self._waiting(now) if at <= now]
        return sorted(
            waiting,
            key=lambda run: (
                not (run.is_seal and run.deadline is not None and run.deadline - now <= URGENT),
                run.job.rank,
                *order(run),
            ),
        )

    def next_at(self, now: dt.datetime) -> dt.datetime | None:
        """The next instant, after ``now``, at which a step has something to do; None when nothing is planned."""
        instants = [at for _, at in self._waiting(now)]
        instants += [run.at for run in self.plan.all(now, now + LOOK_AHEAD)]
        instants += [
            run.deadline
            for run in self.plan.current(now, self._began(now))
            if run.is_seal and run.deadline is not None and run.deadline > now
        ]
        return min((at for at in instants if at > now), default=None)

    def _rows(self) -> dict[str, JobRun]:
        """The newest row of every key; read once and kept up with our own writes: nobody else writes."""
        if self._latest is None:
            self._latest = self.log.latest()
        return self._latest

    def _look_again(self, key: str) -> JobRun:
        row = self.log.last(key)
        assert row is not None, "a row of this key was just written"
        if self._latest is not None:
            self._latest[key] = row
        return row

    def _began(self, now: dt.datetime) -> dt.datetime:
        """When this installation's jobs first ran: what was due before was not missed by anybody."""
        if self._first is None:
            kept = self.log.fact("began")
            self._first = dt.datetime.fromisoformat(kept["at"]) if kept else None
        return self._first or now

    def _waiting(self, now: dt.datetime) -> list[tuple[PlannedRun, dt.datetime]]:
        """Runs whose instant has come and that are not over, with the instant at which each is to be tried."""
        latest = self._rows()
        sealed = sealed_targets(self.workspace.settings)
        ready = {}
        for run in self.plan.current(now, self._began(now)):
            is_woken = self._seen.get(run.key, -1) < self._changes
            at = ready_at(run, latest.get(run.key), now, is_woken=is_woken)
            if at is None or (run.job is Job.SETTLE and not _has_seal(run, sealed)):
                continue
            # A source that just did not answer one run is not asked by the others of its kind.
            ready[run.key] = (run, max(at, self._down.get(run.job, at)))
        return [(run, at) for run, at in ready.values() if not any(key in ready for key in run.after)]

    # Doing it -----------------------------------------------------------------------------------------------------

    def step(self, now: dt.datetime | None = None) -> list[JobRun]:
        """Makes every run that is due, and records seals that were missed.

        Args:
            now: The instant; None asks the clock, and asks it again after each run.

        Returns:
            The rows that were written, in order.

        Raises:
            WarehouseError: The record cannot be written; nothing is made without one.
        """
        self._write_what_is_left()
        first = now or self.now()
        if self._first is None and self.log.fact("began") is None:
            self.log.note_fact("began", {"at": first.isoformat()})
        if self.log.fact("began_targets") is None:
            self.log.note_fact("began_targets", {"at": first.isoformat()})
        self._note_moves(first)
        made: list[JobRun] = []
        tried: dict[str, int] = {}
        while not self.is_stopped:
            instant = now or self.now()
            made += self._record_missed(instant)
            run = next((run for run in self.due(instant) if tried.get(run.key, 0) < AT_MOST), None)
            if run is None:
                break
            tried[run.key] = tried.get(run.key, 0) + 1
            made.append(self.run(run))
        return made

    def run(self, planned: PlannedRun) -> JobRun:
        """Makes one run and records it.

        Raises:
            WarehouseError: The record cannot be written; the run was not made then.
        """
        logger = get_logger(__name__)
        began = self.now()
        caught_up = self._stands_in_for(planned, began)
        run_id = self.log.begin(planned, began)
        attempts = self._look_again(planned.key).attempts
        self._seen[planned.key] = self._changes
        logger.info("run_begins", key=planned.key, planned=planned.at.isoformat())
        try:
            outcome = self.execute(planned, budget_s(planned, self._pending_seals(began), began))
        except BaseException as stopped:
            self._end(
                run_id,
                planned.key,
                Outcome(RunStatus.INTERRUPTED, error=f"stopped: {type(stopped).__name__}"),
                None,
            )
            raise
        ended = self.now()
        again = retry_at(planned, outcome, ended, attempts=attempts, failures=self._failures(planned.key))
        if outcome.is_transient and again is not None:
            self._down[planned.job] = again if outcome.retry_after_s else min(again, ended + HELD)
        else:
            self._down.pop(planned.job, None)
        note = " ".join(words for words in (outcome.note, caught_up) if words) or None
        self._end(run_id, planned.key, outcome, again, note=note)
        if planned.job.brings_facts and outcome.status is RunStatus.DONE and outcome.rows:
            self._changes += 1
        logger.info(
            "run_ends",
            key=planned.key,
            status=outcome.status.value,
            rows=outcome.rows,
            error=outcome.error,
            note=note,
        )
        return self._rows()[planned.key]

    @property
    def has_unwritten(self) -> bool:
        """Whether the end of a run waits for the disk to take it."""
        return bool(self._unwritten)

    def stop(self) -> None:
        """No further run is begun."""
        self.is_stopped = True

    def _end(
        self, run_id: int, key: str, outcome: Outcome, again: dt.datetime | None, *, note: str | None = None
    ) -> None:
        how = {
            "now": self.now(),
            "rows": outcome.rows,
            "error": outcome.error,
            "note": note or outcome.note,
            "retry_at": again,
        }
        self._unwritten.append((run_id, key, outcome.status, how))
        self._write_what_is_left()

    def _write_what_is_left(self) -> None:
        """Writes down how runs ended; what a full disk refused is kept for the next call."""
        while self._unwritten:
            run_id, key, status, how = self._unwritten[0]
            self.log.finish(run_id, status, **how)
            self._unwritten.pop(0)
            self._look_again(key)

    def _failures(self, key: str) -> int:
        count = 0
        for row in self.log.history(10, key=key):
            if row.status is RunStatus.FAILED:
                count += 1
            elif row.status is not RunStatus.RUNNING:
                break
        return count

    def _stands_in_for(self, planned: PlannedRun, now: dt.datetime) -> str:
        """Says how many earlier runs of the group this one makes up for."""
        if planned.group == planned.key or planned.key in self._rows():
            return ""
        began = self._began(now)
        known = self._rows()
        since = max(began, now - WEEK)
        earlier = [run for run in self.plan.standing(since, planned.at) if run.group == planned.group]
        missed = 0
        for run in reversed(earlier[:-1]):
            if run.key in known:
                break
            missed += 1
        return f"It stands in for {missed} that were missed." if missed else ""

    # Seals --------------------------------------------------------------------------------------------------------

    def _pending_seals(self, now: dt.datetime) -> list[PlannedRun]:
        latest = self._rows()
        return [
            run
            for run in self.plan.planned(now - LOOK_BACK, now + DAY)
            if run.is_seal
            and run.deadline is not None
            and run.deadline > now
            and ready_at(run, latest.get(run.key), now, is_woken=False) is not None
        ]

    def _record_missed(self, now: dt.datetime) -> list[JobRun]:
        """Writes down, once, each seal whose session began without it."""
        began = self._began(now)
        # Before qualifying and sprints were sealed at all, nobody missed a seal of theirs.
        kept = self.log.fact("began_targets")
        others = dt.datetime.fromisoformat(kept["at"]) if kept else now
        latest = self._rows()
        made = []
        for run in self.plan.current(now, self._began(now)):
            if not run.is_seal or run.deadline is None or not began < run.deadline <= now:
                continue
            if run.params.get("target", Target.RACE.value) != Target.RACE.value and run.deadline <= others:
                continue
            last = latest.get(run.key)
            if last is not None and last.status in (RunStatus.DONE, RunStatus.MISSED):
                continue
            is_optional = run.params.get("is_optional") == "yes"
            if last is not None and last.status is RunStatus.SKIPPED and is_optional:
                continue
            if self._is_sealed(run):
                status, note = RunStatus.DONE, "It was sealed by hand before the session began."
            elif is_optional and last is not None and last.status is RunStatus.NOT_YET:
                status, note = RunStatus.SKIPPED, f"The session began first. {last.note or ''}".strip()
            else:
                why = (last.error or last.note) if last else "no runner was at work in time"
                status, note = RunStatus.MISSED, f"The session began without it: {why}"
            self.log.record(run, status, now=now, note=note)
            row = self._look_again(run.key)
            get_logger(__name__).warning("seal_missed", key=run.key, status=status.value, note=note)
            made.append(row)
        return made

    def _is_sealed(self, run: PlannedRun) -> bool:
        ledger = Ledger(self.workspace.settings.ledger_root)
        stages = [run.params["stage"]] if "stage" in run.params else [stage.value for stage in Stage]
        target = run.params.get("target", Target.RACE.value)
        return any(
            ledger.get(prediction_name(run.params["event_id"], target, stage)) is not None for stage in stages
        )

    # The calendar moves -------------------------------------------------------------------------------------------

    def _note_moves(self, now: dt.datetime) -> None:
        """Keeps what is planned, and writes down which runs the calendar has moved since it was kept."""
        self.plan.look()
        noted = self._planned_from
        if noted is not None and noted[0] == self.plan.version and now - noted[1] < KEPT_FOR:
            return
        self._planned_from = (self.plan.version, now)
        self._note_without_times(now)
        plan = {run.key: run.at.isoformat() for run in self.plan.planned(now, now + LOOK_AHEAD)}
        if self._kept_plan is None:
            self._kept_plan = self.log.fact("plan") or {}
        if self._kept_plan == plan:
            return
        old = self._kept_plan
        moved = [
            {"key": key, "from": old[key], "to": plan.get(key, "")}
            for key in sorted(old)
            if plan.get(key) != old[key] and dt.datetime.fromisoformat(old[key]) > now
        ]
        if moved:
            get_logger(__name__).info("replanned", moved=len(moved))
            self.log.note_fact("replanned", {"at": now.isoformat(), "count": len(moved), "runs": moved[:20]})
        self.log.note_fact("plan", plan)
        self._kept_plan = plan

    def _note_without_times(self, now: dt.datetime) -> None:
        """Writes down what cannot be planned, and why, whenever that changes."""
        names = self.plan.unplannable(now)
        if names == (self.log.fact("without_times") or {}).get("names", []):
            return
        why = "The calendar does not say when these sessions begin."
        if names:
            get_logger(__name__).warning("not_planned", names=names, why=why)
        self.log.note_fact("without_times", {"at": now.isoformat(), "names": names, "why": why})


def sealed_targets(settings: Settings) -> set[tuple[str, str]]:
    """Events and targets of which something was sealed."""
    records = Ledger(settings.ledger_root).records
    names = [path.name.split(".") for path in records.glob("*.prediction.json")]
    return {(name[0], name[1]) for name in names}


def _has_seal(run: PlannedRun, sealed: Collection[tuple[str, str]]) -> bool:
    """Whether there is anything to settle: of the run's target, or of any where it names none."""
    event = run.params["event_id"]
    targets = [run.params["target"]] if "target" in run.params else [target.value for target in Target]
    return any((event, target) in sealed for target in targets)
