"""The tasks of the agenda: thin functions over the use cases, the same for the scheduler and for a rehearsal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from f1core.agenda import Job, PlannedRun
from f1core.job_sources import Sources
from f1core.log import get_logger
from f1core.workspace import Workspace
from jobs import session_tasks
from jobs.outcome import Outcome, TaskResult, outcome_of
from jobs.task_context import Task, TaskContext, bring_facts, joined
from warehouse.errors import (
    ModelArtifactError,
    NotPublished,
    NotReady,
    NotTrained,
    SourceError,
    SourceUnavailable,
)
from warehouse.vocab import SessionKind, Stage, Target

T = TypeVar("T")


class InProcess:
    """Makes runs in this process: for rehearsals, and inside the process that the scheduler starts for a run.

    Args:
        open_workspace: Opens the installation afresh; every run sees what was published before it.
        sources: The outside world.
        tasks: Functions by job.
    """

    def __init__(
        self,
        open_workspace: Callable[[], Workspace],
        sources: Sources,
        tasks: Mapping[Job, Task] | None = None,
    ) -> None:
        self.open_workspace = open_workspace
        self.sources = sources
        self.tasks = TASKS if tasks is None else tasks

    def __call__(self, planned: PlannedRun, limit_s: float = 0.0) -> Outcome:
        """Makes a run; nothing limits its time."""
        return outcome_of(
            lambda: self.tasks[planned.job](TaskContext(self.open_workspace(), planned.params, self.sources))
        )


# Facts --------------------------------------------------------------------------------------------------------------


def f1db_check(context: TaskContext) -> TaskResult:
    """The F1DB release, when there is a newer one, and the season in line with it."""
    news = context.sources.check_release(context.workspace)
    done = bring_facts(context)
    return TaskResult(done.rows, joined(news.note, done.note))


def full_season(context: TaskContext) -> TaskResult:
    """The whole season anew: the release read again, everything compared with what is there."""
    news = context.sources.check_release(context.workspace, force=True)
    done = bring_facts(context)
    return TaskResult(done.rows, joined(news.note, done.note))


def calendar(context: TaskContext) -> TaskResult:
    """The calendar with its session times; says what moved."""
    from f1core.calendar_moves import calendar_moves, session_table
    from f1core.championship import bring_championship

    before = session_table(context.workspace)
    season = context.workspace.clock.now().year
    news = context.sources.fetch_schedule(context.workspace, season)
    bring_facts(context)
    moves = calendar_moves(before, session_table(context.workspace), context.workspace.clock.now())
    if moves:
        bring_championship(context.workspace)
    return TaskResult(len(moves), joined(news.note, "; ".join(moves) or "nothing moved"))


def results(context: TaskContext) -> TaskResult:
    """Results and standings; for an event its grid or its official result, waited for until they are there."""
    from f1core.championship import bring_championship
    from f1core.predict import best_stage

    wanted = context.params.get("wanted")
    unavailable: SourceError | None = None
    notes = []
    try:
        notes.append(context.sources.check_release(context.workspace).note)
    except SourceUnavailable as error:
        unavailable = error
    if wanted == "race" and not _has_result(context):
        try:
            context.sources.fetch_session(context.workspace, context.event_id, SessionKind.RACE)
        except (NotReady, SourceError) as error:
            notes.append(str(error))
    done = bring_facts(context)
    if wanted is None and unavailable is not None and not done.rows:
        raise unavailable
    if wanted == "race" and not _has_result(context):
        raise unavailable or NotPublished(f"No source has the result of {context.event_id} yet.")
    if wanted == "race":
        # Whether or not anything of it was sealed: the title odds go by results.
        bring_championship(context.workspace)
    if wanted == "grid":
        now = context.workspace.clock.now()
        target = Target(context.params.get("target", Target.RACE.value))
        if best_stage(context.workspace.reader, context.event_id, now, target) is not Stage.PRE_RACE:
            raise NotPublished(f"No source has the starting grid of {context.event_id} yet.")
    return TaskResult(done.rows, joined(*notes, done.note))


def _has_result(context: TaskContext) -> bool:
    from warehouse.queries.results import event_result

    lines = event_result(context.workspace.reader, context.event_id, Target.RACE.value)
    return not lines.is_empty() and lines["known_at"][0] <= context.workspace.clock.now()


# Seals and scores ---------------------------------------------------------------------------------------------------


def freeze(context: TaskContext) -> TaskResult:
    """The seal of an event, target and stage, once; without a stage the furthest that is known."""
    from f1core.freeze import freeze as seal
    from f1core.ledger_tables import publish_ledger

    stage = Stage(context.params["stage"]) if "stage" in context.params else None
    target = Target(context.params.get("target", Target.RACE.value))
    record, is_new = with_models(
        context, lambda: seal(context.workspace, context.event_id, stage=stage, target=target)
    )
    # Also when it was sealed before: the process that did may have died before its tables were made.
    publish_ledger(context.workspace)
    return TaskResult(
        int(is_new), f"{'Sealed' if is_new else 'Sealed before:'} {record.name}, {record.hash[:12]}"
    )


def settle(context: TaskContext) -> TaskResult:
    """The score of what was sealed, again when the result was corrected; without a target of all that was."""
    from f1core.championship import bring_championship
    from f1core.drift import remeasure_drift
    from f1core.ledger import Ledger, prediction_name
    from f1core.ledger_tables import publish_ledger
    from f1core.settle import settle as score

    if _has_result(context):
        bring_championship(context.workspace)
    ledger = Ledger(context.workspace.settings.ledger_root)
    wanted = [Target(context.params["target"])] if "target" in context.params else list(Target)
    sealed = [
        target
        for target in wanted
        if any(ledger.get(prediction_name(context.event_id, target.value, stage.value)) for stage in Stage)
    ]
    if not sealed:
        return TaskResult(0, f"Nothing of {context.event_id} was sealed.", is_skipped=True)
    done, missing = [], []
    for target in sealed:
        try:
            done += score(context.workspace, context.event_id, target=target)
        except NotReady as error:
            missing.append(error)
    if missing and len(missing) == len(sealed):
        # What has no result keeps nothing waiting that has one: a sprint may have been called off.
        raise missing[0]
    publish_ledger(context.workspace)
    new = [record.name for record, is_new in done if is_new]
    if new:
        remeasure_drift(context.workspace)
    return TaskResult(len(new), ", ".join(new) or "The result is as it was.")


# Models and forecasts -----------------------------------------------------------------------------------------------


def with_models(context: TaskContext, act: Callable[[], T]) -> T:
    """What an act gives; where models are missing, damaged or of an earlier version, they are trained first, once."""
    from f1core.retraining import retrain as challenge

    try:
        return act()
    except (NotTrained, ModelArtifactError) as error:
        if not context.workspace.settings.auto_retrain_enabled:
            raise
        get_logger(__name__).warning("training_first", reason=str(error))
        challenge(context.workspace)
        return act()


def forecast(context: TaskContext) -> TaskResult:
    """The provisional forecasts: of one event, or of the coming ones."""
    from f1core.forecasts import coming_events, refresh_forecasts
    from f1core.targets import placed

    work = context.workspace
    wanted = context.params.get("event_id")
    coming = [wanted] if wanted else coming_events(work, work.clock.now())
    made = with_models(context, lambda: refresh_forecasts(work, coming))
    words = [
        f"{head['event_id']} {placed(Target(head['target']), Stage(head['stage']))}"
        for head in (one.heads.row(0, named=True) for one in made)
    ]
    return TaskResult(len(made), ", ".join(words) or "Every forecast is current.")


def retrain(context: TaskContext) -> TaskResult:
    """Challengers for the models in production, once the result of an event is there."""
    from f1core.retraining import retrain as challenge
    from f1core.targets import placed

    if not _has_result(context):
        raise NotReady(f"The result of {context.event_id} is not in the data yet.")
    # A rehearsal asks for the stages it will still forecast; the agenda for all.
    stages = [Stage(name) for name in context.params.get("stages", "").split() or Stage]
    reports = challenge(context.workspace, stages=stages)
    promoted = [one for one in reports if one.is_new and one.decision.promotes]
    return TaskResult(
        len(promoted), " ".join(f"{placed(one.target, one.stage)}: {one.reason}" for one in reports)
    )


def strategy(context: TaskContext) -> TaskResult:
    """The simulator's parameters, once the laps of an event are there: races that are new or changed are measured."""
    from f1core.strategy.fit import fit_strategy

    done = fit_strategy(context.workspace)
    if context.event_id not in {*done.measured, *done.kept}:
        raise NotReady(f"The laps of {context.event_id} are not in the data yet.")
    return TaskResult(len(done.measured), f"{done.circuits} circuits, fit {done.version or 'none yet'}.")


def maintenance(context: TaskContext) -> TaskResult:
    """Small files joined, old versions, drafts and unused caches deleted."""
    from f1core.job_status import job_log
    from f1core.maintenance import maintain

    done = maintain(context.workspace)
    pruned = job_log(context.workspace).prune(context.workspace.clock.now())
    return TaskResult(len(done.compacted), f"{done.words} {pruned} old rows of the job log removed.")


def backtest(context: TaskContext) -> TaskResult:
    """The backtest of all test seasons: begun, gone on with, or found complete; never while a session is near."""
    from f1core.full_backtest import continue_full_backtest

    rows = continue_full_backtest(context.workspace)
    return TaskResult(rows, "" if rows else "Every race is in the tables, forecast by the present recipe.")


TASKS: dict[Job, Task] = {
    Job.CALENDAR: calendar,
    Job.F1DB_CHECK: f1db_check,
    Job.FULL_SEASON: full_season,
    Job.RESULTS: results,
    Job.FREEZE: freeze,
    Job.SETTLE: settle,
    Job.RETRAIN: retrain,
    Job.FORECAST: forecast,
    Job.STRATEGY: strategy,
    Job.MAINTENANCE: maintenance,
    Job.BACKTEST: backtest,
    Job.LINEUP: session_tasks.lineup,
    Job.WEATHER: session_tasks.weather,
    Job.EXTRACT: session_tasks.extract,
    Job.BACKFILL: session_tasks.backfill,
}
