from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path

import numpy as np
import pytest

from models import registry as registry_module
from models.baselines import GridOrder
from models.race_model import ForestBoostingModel
from models.registry import Manifest, ModelRegistry
from warehouse.errors import ModelArtifactError, NotTrained

NOW = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)


def manifest(**changes: object) -> Manifest:
    content = {
        "model": "grid",
        "target": "race",
        "stages": ("pre_race",),
        "cutoff": NOW,
        "created_at": NOW,
        "data_version": "d1",
        "seeds": {"train": 0},
        "metrics": {"mae_ranked": 3.27, "gap_mae_s": None},
        "git_revision": "abc",
    }
    return Manifest(**(content | changes))  # type: ignore[arg-type]


@pytest.fixture
def grid(races) -> GridOrder:
    return GridOrder().fit(*races)


@pytest.fixture
def registry(tmp_path: Path) -> ModelRegistry:
    return ModelRegistry(tmp_path / "models")


def test_what_is_saved_is_loaded(registry: ModelRegistry, trained: ForestBoostingModel, races) -> None:
    described = manifest(
        model="rf_xgb", feature_names=trained.feature_names, stages=("post_qualifying", "pre_race")
    )
    version = registry.save(trained, described)
    assert version.startswith("race-post_qualifying-pre_race-rf_xgb-20261101-")
    stored = registry.load(version)
    assert stored.model.predict(races[0]).equals(trained.predict(races[0]))
    assert stored.manifest.feature_names == trained.feature_names
    assert stored.manifest.metrics == {"mae_ranked": 3.27, "gap_mae_s": None}
    assert stored.manifest.cutoff == NOW and stored.manifest.version == version
    assert set(stored.manifest.files) == set(trained.to_artifacts())


def test_the_same_model_saved_twice_is_one_version(registry: ModelRegistry, grid: GridOrder) -> None:
    first = registry.save(grid, manifest())
    assert registry.save(grid, manifest()) == first
    other = registry.save(grid, manifest(created_at=NOW + dt.timedelta(hours=1)))
    assert [each.version for each in registry.list()] == [first, other]


def test_a_damaged_version_is_replaced_by_saving_it_again(registry: ModelRegistry, grid: GridOrder) -> None:
    version = registry.save(grid, manifest())
    (registry.root / "versions" / version / "slots.npz").unlink()
    assert registry.save(grid, manifest()) == version
    registry.load(version)


@pytest.mark.parametrize("damage", ["truncate", "alter", "remove"])
@pytest.mark.parametrize("name", ["slots.npz", "model.json"])
def test_a_damaged_file_is_named(registry: ModelRegistry, grid: GridOrder, damage: str, name: str) -> None:
    version = registry.save(grid, manifest())
    path = registry.root / "versions" / version / name
    content = path.read_bytes()
    if damage == "truncate":
        path.write_bytes(content[: len(content) // 2])
    elif damage == "alter":
        path.write_bytes(content[:10] + bytes([content[10] ^ 1]) + content[11:])
    else:
        path.unlink()
    with pytest.raises(ModelArtifactError, match=name):
        registry.load(version)
    with pytest.raises(ModelArtifactError, match=name):
        registry.promote(version, at=NOW)
    assert registry.production() == {}


def test_a_broken_or_newer_manifest_is_refused(registry: ModelRegistry, grid: GridOrder) -> None:
    version = registry.save(grid, manifest())
    path = registry.root / "versions" / version / "manifest.json"
    content = json.loads(path.read_text())
    for broken in ('{"format": 1', json.dumps({**content, "format": 2}), json.dumps({"format": 1}), "[]"):
        path.write_text(broken)
        with pytest.raises(ModelArtifactError, match=r"manifest\.json"):
            registry.load(version)
    assert registry.list() == []
    path.write_text(json.dumps({**content, "files": {"../../../secret": "0" * 64}}))
    with pytest.raises(ModelArtifactError, match="not a valid name"):
        registry.load(version)
    with pytest.raises(ModelArtifactError, match="not a valid name"):
        registry.load("../versions")


def test_promotion_and_rollback(registry: ModelRegistry, grid: GridOrder) -> None:
    one, two, three = (
        registry.save(grid, manifest(data_version=f"d{k}", created_at=NOW + dt.timedelta(hours=k)))
        for k in range(3)
    )
    qualifying = registry.save(grid, manifest(stages=("post_qualifying",)))
    assert registry.promote(one, at=NOW) == ("race/pre_race",)
    registry.promote(qualifying, at=NOW)
    registry.promote(two, at=NOW)
    registry.promote(two, at=NOW)
    registry.promote(three, at=NOW)
    assert registry.production() == {"race/pre_race": three, "race/post_qualifying": qualifying}
    assert registry.rollback("race", "pre_race", at=NOW) == two
    assert registry.rollback("race", "pre_race", at=NOW) == one
    with pytest.raises(NotTrained, match="no earlier model"):
        registry.rollback("race", "pre_race", at=NOW)
    assert registry.production() == {"race/pre_race": one, "race/post_qualifying": qualifying}
    assert registry.load_production("race", "pre_race").manifest.version == one
    assert [step["action"] for step in registry.history("race", "pre_race")] == ["promote"] * 4 + [
        "rollback"
    ] * 2


def test_a_rollback_onto_a_damaged_version_changes_nothing(registry: ModelRegistry, grid: GridOrder) -> None:
    one, two = (registry.save(grid, manifest(data_version=f"d{k}")) for k in range(2))
    registry.promote(one, at=NOW)
    registry.promote(two, at=NOW)
    (registry.root / "versions" / one / "slots.npz").write_bytes(b"")
    with pytest.raises(ModelArtifactError):
        registry.rollback("race", "pre_race", at=NOW)
    assert registry.production() == {"race/pre_race": two}


def test_without_a_pointer_nothing_is_in_production(registry: ModelRegistry, grid: GridOrder) -> None:
    assert registry.production() == {} and list(registry.list()) == []
    with pytest.raises(NotTrained, match="race/pre_race"):
        registry.load_production("race", "pre_race")
    registry.promote(registry.save(grid, manifest()), at=NOW)
    (registry.root / "production.json").unlink()
    with pytest.raises(NotTrained):
        registry.load_production("race", "pre_race")


@pytest.mark.parametrize("content", ["", '{"format": 1, "prod', '{"format": 9, "production": {}}', "3"])
def test_a_damaged_pointer_is_named(registry: ModelRegistry, grid: GridOrder, content: str) -> None:
    registry.promote(registry.save(grid, manifest()), at=NOW)
    (registry.root / "production.json").write_text(content)
    with pytest.raises(ModelArtifactError, match=r"production\.json"):
        registry.load_production("race", "pre_race")


class Killed(BaseException):
    """Stands for the end of the process: nothing in the product catches it."""


@pytest.mark.parametrize("fatal_write", [1, 2, 3])
def test_killed_while_saving(
    registry: ModelRegistry, grid: GridOrder, monkeypatch: pytest.MonkeyPatch, fatal_write: int
) -> None:
    safe = registry.save(grid, manifest())
    registry.promote(safe, at=NOW)
    write, count = registry_module._write_synced, 0

    def dying(path: Path, content: bytes) -> None:
        nonlocal count
        count += 1
        if count == fatal_write:
            path.write_bytes(content[: len(content) // 2])
            raise Killed
        write(path, content)

    monkeypatch.setattr(registry_module, "_write_synced", dying)
    with pytest.raises(Killed):
        registry.save(grid, manifest(data_version="d2"))
    left_over = [path for path in (registry.root / "versions").iterdir() if path.name.startswith(".tmp-")]
    assert len(left_over) == 1
    assert [each.version for each in registry.list()] == [safe]
    assert registry.load_production("race", "pre_race").manifest.version == safe
    monkeypatch.undo()
    second = registry.save(grid, manifest(data_version="d2"))
    assert sorted(path.name for path in (registry.root / "versions").iterdir()) == sorted([safe, second])


def test_killed_while_promoting(
    registry: ModelRegistry, grid: GridOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = (registry.save(grid, manifest(data_version=f"d{k}")) for k in range(2))
    registry.promote(one, at=NOW)

    def dying(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(os, "replace", dying)
    with pytest.raises(Killed):
        registry.promote(two, at=NOW)
    monkeypatch.undo()
    assert registry.production() == {"race/pre_race": one}
    registry.promote(two, at=NOW)
    assert registry.production() == {"race/pre_race": two}


def test_an_unwritable_folder_is_one_clear_message(tmp_path: Path, grid: GridOrder) -> None:
    (tmp_path / "models").write_text("a file where the folder should be")
    with pytest.raises(ModelArtifactError, match="cannot be stored"):
        ModelRegistry(tmp_path / "models").save(grid, manifest())


def test_times_without_a_zone_are_a_mistake(registry: ModelRegistry, grid: GridOrder) -> None:
    with pytest.raises(ValueError, match="time zone"):
        registry.save(grid, manifest(cutoff=dt.datetime(2026, 1, 1)))


def test_a_model_this_version_does_not_know(registry: ModelRegistry, grid: GridOrder) -> None:
    version = registry.save(grid, manifest(model="oracle"))
    with pytest.raises(ModelArtifactError, match="oracle"):
        registry.load(version)


def test_stored_models_are_not_pickles(registry: ModelRegistry, trained: ForestBoostingModel) -> None:
    version = registry.save(trained, manifest(model="rf_xgb"))
    for path in (registry.root / "versions" / version).glob("*.npz"):
        with np.load(path, allow_pickle=False) as stored:
            assert all(stored[name].dtype != object for name in stored.files)
