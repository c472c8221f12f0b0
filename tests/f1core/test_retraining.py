"""The challenge: who may take the champion's place, what is left behind, and what a killed process leaves."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import f1core.retraining as retraining
from f1core.challenge import METRICS, MIN_RACES, Decision, judge
from f1core.challenge_lines import challenge_lines, refused_now
from f1core.challenge_records import ChallengeRecords, ChallengeReport
from f1core.champion import champion_fault
from f1core.clock import Clock
from f1core.retraining import retrain
from f1core.settings import load_settings
from f1core.targets import PRODUCTION_MODEL, RULES
from f1core.training import FittedStage, recipe_of
from f1core.walk_forward import WalkForward, result_marks
from f1core.workspace import Workspace
from models.catalogue import RACE_MODELS
from models.protocol import RaceModel
from models.registry import Manifest
from tests.conftest import workspace_of
from tests.models.conftest import invented_races
from warehouse.errors import LockHeld, ModelArtifactError, NotReady
from warehouse.lock import writer_lock
from warehouse.queries.monitoring import challenge_races, challenges
from warehouse.reader import Reader
from warehouse.store import Store
from warehouse.vocab import Stage, Target

TYPICAL = {"win_log_loss": (1.2, 0.8), "mae_ranked": (3.2, 0.6), "top_ten_brier": (0.15, 0.06)}
"""Mean and scatter of the scores over races, about as measured."""
STAND_IN = "grid"


# --- the rule ---------------------------------------------------------------------------------------------------------


def pairs(
    shift: dict[str, float] | None = None, *, noise: float = 0.1, races: int = 40, sealed: int = 0
) -> pl.DataFrame:
    """Scores of two recipes on the same races: the challenger's are shifted, and differ race by race by chance."""
    rng = np.random.default_rng(7)
    columns: dict[str, Any] = {
        "event_id": [f"2025-race-{number:02d}" for number in range(races)],
        "kind": ["sealed"] * sealed + ["backtest"] * (races - sealed),
    }
    for metric, (mean, scatter) in TYPICAL.items():
        champion = np.maximum(rng.normal(mean, scatter, races), 0.01)
        differ = rng.normal(0, noise * scatter, races)
        differ -= differ.sum() / max(races, 1)
        columns[f"champion_{metric}"] = champion
        columns[f"challenger_{metric}"] = champion + differ + (shift or {}).get(metric, 0.0) * scatter
    return pl.DataFrame(columns)


def test_a_better_challenger_is_promoted() -> None:
    found = judge(pairs(dict.fromkeys(METRICS, -0.2)))
    assert found.decision is Decision.NOT_WORSE
    assert [difference.verdict for difference in found.differences] == ["better"] * 3
    assert all(difference.difference < 0 for difference in found.differences)


def test_an_equal_challenger_is_promoted() -> None:
    found = judge(pairs(noise=0.0))
    assert found.decision is Decision.NOT_WORSE
    assert [difference.difference for difference in found.differences] == [0.0] * 3


def test_worse_within_noise_is_promoted() -> None:
    found = judge(pairs(dict.fromkeys(METRICS, 0.02), noise=0.5))
    assert found.decision is Decision.NOT_WORSE
    assert all(d.difference > 0 and d.low < 0 < d.high for d in found.differences)


@pytest.mark.parametrize("metric", METRICS)
def test_worse_beyond_noise_on_one_score_is_refused_however_good_the_others(metric: str) -> None:
    shift = dict.fromkeys(METRICS, -1.0) | {metric: 0.1}
    found = judge(pairs(shift))
    assert found.decision is Decision.WORSE
    assert not found.decision.promotes
    worse = [difference.metric for difference in found.differences if difference.verdict == "worse"]
    assert worse == [metric]
    assert f"{worse and found.differences[METRICS.index(metric)].difference:+.3f}" in found.reason


def test_the_same_difference_in_fewer_races_is_noise() -> None:
    """What decides is the interval over races, not the mean."""
    shift = dict.fromkeys(METRICS, 0.06)
    assert judge(pairs(shift, noise=0.3, races=400)).decision is Decision.WORSE
    assert judge(pairs(shift, noise=0.3, races=20)).decision is Decision.NOT_WORSE


@pytest.mark.parametrize("races", [0, 1, MIN_RACES - 1])
def test_too_few_races_promote_nobody(races: int) -> None:
    found = judge(pairs(dict.fromkeys(METRICS, -1.0), races=races))
    assert found.decision is Decision.TOO_FEW_RACES
    assert not found.decision.promotes
    assert f"only {races} races" in found.reason and str(MIN_RACES) in found.reason


def test_sealed_races_are_told_apart() -> None:
    assert "40 races, 6 of them sealed live" in judge(pairs(sealed=6)).reason
    assert "sealed" not in judge(pairs()).reason


# --- a registry with a champion ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def models() -> dict[str, RaceModel]:
    """The grid's order stands in for the production model: it is fitted and stored in a moment."""
    features, labels = invented_races(seasons=2, races=3, drivers=6)
    rows = features.with_columns(qualifying_position="grid_position")
    return {name: RACE_MODELS[name]().fit(rows, labels) for name in ("points", STAND_IN)}


class _Known:
    """An installation as far as retraining asks of it; facts and recipe are plain words that a test changes."""

    def __init__(self, data: Path) -> None:
        self.settings = load_settings(data=data, workers=1)
        self.clock = Clock.system()
        self.rehearsal = False
        self.is_live = True
        self.registry = Workspace(self.settings, self.clock).registry
        self.features = None
        self.labels = pl.DataFrame(
            {
                "event_id": [f"2025-race-{number:02d}" for number in range(40) for _ in range(2)],
                "driver_id": ["a", "b"] * 40,
                "position": [1, 2] * 40,
                "season": [2025] * 80,
                "known_at": [
                    dt.datetime(2025, 1, 1, tzinfo=dt.UTC) + dt.timedelta(days=number)
                    for number in range(40)
                    for _ in range(2)
                ],
            }
        )

    @property
    def reader(self) -> Reader:
        return Reader(self.settings.warehouse_root)

    def labels_of(self, _target: Target) -> pl.DataFrame:
        return self.labels

    def again(self) -> _Known:
        return self


@dataclass
class Installation:
    """What the tests turn and look at."""

    work: _Known
    facts: str = "facts1"
    recipe: str = "recipe1"
    scores: pl.DataFrame | None = None
    fits: int = 0

    def retrain(self, target: Target = Target.RACE, **options: Any) -> ChallengeReport:
        stages, targets = (Stage.PRE_WEEKEND,), (target,)
        (report,) = retrain(self.work, stages=stages, targets=targets, **options)  # type: ignore[arg-type]
        return report

    @property
    def in_production(self) -> str | None:
        return self.work.registry.production().get("race/pre_weekend")

    @property
    def records(self) -> list[ChallengeReport]:
        return ChallengeRecords(self.work.settings.models_root).all()

    @property
    def stored(self) -> list[str]:
        return [m.version for m in self.work.registry.list() if m.model == STAND_IN]


@pytest.fixture
def place(tmp_path: Path, models: dict[str, RaceModel], monkeypatch: pytest.MonkeyPatch) -> Installation:
    """Retraining with everything heavy planted: what is learned from, how long it takes, and the walk-forward scores."""
    found = Installation(_Known(tmp_path / "data"))
    Store(found.work.settings.warehouse_root).publish(now=dt.datetime.now(dt.UTC))

    def fit(
        _settings: object, _snapshot: str, stage: Stage, _now: dt.datetime, target: Target
    ) -> FittedStage:
        found.fits += 1
        return FittedStage(stage, models, 40, dt.datetime(2025, 2, 9, tzinfo=dt.UTC), target)

    class Scores:
        def __init__(self, _work: object) -> None:
            pass

        def judged_on(self, _recipe: str, _stage: Stage, _target: Target) -> Stage:
            return Stage.PRE_QUALIFYING

        def pairs(self, _recipe: str, _stage: Stage, _progress: object, _target: Target) -> pl.DataFrame:
            return pairs() if found.scores is None else found.scores

        def measured(self, _stage: Stage, _target: Target) -> dict[str, dict[str, float | None]]:
            return {}

        def keep_present(self, _stage: Stage, _target: Target) -> None:
            pass

    for name, planted in {
        "fit_stage": fit,
        "WalkForward": Scores,
        "training_version": lambda _features, _labels: f"{found.recipe}-{found.facts}",
        "recipe_version": lambda: found.recipe,
        "extract_missing": lambda *_, **__: 0,
        "remeasure_drift": lambda _work: None,
    }.items():
        monkeypatch.setattr(retraining, name, planted)
    for target in (Target.RACE, Target.QUALIFYING):
        rules = replace(RULES[target], model=STAND_IN, baselines={Stage.PRE_WEEKEND: ("points",)})
        monkeypatch.setitem(RULES, target, rules)
    monkeypatch.setattr("f1core.training.feature_names", lambda _stage: ["grid_position"])
    monkeypatch.setattr("f1core.champion.feature_names", lambda _stage: ["grid_position"])
    return found


def test_the_first_training_promotes_and_the_next_finds_it_current(place: Installation) -> None:
    first = place.retrain()
    assert (first.decision, first.champion, first.is_promoted) == (Decision.FIRST, None, True)
    assert place.in_production == first.challenger == first.in_production
    again = place.retrain()
    assert (again.decision, again.is_new, place.fits) == (Decision.CURRENT, False, 1)
    assert again.in_production == first.challenger
    assert again.count_events == 40
    assert len(place.records) == 1, "what changed nothing is not on record"


def test_race_and_qualifying_have_champions_of_their_own(place: Installation) -> None:
    race, qualifying = place.retrain(), place.retrain(Target.QUALIFYING)
    assert qualifying.decision is Decision.FIRST, "the race's champion is not that of qualifying"
    production = place.work.registry.production()
    assert production == {
        "race/pre_weekend": race.challenger,
        "qualifying/pre_weekend": qualifying.challenger,
    }
    place.recipe, place.scores = "recipe2", pairs({"mae_ranked": 5.0})
    refused = place.retrain(Target.QUALIFYING)
    assert (refused.decision, refused.target) == (Decision.WORSE, Target.QUALIFYING)
    assert retraining.challenge_words(refused).startswith("qualifying pre_weekend: ")
    place.scores = pairs(dict.fromkeys(METRICS, -0.2))
    assert place.retrain().is_promoted, "what was refused for qualifying is tried for the race"
    assert place.work.registry.production()["qualifying/pre_weekend"] == qualifying.challenger
    assert set(place.work.reader.table("challenge_races")["target"]) == {"race", "qualifying"}
    lines = challenge_lines(challenges(place.work.reader))
    assert set(lines["stage"]) == {"Before the weekend", "Qualifying, before the weekend"}
    assert refused_now(challenges(place.work.reader)) == ["Qualifying, before the weekend"]


def test_records_of_before_there_were_targets_are_those_of_the_race(place: Installation) -> None:
    report = place.retrain()
    content = {key: value for key, value in report.to_json().items() if key != "target"}
    assert ChallengeReport.from_json(content).target is Target.RACE


def test_more_data_by_the_same_recipe_promotes_and_says_so(place: Installation) -> None:
    champion = place.retrain().challenger
    place.facts = "facts2"
    place.scores = pairs(dict.fromkeys(METRICS, 5.0))  # must not even be asked for
    report = place.retrain()
    assert report.decision is Decision.SAME_RECIPE
    assert "Same recipe: more data" in report.reason
    assert report.champion == champion != report.challenger == place.in_production
    assert report.races == () and report.differences == (), "the score is the same: nothing was compared"


def test_another_recipe_that_is_not_worse_is_promoted_and_its_races_are_on_record(
    place: Installation,
) -> None:
    place.retrain()
    place.recipe, place.scores = "recipe2", pairs(dict.fromkeys(METRICS, -0.2), sealed=3)
    report = place.retrain()
    assert report.decision is Decision.NOT_WORSE
    assert place.in_production == report.challenger
    assert (report.champion_recipe, report.challenger_recipe) == ("recipe1", "recipe2")
    rows = challenges(place.work.reader).filter(pl.col("decision") == "not_worse")
    assert set(rows["metric"]) == set(METRICS)
    assert set(rows["count_races"]) == {40} and set(rows["count_sealed"]) == {3}
    assert set(rows["judged_on"]) == {"pre_qualifying"} and set(rows["stage"]) == {"pre_weekend"}
    store = Store(place.work.settings.warehouse_root)
    races = pl.DataFrame(pl.from_arrow(store.read("challenge_races")))
    assert races.height == 40 and set(races["challenger"]) == {report.challenger}
    assert races.filter(pl.col("kind") == "sealed").height == 3
    assert races["challenger_mae_ranked"].to_list() == pytest.approx(
        place.scores["challenger_mae_ranked"].to_list()
    )


def test_a_refused_challenger_stays_marked_and_is_not_tried_again_until_something_changes(
    place: Installation,
) -> None:
    champion = place.retrain().challenger
    place.recipe, place.scores = "recipe2", pairs(dict.fromkeys(METRICS, 0.5))
    refused = place.retrain()
    assert (refused.decision, refused.is_promoted) == (Decision.WORSE, False)
    assert place.in_production == champion == refused.in_production
    assert refused.challenger in place.stored, "it stays in the registry"
    fits = place.fits
    again = place.retrain()
    assert (again.is_new, place.fits, again.reason) == (False, fits, refused.reason)
    assert len(place.records) == 2
    place.facts = "facts2"
    assert place.retrain().is_new and place.fits == fits + 1, "new facts: tried again"
    place.recipe, place.scores = "recipe3", pairs()
    better = place.retrain()
    assert better.is_promoted and place.in_production == better.challenger
    lines = challenge_lines(challenges(place.work.reader))
    assert lines["verdict"].to_list() == [
        "Promoted: not worse",
        "Refused: worse",
        "Refused: worse",
        "Promoted: the first",
    ]
    assert lines["mae_ranked"][1].startswith("+0.300 [") and lines["mae_ranked"][3] is None
    assert refused_now(challenges(place.work.reader)) == []
    assert refused_now(challenges(place.work.reader).filter(~pl.col("is_promoted"))) == [
        Stage.PRE_WEEKEND.label
    ]


def test_a_refused_challenger_can_be_promoted_by_hand_and_the_record_says_so(place: Installation) -> None:
    place.retrain()
    place.recipe, place.scores = "recipe2", pairs(dict.fromkeys(METRICS, 0.5))
    refused = place.retrain()
    fits = place.fits
    forced = place.retrain(force=True)
    assert forced.decision is Decision.FORCED
    assert "by hand" in forced.reason and refused.reason in forced.reason
    assert place.in_production == forced.challenger == refused.challenger
    assert place.fits == fits, "it was trained already"
    assert [record.decision for record in place.records] == [
        Decision.FIRST,
        Decision.WORSE,
        Decision.FORCED,
    ]


def test_force_promotes_a_good_one_by_the_rule(place: Installation) -> None:
    place.retrain()
    place.recipe = "recipe2"
    assert place.retrain(force=True).decision is Decision.NOT_WORSE


def test_a_rolled_back_model_does_not_come_back_by_itself(place: Installation) -> None:
    first = place.retrain().challenger
    place.facts = "facts2"
    second = place.retrain().challenger
    place.work.registry.rollback("race", "pre_weekend", at=dt.datetime.now(dt.UTC))
    report = place.retrain()
    assert (report.decision, report.is_new) == (Decision.ROLLED_BACK, False)
    assert place.in_production == first != second
    place.facts = "facts3"
    assert place.retrain().decision is Decision.SAME_RECIPE
    assert place.in_production not in (first, second)


def largest_artifact(place: Installation, version: str) -> Path:
    folder = place.work.settings.models_root / "versions" / version
    return max((p for p in folder.iterdir() if p.name != "manifest.json"), key=lambda p: p.stat().st_size)


@pytest.mark.parametrize("what", ["a byte changed", "files deleted", "folder deleted"])
def test_a_champion_that_cannot_be_read_is_replaced_with_the_reason_on_record(
    place: Installation, what: str
) -> None:
    champion = place.retrain().challenger
    path = largest_artifact(place, champion)
    if what == "a byte changed":
        body = bytearray(path.read_bytes())
        body[len(body) // 2] ^= 0xFF
        path.write_bytes(bytes(body))
    elif what == "files deleted":
        path.unlink()
    else:
        shutil.rmtree(path.parent)
    with pytest.raises(ModelArtifactError):
        place.work.registry.load_production("race", "pre_weekend")
    report = place.retrain()
    assert report.decision is Decision.CHAMPION_UNUSABLE
    assert report.champion == champion and "cannot be used" in report.reason
    assert champion in report.reason, "the file is named"
    assert place.work.registry.load_production("race", "pre_weekend").manifest.version == report.challenger
    assert challenges(place.work.reader)["reason"][0] == report.reason


def test_a_champion_that_reads_features_of_yesterday_is_replaced(
    place: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.retrain()
    place.recipe = "recipe2"
    monkeypatch.setattr("f1core.champion.feature_names", lambda _stage: ["another"])
    report = place.retrain()
    assert report.decision is Decision.CHAMPION_UNUSABLE
    assert "grid_position" in report.reason


def test_a_damaged_pointer_is_set_aside_and_one_of_tomorrow_is_left_alone(place: Installation) -> None:
    place.retrain()
    pointer = place.work.settings.models_root / "production.json"
    whole = pointer.read_bytes()
    pointer.write_bytes(whole[: len(whole) // 2])
    fits = place.fits
    report = place.retrain()
    assert report.decision is Decision.CHAMPION_UNUSABLE and "damaged" in report.reason
    assert place.in_production == report.challenger
    assert place.fits == fits, "the challenger was stored already"
    assert (pointer.parent / "production.json.damaged").read_bytes() == whole[: len(whole) // 2]
    pointer.write_text(json.dumps({"format": 99, "production": {}}))
    before = pointer.read_bytes()
    with pytest.raises(ModelArtifactError, match="format"):
        place.retrain()
    assert pointer.read_bytes() == before


# --- killed, interrupted, crowded -------------------------------------------------------------------------------------


class Killed(BaseException):
    """As if the process was ended there."""


@pytest.mark.parametrize(
    ("where", "is_promoted"),
    [
        ("models.registry.ModelRegistry.save", False),
        ("f1core.challenge_records.ChallengeRecords.add", False),
        ("models.registry.ModelRegistry.promote", False),
        ("f1core.retraining.write_challenges", True),
        ("warehouse.store.Store.publish", True),
    ],
)
def test_killed_at_any_step_the_pointer_is_whole_and_the_next_run_ends_the_work(
    place: Installation, monkeypatch: pytest.MonkeyPatch, where: str, is_promoted: bool
) -> None:
    champion = place.retrain().challenger
    place.recipe = "recipe2"
    with monkeypatch.context() as patched:
        patched.setattr(where, _raise(Killed))
        with pytest.raises(Killed):
            place.retrain()
    stored, fits = place.stored, place.fits
    assert (place.in_production != champion) is is_promoted
    assert place.work.registry.load_production("race", "pre_weekend")
    report = place.retrain()
    assert place.in_production == report.in_production != champion
    assert report.decision is (Decision.CURRENT if is_promoted else Decision.NOT_WORSE)
    if len(stored) == 2:
        assert place.fits == fits and place.stored == stored, "what was stored is not trained again"
    decisions = [record.decision for record in place.records]
    assert decisions == [Decision.FIRST, Decision.NOT_WORSE], "one record, whatever happened in between"
    place.facts = "facts2"
    place.retrain()
    told = challenges(place.work.reader)["decision"].unique(maintain_order=True).to_list()
    assert told == ["same_recipe", "not_worse", "first"], "the tables catch up with the records"


def _raise(error: type[BaseException]) -> Callable[..., None]:
    def refuse(*_args: object, **_options: object) -> None:
        raise error

    return refuse


def test_facts_that_change_meanwhile_promote_nobody(
    place: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    champion = place.retrain().challenger
    place.facts = "facts2"
    fit = retraining.fit_stage

    def slow(*arguments: Any) -> FittedStage:
        place.facts = "facts3"
        return fit(*arguments)

    monkeypatch.setattr(retraining, "fit_stage", slow)
    with pytest.raises(NotReady, match="Facts changed"):
        place.retrain()
    assert place.in_production == champion


def test_a_pointer_that_moved_meanwhile_is_not_overruled(
    place: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = place.retrain().challenger
    place.facts = "facts2"
    second = place.retrain().challenger
    place.facts = "facts3"
    fit = retraining.fit_stage

    def slow(*arguments: Any) -> FittedStage:
        place.work.registry.rollback("race", "pre_weekend", at=dt.datetime.now(dt.UTC))
        return fit(*arguments)

    monkeypatch.setattr(retraining, "fit_stage", slow)
    with pytest.raises(NotReady, match="meanwhile"):
        place.retrain()
    assert place.in_production == first != second


@pytest.mark.parametrize("name", ["writer", "training"])
def test_two_at_once_are_refused_before_any_work(place: Installation, name: str) -> None:
    with (
        writer_lock(place.work.settings.locks_root, holder="another", name=name),
        pytest.raises(LockHeld, match="another"),
    ):
        place.retrain()
    assert place.fits == 0


def test_only_the_real_clock_trains(place: Installation) -> None:
    place.work.is_live = False
    with pytest.raises(NotReady, match="real clock"):
        place.retrain()


def test_a_damaged_record_is_left_out_and_the_others_stay(place: Installation) -> None:
    report = place.retrain()
    root = place.work.settings.models_root / "challenges"
    (root / "half.json").write_text('{"format": "parcferme/chal')
    (root / "other.json").write_text("{}")
    assert [record.challenger for record in place.records] == [report.challenger]
    assert replace(place.records[0], is_new=True) == report


# --- the scores by which they are judged ------------------------------------------------------------------------------


def test_results_that_were_corrected_make_scores_of_before_incomparable() -> None:
    labels = pl.DataFrame(
        {
            "event_id": ["2025-vale"] * 2 + ["2025-dale"] * 2,
            "driver_id": ["a", "b"] * 2,
            "position": [1, 2, 2, 1],
            "known_at": [dt.datetime(2025, 5, 1, tzinfo=dt.UTC)] * 2
            + [dt.datetime(2025, 4, 1, tzinfo=dt.UTC)] * 2,
        }
    )
    marks = result_marks(labels)
    assert list(marks) == ["2025-dale", "2025-vale"], "in order of time"
    assert marks["2025-dale"] != marks["2025-vale"], "another order is another result"
    swapped = labels.with_columns(position=3 - pl.col("position"))
    assert all(result_marks(swapped)[event] != mark for event, mark in marks.items())
    assert result_marks(labels.reverse()) == marks, "the order of rows is none of the race"


@pytest.mark.slow
def test_a_real_installation_keeps_its_scores_and_challenges_a_new_recipe(
    small_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A built installation, and a recipe that differs in name only: scores are equal race by race, and too few."""
    work = workspace_of(small_copy)
    before = work.registry.production()
    champion = work.registry.manifest(before["race/pre_race"])
    kept = WalkForward(work).scores(recipe_of(champion), Stage.PRE_RACE)
    backtested = work.reader.table("backtest_scores").filter(
        (pl.col("target") == "race") & (pl.col("stage") == "pre_race") & (pl.col("model") == PRODUCTION_MODEL)
    )
    assert kept.height == backtested.height == 14
    assert set(kept["kind"]) == {"backtest"}
    both = kept.join(backtested, on="event_id", suffix="_table")
    for metric in METRICS:
        assert both[metric].to_list() == both[f"{metric}_table"].to_list()
    assert WalkForward(work).judged_on(recipe_of(champion), Stage.PRE_WEEKEND) is Stage.PRE_QUALIFYING
    monkeypatch.setattr(retraining, "recipe_version", lambda: "another")
    monkeypatch.setattr(
        retraining, "training_version", lambda _features, _labels: f"another-{champion.data_version[-12:]}"
    )
    reports = retrain(work, stages=(Stage.PRE_WEEKEND,))
    report = reports[0]
    assert report.decision is Decision.TOO_FEW_RACES
    assert report.judged_on is Stage.PRE_QUALIFYING
    assert len(report.races) == 14
    assert all(found.difference == 0 for found in report.differences)
    assert work.registry.production() == before
    assert challenge_races(work.reader)["event_id"].n_unique() == 14


def test_a_model_of_an_earlier_version_cannot_be_champion() -> None:
    """An installation that is updated had the recipe of its day in production: it is replaced, with the fault on record."""
    trained = dt.datetime(2026, 6, 28, tzinfo=dt.UTC)
    manifest = Manifest(
        model="rf_xgb",
        target=Target.RACE.value,
        stages=(Stage.PRE_RACE.value,),
        cutoff=trained,
        created_at=trained,
        feature_names=("grid_position",),
        data_version="0a1b2c-3d4e5f",
    )
    assert "this version of the product forecasts with joint" in champion_fault(manifest, Stage.PRE_RACE)
    assert not champion_fault(replace(manifest, model=PRODUCTION_MODEL), Stage.PRE_RACE)
