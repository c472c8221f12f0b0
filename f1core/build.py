"""From facts to a working product in one go: ingest, features, models, backtest, forecasts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from f1core.backtest import BUILD_RACES, PLACES, STAGES, Backtest
from f1core.backtest_progress import ProgressKeeper
from f1core.championship import bring_championship
from f1core.drift import remeasure_drift
from f1core.forecasts import coming_events, refresh_forecasts
from f1core.ingest import IngestReport, ingest
from f1core.installation import choose_facts, is_demo
from f1core.ledger_tables import publish_ledger
from f1core.published import publish_documents
from f1core.retraining import retrain
from f1core.settings import REPOSITORY
from f1core.strategy.fit import bring_strategy
from f1core.targets import placed, rules_of
from f1core.training import extract_missing, trained_places
from f1core.walk_forward import WalkForward
from f1core.workspace import Workspace
from warehouse.errors import NotReady
from warehouse.vocab import Stage, Target

Progress = Callable[[str, str, int | None, int | None], None]
"""Told step, words, how many units were finished since the last call, and how many there are in all."""


@dataclass(frozen=True)
class BuildReport:
    """What a build did.

    Attributes:
        ingest: What was ingested; None when no archive was found and the facts that were there are kept.
        is_demo: Whether it is the demo season.
        models: Version in production by target and stage, e.g. ``pre_race``, ``qualifying pre_weekend``.
        backtested: Backtested forecasts in the tables.
        forecasts: Events forecast.
    """

    ingest: IngestReport | None
    is_demo: bool
    models: dict[str, str]
    backtested: int
    forecasts: list[str]


def build(workspace: Workspace, progress: Progress) -> BuildReport:
    """Builds everything that is missing or stale; repeating it does only what facts or code made necessary.

    Args:
        workspace: With the system's clock.
        progress: Shown to whoever waits.

    Raises:
        ParcFermeError: A step failed; what was published before stays readable, and a repeated build goes on there.
    """
    now = workspace.clock.now()
    progress("ingest", "looking for facts", None, None)
    settings, place = choose_facts(workspace.settings, beside=REPOSITORY, now=now)
    ingested = None
    if place is None:
        progress("ingest", "no archive found: the facts that are there are kept", None, None)
    else:
        progress("ingest", f"facts from {place.path} ({place.reason})", None, None)
        ingested = ingest(
            settings, place, now=now, progress=lambda words: progress("ingest", words, None, None)
        )
    fresh = Workspace(settings, workspace.clock)
    races = fresh.labels["event_id"].n_unique()
    progress("features", "", 0, races * len(Stage))
    extract_missing(fresh, tuple(Stage), lambda words, done: progress("features", words, done, None))
    progress("models", "", 0, len(trained_places()))
    trained = retrain(fresh, progress=lambda words, done: progress("models", words, done, None))
    backtested = run_backtest(fresh, progress, last=BUILD_RACES)
    coming = coming_events(fresh, now)
    progress("forecasts", f"{len(coming)} coming events", None, None)
    refresh_forecasts(fresh, coming)
    progress("championship", "", None, None)
    bring_championship(fresh)
    progress("strategy", "", None, None)
    bring_strategy(fresh)
    if fresh.settings.ledger_root.exists():
        # A warehouse that was lost or of an older schema gets its sealed records back from the ledger.
        publish_ledger(fresh)
    versions = {placed(done.target, done.stage): done.in_production for done in trained}
    return BuildReport(ingested, is_demo(settings), versions, backtested, coming)


def run_backtest(
    workspace: Workspace,
    progress: Progress,
    *,
    from_season: int | None = None,
    until_season: int | None = None,
    last: int | None = None,
    compare: Sequence[str] = (),
    stop: Callable[[], str] = lambda: "",
) -> int:
    """Runs the backtest over some races, publishes its tables and measures drift anew.

    Over whole seasons it keeps its progress in a file; see :mod:`f1core.backtest_progress`.

    Args:
        workspace: The installation.
        progress: Shown to whoever waits.
        from_season: First season; None for the last races only.
        until_season: Last season; None for the newest.
        last: How many races where no season is given.
        compare: Models of :func:`f1core.backtest.comparable` that forecast races beside ours.
        stop: Asked after every block; the reason to stop there, or nothing.

    Returns:
        Rows of ``backtest_predictions`` (heads) in the tables now.

    Raises:
        NotReady: It was asked to stop; what is done is kept on disk, the tables are as they were.
    """
    backtest = Backtest(workspace)
    events = backtest.chosen(from_season=from_season, until_season=until_season, last=last)
    beside = len(compare) * sum(target is Target.RACE for target, _ in PLACES)
    count = sum(len(backtest.sessions(events, target)) for target, _ in PLACES) + beside * len(events)
    progress("backtest", f"{len(events)} races", 0, count)
    keeper = None
    if from_season is not None:
        now = workspace.clock.now()
        keeper = ProgressKeeper(workspace.settings, backtest.version, from_season, until_season, now)
    extract_missing(workspace, STAGES)
    extract_missing(workspace, rules_of(Target.SPRINT).backtested, target=Target.SPRINT)
    report = backtest.run(
        events,
        compare=compare,
        progress=lambda words, done: progress("backtest", words, done, None),
        keeper=keeper,
        stop=stop,
    )
    if report.stopped:
        if keeper is not None:
            keeper.stop(report.stopped, workspace.clock.now())
        raise NotReady(
            f"The backtest stopped after {report.count_done} more forecasts: {report.stopped}.",
            hint="It goes on from there.",
        )
    with workspace.writing("backtest") as store:
        rows = backtest.publish(store)
        WalkForward(workspace).keep(backtest.collect("scores"))
        if store.changed:
            store.publish(now=workspace.clock.now())
        publish_documents(workspace.settings, workspace.reader)
    if keeper is not None:
        keeper.end(workspace.clock.now())
    remeasure_drift(workspace)
    return rows["backtest_predictions"]
