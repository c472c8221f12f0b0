"""Walk-forward scores by recipe: sealed before backtested, only by the recipe asked for, only on the result that stands."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from f1core.challenge import METRICS, MIN_RACES
from f1core.clock import Clock
from f1core.settings import load_settings
from f1core.targets import PRODUCTION_MODEL
from f1core.walk_forward import WalkForward
from f1core.workspace import Workspace
from models.baselines import GridOrder
from models.registry import Manifest
from tests.models.conftest import invented_races
from warehouse.frames import frame_schema
from warehouse.store import Store
from warehouse.tables import TABLES
from warehouse.vocab import Stage, Target

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
RACES = 30
PLAIN = {"text": "x", "int": 1, "float": 0.5, "bool": True, "timestamp": NOW}


def rows(table: str, lines: list[dict[str, Any]]) -> pl.DataFrame:
    """Rows of a table with a plain value wherever a line says nothing."""
    plain = {c.name: c.allowed[0] if c.allowed else PLAIN[c.type] for c in TABLES[table].columns}
    plain["season"] = 2025
    return pl.DataFrame(
        [{**plain, **line} for line in lines], schema=frame_schema(TABLES[table]), orient="row"
    )


def event(number: int) -> str:
    return f"2025-race-{number:02d}"


@pytest.fixture
def work(tmp_path: Path) -> Workspace:
    """Thirty races with results, the last of them known only after the clock's now; a registry with two recipes."""
    made = Workspace(load_settings(data=tmp_path / "data", workers=1), Clock.at(NOW.isoformat()))
    features, labels = invented_races(seasons=2, races=3, drivers=6)
    grid = GridOrder().fit(features, labels)
    for recipe in ("mine", "other"):
        made.registry.save(
            grid,
            Manifest(
                model=grid.name,
                target="race",
                stages=("post_qualifying",),
                cutoff=NOW,
                created_at=NOW,
                data_version=f"{recipe}-facts",
            ),
        )
    made.__dict__["labels"] = pl.DataFrame(
        {
            "event_id": [event(number) for number in range(RACES) for _ in range(2)],
            "driver_id": ["a", "b"] * RACES,
            "position": [1, 2] * RACES,
            "known_at": [
                NOW + dt.timedelta(days=number - RACES + 2) for number in range(RACES) for _ in range(2)
            ],
        }
    )
    return made


def version(work: Workspace, recipe: str) -> str:
    return next(m.version for m in work.registry.list() if m.data_version == f"{recipe}-facts")


def seal(work: Workspace, stage: Stage, lines: list[tuple[int, str, float, bool]]) -> None:
    """Settled predictions: number of the race, recipe, win log loss, whether the settlement stands."""
    predictions, accuracy = [], []
    for place, (number, recipe, loss, is_current) in enumerate(lines):
        key = {"event_id": event(number), "target": "race", "stage": stage.value, "model": PRODUCTION_MODEL}
        if is_current:
            predictions.append(
                {**key, "model_version": version(work, recipe), "record_hash": f"{number}-{recipe}"}
            )
        accuracy.append(
            {
                **key,
                "revision": place + 1,
                "is_current": is_current,
                "prediction_hash": f"{number}-{recipe}",
                "win_log_loss": loss,
            }
        )
    store = Store(work.settings.warehouse_root)
    for name, made in (("predictions", predictions), ("accuracy", accuracy)):
        store.replace(name, rows(name, made).to_arrow().cast(TABLES[name].schema))
    store.publish(now=NOW)


def backtested(numbers: range, loss: float, target: str = "race") -> pl.DataFrame:
    return rows(
        "backtest_scores",
        [
            {
                "event_id": event(number),
                "target": target,
                "stage": "post_qualifying",
                "model": model,
                "win_log_loss": loss if model == PRODUCTION_MODEL else 9.0,
            }
            for number in numbers
            for model in (PRODUCTION_MODEL, "grid")
        ],
    )


def forward(work: Workspace, recipe: str = "mine") -> WalkForward:
    made = WalkForward(work)
    made.recipe = recipe
    return made


def losses(found: pl.DataFrame) -> dict[str, tuple[str, float]]:
    return {row["event_id"]: (row["kind"], row["win_log_loss"]) for row in found.to_dicts()}


def test_sealed_scores_count_before_backtested_ones_and_only_by_the_same_recipe(work: Workspace) -> None:
    seal(
        work,
        Stage.POST_QUALIFYING,
        [(0, "mine", 7.0, False), (0, "mine", 1.5, True), (1, "other", 2.5, True), (29, "mine", 3.5, True)],
    )
    mine = forward(work)
    mine.keep(backtested(range(4), 1.0))
    assert losses(mine.scores("mine", Stage.POST_QUALIFYING)) == {
        event(0): ("sealed", 1.5),
        event(1): ("backtest", 1.0),
        event(2): ("backtest", 1.0),
        event(3): ("backtest", 1.0),
    }, "the last race's result is not known yet, and the first settlement of race 0 was superseded"
    assert losses(mine.scores("other", Stage.POST_QUALIFYING)) == {event(1): ("sealed", 2.5)}
    assert mine.scores("", Stage.POST_QUALIFYING).is_empty(), "an unrecorded recipe has no scores"
    assert mine.scores("mine", Stage.PRE_RACE).is_empty()


def test_scores_are_kept_beside_the_models_and_added_to(work: Workspace) -> None:
    Store(work.settings.warehouse_root).publish(now=NOW)
    forward(work).keep(backtested(range(3), 1.0))
    forward(work).keep(backtested(range(2, 5), 2.0))
    forward(work, "other").keep(backtested(range(1), 5.0))
    forward(work).keep(backtested(range(29, 30), 4.0))  # not known yet
    found = losses(forward(work).scores("mine", Stage.POST_QUALIFYING))
    assert {name: loss for name, (_, loss) in found.items()} == {
        event(0): 1.0,
        event(1): 1.0,
        event(2): 2.0,
        event(3): 2.0,
        event(4): 2.0,
    }
    assert (work.settings.models_root / "scores" / "mine.parquet").exists()


def test_targets_are_kept_apart_and_what_was_kept_before_there_were_any_is_the_races(
    work: Workspace,
) -> None:
    Store(work.settings.warehouse_root).publish(now=NOW)
    work._labels[Target.QUALIFYING] = work.labels
    forward(work).keep(backtested(range(3), 1.0))
    path = work.settings.models_root / "scores" / "mine.parquet"
    pl.read_parquet(path).drop("target").write_parquet(path)
    forward(work).keep(backtested(range(2), 3.0, "qualifying"))
    stage = Stage.POST_QUALIFYING
    assert set(forward(work).scores("mine", stage)["win_log_loss"]) == {1.0}
    qualifying = forward(work).scores("mine", stage, Target.QUALIFYING)
    assert qualifying["win_log_loss"].to_list() == [3.0, 3.0]


def test_a_score_against_a_result_that_was_corrected_is_left_out(work: Workspace) -> None:
    Store(work.settings.warehouse_root).publish(now=NOW)
    forward(work).keep(backtested(range(3), 1.0))
    swapped = pl.when(pl.col("event_id") == event(1)).then(3 - pl.col("position")).otherwise("position")
    work.__dict__["labels"] = work.labels.with_columns(position=swapped)
    assert set(forward(work).scores("mine", Stage.POST_QUALIFYING)["event_id"]) == {event(0), event(2)}


def test_a_damaged_file_of_scores_is_as_good_as_none(work: Workspace) -> None:
    Store(work.settings.warehouse_root).publish(now=NOW)
    forward(work).keep(backtested(range(3), 1.0))
    path = work.settings.models_root / "scores" / "mine.parquet"
    path.write_bytes(path.read_bytes()[:50])
    assert forward(work).scores("mine", Stage.POST_QUALIFYING).is_empty()
    forward(work).keep(backtested(range(1), 1.0))
    assert forward(work).scores("mine", Stage.POST_QUALIFYING).height == 1


def test_a_stage_is_judged_by_its_own_races_as_soon_as_there_are_enough(work: Workspace) -> None:
    seal(work, Stage.PRE_WEEKEND, [(number, "mine", 1.0, True) for number in range(MIN_RACES)])
    mine = forward(work)
    assert mine.judged_on("mine", Stage.PRE_WEEKEND) is Stage.PRE_WEEKEND
    assert mine.judged_on("other", Stage.PRE_WEEKEND) is Stage.PRE_QUALIFYING
    for stage in (Stage.PRE_RACE, Stage.POST_QUALIFYING, Stage.PRE_QUALIFYING):
        assert mine.judged_on("other", stage) is stage, "backtested stages stand for themselves"


def test_pairs_are_the_same_races_in_order_of_time(work: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The challenger's side comes from its own backtest: of races the champion has, and of no other."""
    seal(work, Stage.POST_QUALIFYING, [(3, "other", 2.5, True)])
    forward(work, "other").keep(backtested(range(3), 2.0))
    asked: list[str] = []

    class Planted:
        def __init__(self, _work: object) -> None:
            pass

        def run(self, events: list[str], **_: Any) -> None:
            asked.extend(events)

        def collect(self, _part: str, _stages: object) -> pl.DataFrame:
            return backtested(range(1, 10), 1.0)

    monkeypatch.setattr("f1core.walk_forward.Backtest", Planted)
    pairs = forward(work).pairs("other", Stage.POST_QUALIFYING)
    assert sorted(asked) == [event(number) for number in range(4)]
    assert pairs["event_id"].to_list() == [event(1), event(2), event(3)]
    assert pairs["kind"].to_list() == ["backtest", "backtest", "sealed"]
    assert pairs["champion_win_log_loss"].to_list() == [2.0, 2.0, 2.5]
    assert pairs["challenger_win_log_loss"].to_list() == [1.0] * 3
    assert set(pairs.columns) == {
        "event_id",
        "kind",
        *(f"{side}_{metric}" for side in ("champion", "challenger") for metric in METRICS),
    }
