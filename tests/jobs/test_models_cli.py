"""``python -m jobs models``: what is stored, what is in production, and changing that by hand."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from f1core.clock import Clock
from f1core.features.registry import feature_names
from f1core.retraining import _Retraining
from f1core.settings import load_settings
from f1core.workspace import Workspace
from models.baselines import GridOrder
from models.joint import JointOrderModel
from models.metrics import SCORE_NAMES
from models.registry import Manifest, ModelRegistry
from tests.conftest import Answer, workspace_of
from tests.models.conftest import invented_races
from warehouse.errors import NotTrained
from warehouse.lock import writer_lock
from warehouse.vocab import Stage, Target

NOW = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
READS = ("grid_position", "elo_combined", "championship_position")
Jobs = Callable[..., Answer]


@pytest.fixture(scope="module")
def trained() -> tuple[JointOrderModel, GridOrder]:
    features, labels = invented_races(seasons=3, races=4, drivers=6)
    assert set(READS) <= set(feature_names(Stage.PRE_RACE))
    model = JointOrderModel(feature_names=READS, samples=200, seed=1)
    return model.fit(features, labels), GridOrder().fit(features, labels)


@pytest.fixture
def data(tiny_data: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_data, tmp_path / "data"))


@pytest.fixture
def registry(data: Path) -> ModelRegistry:
    return ModelRegistry(load_settings(data=data).models_root)


@pytest.fixture
def versions(registry: ModelRegistry, trained: tuple[JointOrderModel, GridOrder]) -> list[str]:
    """Three versions of one model, the first two of which went into production by themselves, and a baseline."""
    model, grid = trained
    made = [
        registry.save(
            model,
            Manifest(
                model=model.name,
                target="race",
                stages=("pre_race",),
                cutoff=NOW,
                created_at=NOW + dt.timedelta(days=day),
                feature_names=READS,
                data_version=f"recipe-facts{day}",
                seeds={"fit": 1},
                metrics={"count_races": 24.0, "win_log_loss": 1.25, "gap_mae_s": None},
                git_revision="abc",
            ),
        )
        for day in range(3)
    ]
    for day, version in enumerate(made[:2]):
        registry.promote(version, at=NOW + dt.timedelta(days=day))
    baseline = Manifest("grid", "race", ("pre_race",), NOW, NOW, data_version="recipe-facts")
    return [*made, registry.save(grid, baseline)]


def in_production(registry: ModelRegistry) -> str:
    return registry.production()["race/pre_race"]


def test_all_versions_are_listed_and_those_in_production_marked(
    jobs: Jobs, data: Path, versions: list[str]
) -> None:
    rows = json.loads(jobs("models", "list", "--json", data=data).out)
    assert [row["version"] for row in rows[:2]] == [versions[2], versions[1]]
    assert {row["version"] for row in rows} == set(versions)
    assert [row["version"] for row in rows if row["is_in_production"]] == [versions[1]]
    (baseline,) = json.loads(jobs("models", "list", "--model", "grid", "--json", data=data).out)
    assert (baseline["version"], baseline["count_features"]) == (versions[3], 0)
    assert json.loads(jobs("models", "list", "--target", "qualifying", "--json", data=data).out) == []
    text = jobs("models", "list", data=data).out
    assert all(version in text for version in versions)


def test_an_installation_without_models_says_how_to_get_some(jobs: Jobs, data: Path) -> None:
    assert jobs("models", "list", data=data).out.strip() == "No model is stored. Run `python -m jobs train`."


def test_a_version_is_shown_whole(
    jobs: Jobs, data: Path, versions: list[str], registry: ModelRegistry
) -> None:
    shown = json.loads(jobs("models", "show", versions[1], "--json", data=data).out)
    stored = registry.manifest(versions[1]).to_json()
    assert {name: shown[name] for name in stored} == json.loads(json.dumps(stored))
    assert (shown["recipe"], shown["in_production"]) == ("recipe", ["race/pre_race"])
    assert [step["action"] for step in shown["history"]] == ["promote"]
    assert shown["walk_forward"] == {}, "nothing of this recipe was backtested"
    text = jobs("models", "show", versions[1], data=data).out
    for word in (
        *READS,
        *stored["files"].values(),
        "recipe-facts1",
        "fit 1",
        "abc",
        "1.2500",
        "not measured",
    ):
        assert word in text


def test_the_beginning_of_a_name_will_do_when_it_is_unique(
    jobs: Jobs, data: Path, versions: list[str]
) -> None:
    assert (
        json.loads(jobs("models", "show", versions[3][:16], "--json", data=data).out)["version"]
        == versions[3]
    )
    several = jobs("models", "show", "race-pre_race-joint", data=data)
    assert several.code == 2 and "the beginning of 3 versions" in several.err
    unknown = jobs("models", "show", "race-nowhere", data=data)
    assert unknown.code == 2 and "There is no model version race-nowhere" in unknown.err


def test_a_version_is_put_into_production_by_hand_and_back(
    jobs: Jobs, data: Path, versions: list[str], registry: ModelRegistry
) -> None:
    done = json.loads(jobs("models", "promote", versions[2], "--yes", "--json", data=data).out)
    assert done == {"version": versions[2], "places": [{"place": "race/pre_race", "before": versions[1]}]}
    assert in_production(registry) == versions[2]
    assert registry.history("race", "pre_race")[-1]["action"] == "promote by hand"
    back = jobs("models", "rollback", "--target", "race", "--stage", "pre_race", "--yes", data=data)
    assert back.code == 0 and f"{versions[1]} is in production again" in back.out
    again = jobs(
        "models", "rollback", "--target", "race", "--stage", "pre_race", "--yes", "--json", data=data
    )
    assert json.loads(again.out)["version"] == in_production(registry) == versions[0]
    end = jobs("models", "rollback", "--target", "race", "--stage", "pre_race", "--yes", data=data)
    assert end.code == NotTrained.exit_code and "no earlier model for race/pre_race" in end.err
    assert in_production(registry) == versions[0]


def test_what_cannot_go_into_production_does_not(
    jobs: Jobs, data: Path, versions: list[str], registry: ModelRegistry
) -> None:
    baseline = jobs("models", "promote", versions[3], "--yes", data=data)
    assert baseline.code == 9 and "grid is a baseline" in baseline.err
    damaged = registry.root / "versions" / versions[2]
    (damaged / "places.ubj").write_bytes(b"another file")
    altered = jobs("models", "promote", versions[2], "--yes", data=data)
    assert altered.code == 9 and "not the file that was stored" in altered.err
    (damaged / "manifest.json").write_text("{")
    assert jobs("models", "promote", versions[2], "--yes", data=data).code == 9
    with writer_lock(load_settings(data=data).locks_root, holder="a test"):
        busy = jobs("models", "promote", versions[0], "--yes", data=data)
    assert busy.code == 6 and "a test" in busy.err
    assert in_production(registry) == versions[1]


def test_nothing_is_changed_unasked(
    jobs: Jobs, data: Path, versions: list[str], registry: ModelRegistry
) -> None:
    for command in (("promote", versions[0]), ("rollback", "--target", "race", "--stage", "pre_race")):
        asked = jobs("models", *command, data=data)
        assert asked.code == 1 and "Add --yes" in asked.err
    assert in_production(registry) == versions[1]


def test_places_without_models_of_their_own_are_explained(
    jobs: Jobs, data: Path, versions: list[str]
) -> None:
    sprint = jobs("models", "rollback", "--target", "sprint", "--stage", "pre_race", "--yes", data=data)
    assert sprint.code == 7 and "Use --target race" in sprint.err
    late = jobs("models", "rollback", "--target", "qualifying", "--stage", "pre_race", "--yes", data=data)
    assert late.code == 7 and "pre_qualifying" in late.err


def test_what_was_taken_out_by_hand_does_not_come_back_by_itself(
    data: Path, versions: list[str], registry: ModelRegistry
) -> None:
    work = workspace_of(data)
    retraining = _Retraining(work, False, lambda *_: None)
    place = (Target.RACE, Stage.PRE_RACE)
    retraining.versions[Target.RACE] = "recipe-facts1"
    assert retraining._rolled_back_from(place) is None, (
        "the version of these facts is in production by itself"
    )
    registry.promote(versions[2], at=NOW, is_by_hand=True)
    registry.promote(versions[0], at=NOW, is_by_hand=True)
    found = retraining._rolled_back_from(place)
    assert found is not None and found.version == versions[1]
    retraining.versions[Target.RACE] = "recipe-newer"
    assert retraining._rolled_back_from(place) is None, "new facts are trained on"
    registry.promote(versions[1], at=NOW)
    retraining.versions[Target.RACE] = "recipe-facts0"
    assert retraining._rolled_back_from(place) is None, "facts that returned are no choice of anybody"


def test_a_simulated_clock_changes_nothing(data: Path, versions: list[str], registry: ModelRegistry) -> None:
    from f1core.model_registry import promote_by_hand, roll_back
    from warehouse.errors import NotReady

    work = Workspace(load_settings(data=data), Clock.at("2026-11-20T12:00Z"))
    with pytest.raises(NotReady):
        promote_by_hand(work, versions[2])
    with pytest.raises(NotReady):
        roll_back(work, Target.RACE, Stage.PRE_RACE)
    assert in_production(registry) == versions[1]


@pytest.mark.slow
def test_trained_models_say_what_their_recipe_scored(small_copy: Path) -> None:
    """A build trains before it backtests: nothing is measured then. What is trained after that says what it scored."""
    from f1core.retraining import retrain
    from models.metrics import pool
    from warehouse.queries.accuracy import backtest_scores

    work = workspace_of(small_copy)
    key = "race/pre_race"
    first = work.registry.manifest(work.registry.production()[key])
    assert first.metrics == {"count_races": 0.0, **dict.fromkeys(SCORE_NAMES)}
    # The same facts and recipe, as if they were trained anew: nothing is stored.
    shutil.rmtree(work.settings.models_root / "versions")
    (work.settings.models_root / "production.json").unlink()
    (report,) = retrain(workspace_of(small_copy), stages=(Stage.PRE_RACE,), targets=(Target.RACE,))
    scores = {row["model"]: row for row in pool(backtest_scores(work.reader, stage="pre_race")).to_dicts()}
    manifest = work.registry.manifest(report.challenger)
    mine = scores[manifest.model]
    assert manifest.metrics["count_races"] == mine["count_events"] > 0
    assert all(
        manifest.metrics[name] == pytest.approx(mine[name])
        if mine[name] is not None
        else manifest.metrics[name] is None
        for name in SCORE_NAMES
    )
