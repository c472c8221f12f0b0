"""An installation of an earlier version of the product: what was built then is brought up to date, never in the way."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from f1core.agenda import Job, PlannedRun
from f1core.build import build
from f1core.challenge import Decision
from f1core.clock import Clock
from f1core.forecasts import coming_events
from f1core.job_log import RunStatus
from f1core.settings import load_settings
from f1core.targets import PRODUCTION_MODEL
from f1core.training import trained_places
from f1core.workspace import Workspace
from jobs import tasks
from jobs.task_context import TaskContext
from jobs.tasks import InProcess
from models.joint import JointOrderModel
from models.race_model import ForestBoostingModel
from models.registry import Manifest, ModelRegistry, production_key
from tests.conftest import workspace_of
from tests.models.conftest import invented_races
from warehouse.errors import ModelArtifactError, NotTrained, ParcFermeError
from warehouse.queries.monitoring import challenges
from warehouse.snapshot import SNAPSHOT_FILE
from warehouse.vocab import Stage

TABLES_THEN = set(
    [
        "backtest_prediction_entries",
        "backtest_predictions",
        "backtest_scores",
        "circuit_layouts",
        "circuits",
        "compound_nominations",
        "constructor_lineage",
        "constructor_standings",
        "constructors",
        "driver_standings",
        "drivers",
        "entries",
        "events",
        "fastest_laps",
        "forecast_entries",
        "forecasts",
        "grands_prix",
        "laps",
        "pit_stops",
        "practice_results",
        "qualifying_results",
        "race_results",
        "ratings",
        "session_summaries",
        "sessions",
        "starting_grids",
        "stints",
        "track_status_periods",
    ]
)
"""What the first version had: no sealed records, no qualifying and sprint, no title odds, no challenges, no drift."""


@pytest.fixture(autouse=True)
def _small_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer orders and trees than in production: these tests look at what is trained when, not at how good it is."""
    monkeypatch.setitem(JointOrderModel.__init__.__kwdefaults__, "samples", 2_000)
    monkeypatch.setattr("models.place_regression.ROUNDS", 30)


@pytest.fixture(scope="module")
def old() -> ForestBoostingModel:
    features, labels = invented_races(seasons=2, races=3, drivers=6)
    return ForestBoostingModel(feature_names=("grid_position",)).fit(features, labels)


@pytest.fixture
def earlier(small_copy: Path, old: ForestBoostingModel) -> Path:
    """An installation as the first version left it: fewer tables, models of another class without a recipe on record."""
    snapshot = small_copy / "warehouse" / SNAPSHOT_FILE
    content = json.loads(snapshot.read_text())
    for name in content["versions"].keys() - TABLES_THEN:
        shutil.rmtree(small_copy / "warehouse" / name)
        del content["versions"][name]
    assert content["versions"].keys() == TABLES_THEN
    snapshot.write_text(json.dumps(content))
    shutil.rmtree(small_copy / "models")
    trained = dt.datetime(2026, 6, 28, tzinfo=dt.UTC)
    registry = ModelRegistry(small_copy / "models")
    for stage in Stage:
        manifest = Manifest(
            model=old.name,
            target="race",
            stages=(stage.value,),
            cutoff=trained,
            created_at=trained,
            feature_names=("grid_position",),
            data_version="f9d9704184e5",
        )
        registry.promote(registry.save(old, manifest), at=trained)
    return small_copy


def require_upgraded(data: Path) -> None:
    work = workspace_of(data)
    production = work.registry.production()
    places = trained_places()
    assert production.keys() == {production_key(target.value, stage.value) for target, stage in places}
    for target, stage in places:
        stored = work.registry.load_production(target.value, stage.value)
        assert stored.manifest.model == PRODUCTION_MODEL
    found = challenges(work.reader)
    decisions = dict(found.group_by("target").agg(pl.col("decision").unique()).iter_rows())
    assert decisions == {"race": [Decision.CHAMPION_UNUSABLE], "qualifying": [Decision.FIRST]}
    made = work.reader.table("forecasts")
    assert set(coming_events(work, work.clock.now())) <= set(made["event_id"])
    assert {PRODUCTION_MODEL} <= set(made["model"])


@pytest.mark.slow
def test_a_pass_of_the_scheduler_trains_first(earlier: Path) -> None:
    now = dt.datetime.now(dt.UTC)
    run = PlannedRun("forecast@now", Job.FORECAST, {}, now, None, "Forecasts")
    make = InProcess(lambda: workspace_of(earlier), sources=None)  # type: ignore[arg-type]
    outcome = make(run)
    assert (outcome.status, outcome.error) == (RunStatus.DONE, None)
    assert outcome.rows
    require_upgraded(earlier)
    assert make(run).note == "Every forecast is current."


@pytest.mark.slow
def test_a_build_over_it_ends_well(earlier: Path, small_archive: Path) -> None:
    settings = load_settings(data=earlier, archive=str(small_archive), workers=1)
    report = build(Workspace(settings, Clock.system()), lambda *_: None)
    require_upgraded(earlier)
    assert report.backtested > 0
    assert set(report.models.values()) == set(workspace_of(earlier).registry.production().values())
    reader = workspace_of(earlier).reader
    assert reader.table("championship_odds").height > 0
    assert reader.snapshot.versions.keys() > TABLES_THEN


@pytest.mark.parametrize("error", [NotTrained, ModelArtifactError])
def test_models_that_cannot_be_used_are_trained_once(
    error: type[ParcFermeError], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    monkeypatch.setattr("f1core.retraining.retrain", lambda _work: done.append("trained"))
    context = TaskContext(workspace_of(tmp_path), {}, None)  # type: ignore[arg-type]

    def forecast() -> str:
        if "trained" not in done:
            raise error("it cannot be used")
        return "forecast"

    assert tasks.with_models(context, forecast) == "forecast"
    assert done == ["trained"]

    def never() -> str:
        raise error("it cannot be used")

    with pytest.raises(error):
        tasks.with_models(context, never)
    assert done == ["trained", "trained"], "training that does not help is not repeated"
