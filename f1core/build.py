"""From facts to a working product in one go: ingest, features, models, backtest, forecasts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from f1core.backtest import BUILD_RACES, STAGES, Backtest
from f1core.drift import remeasure_drift
from f1core.forecasts import coming_events, refresh_forecasts
from f1core.ingest import IngestReport, ingest
from f1core.installation import choose_facts, is_demo
from f1core.ledger_tables import publish_ledger
from f1core.published import publish_documents
from f1core.retraining import retrain
from f1core.settings import REPOSITORY
from f1core.training import extract_missing
from f1core.walk_forward import WalkForward
from f1core.workspace import Workspace
from warehouse.vocab import Stage

Progress = Callable[[str, str, int | None, int | None], None]
"""Told step, words, how many units were finished since the last call, and how many there are in all."""


@dataclass(frozen=True)
class BuildReport:
    """What a build did.

    Attributes:
        ingest: What was ingested; None when no archive was found and the facts that were there are kept.
        is_demo: Whether it is the demo season.
        models: Version in production by stage.
        backtested: Races and stages in the backtest tables.
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
    progress("models", "", 0, len(Stage))
    trained = retrain(fresh, progress=lambda words, done: progress("models", words, done, None))
    backtested = run_backtest(fresh, progress, last=BUILD_RACES)
    coming = coming_events(fresh, now)
    progress("forecasts", f"{len(coming)} coming events", None, None)
    refresh_forecasts(fresh, coming)
    if fresh.settings.ledger_root.exists():
        # A warehouse that was lost or of an older schema gets its sealed records back from the ledger.
        publish_ledger(fresh)
    versions = {done.stage.value: done.in_production for done in trained}
    return BuildReport(ingested, is_demo(settings), versions, backtested, coming)


def run_backtest(
    workspace: Workspace, progress: Progress, *, from_season: int | None = None, last: int | None = None
) -> int:
    """Runs the backtest over some races, publishes its tables and measures drift anew.

    Returns:
        Rows of ``backtest_predictions`` (heads) in the tables now.
    """
    backtest = Backtest(workspace)
    events = backtest.chosen(from_season=from_season, last=last)
    progress("backtest", f"{len(events)} races", 0, len(events) * len(STAGES))
    extract_missing(workspace, STAGES)
    backtest.run(events, progress=lambda words, done: progress("backtest", words, done, None))
    with workspace.writing("backtest") as store:
        rows = backtest.publish(store)
        WalkForward(workspace).keep(backtest.collect("scores"))
        if store.changed:
            store.publish(now=workspace.clock.now())
        publish_documents(workspace.settings, workspace.reader)
    remeasure_drift(workspace)
    return rows["backtest_predictions"]
