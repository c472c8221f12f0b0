"""Forecasts: which stage can be had, which model speaks, and what is stored."""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
from pathlib import Path

import polars as pl
import pytest

from f1core.forecasts import coming_events, refresh_forecasts, save_forecasts
from f1core.predict import Forecast, Predictor, best_stage, with_model
from f1core.targets import PRODUCTION_MODEL, rules_of
from f1core.training import train, trained_places
from tests.conftest import workspace_of
from tests.models.conftest import check_forecast
from warehouse.errors import NotReady, NotTrained, UnknownEvent
from warehouse.queries.events import calendar, session_starts
from warehouse.reader import Reader
from warehouse.stages import cutoff
from warehouse.vocab import Stage, Target


@pytest.fixture(scope="module")
def year(small_data: Path) -> int:
    return int(str(Reader(small_data / "warehouse").table("events")["season"].max()))


def tree(*folders: Path) -> dict[str, str]:
    """Content of every file below some folders."""
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".lock"
    }


def stage_end(data: Path, event: str, stage: Stage) -> dt.datetime:
    return cutoff(event, session_starts(Reader(data / "warehouse"), event), stage)


def check(made: Forecast) -> None:
    """What is true of every forecast that leaves the product."""
    for (model,), entries in made.entries.group_by("model"):
        check_forecast(entries.drop("grid_position"))
        ordered = entries.sort("predicted_position")
        assert ordered["gap_s"][0] == 0.0, model
        assert (ordered["gap_s"].diff().drop_nulls() >= 0).all()
        for name in ("gap", "race_time"):
            assert (ordered[f"{name}_low_s"] <= ordered[f"{name}_s"]).all()
            assert (ordered[f"{name}_s"] <= ordered[f"{name}_high_s"]).all()
        assert ordered["race_time_s"][0] > 0
    assert set(made.heads["model"]) == set(made.entries["model"])
    assert (made.heads["data_through"] < made.heads["as_of"]).all()


# --- races to come ----------------------------------------------------------------------------------------------------


def test_the_coming_races_are_forecast_by_production_models_and_stored(small_data: Path, year: int) -> None:
    work = workspace_of(small_data)
    assert coming_events(work, work.clock.now()) == [f"{year}-vale", f"{year}-dunes"]
    reader = work.reader
    stored = (reader.table("forecasts"), reader.table("forecast_entries"))
    heads, entries = (rows.filter(pl.col("target") == "race") for rows in stored)
    assert set(heads["event_id"]) == {f"{year}-vale", f"{year}-dunes"}
    versions = set(work.registry.production().values())
    for (event, stage), mine in heads.group_by("event_id", "stage"):
        baselines = rules_of(Target.RACE).baselines[Stage(str(stage))]
        assert set(mine["model"]) == {PRODUCTION_MODEL, *baselines}
        model = mine.filter(pl.col("model") == PRODUCTION_MODEL).row(0, named=True)
        assert model["model_version"] in versions
        assert model["last_event_id"] == f"{year}-steppe"
        assert model["count_drivers"] == 10
        assert event in (f"{year}-vale", f"{year}-dunes")
        check(
            Forecast(mine, entries.filter((pl.col("event_id") == event) & (pl.col("stage") == stage)), True)
        )
    stages = dict(heads.select("event_id", "stage").unique().iter_rows())
    assert stages[f"{year}-dunes"] == Stage.PRE_WEEKEND
    assert stages[f"{year}-vale"] == Stage.PRE_QUALIFYING, "its practice is in the data"


def test_a_forecast_that_is_current_is_not_made_again(small_copy: Path) -> None:
    work = workspace_of(small_copy)
    assert refresh_forecasts(work, coming_events(work, work.clock.now())) == []
    before = Reader(small_copy / "warehouse").snapshot
    assert Reader(small_copy / "warehouse").snapshot == before


def test_a_new_forecast_replaces_that_of_its_stage_and_no_other(small_copy: Path, year: int) -> None:
    work = workspace_of(small_copy)
    before = work.reader.table("forecasts")
    made = Predictor(work).forecast(f"{year}-vale", Stage.PRE_WEEKEND)
    assert made.is_provisional
    for _ in range(2):
        with work.writing("test") as store:
            save_forecasts(store, [made])
            store.publish(now=work.clock.now())
    after = Reader(small_copy / "warehouse").table("forecasts")
    assert after.height == before.height + made.heads.height
    key = ["event_id", "target", "stage", "model"]
    assert after.select(key).is_duplicated().any() is False
    old = after.join(before, on=key, how="semi").sort(key)
    assert old.equals(before.sort(key))


def test_the_same_facts_and_models_give_the_same_forecast(small_copy: Path, year: int) -> None:
    one = Predictor(workspace_of(small_copy)).forecast(f"{year}-dunes", Stage.PRE_WEEKEND)
    two = Predictor(workspace_of(small_copy)).forecast(f"{year}-dunes", Stage.PRE_WEEKEND)
    assert one.entries.equals(two.entries)


@pytest.mark.parametrize("stage", [Stage.POST_QUALIFYING, Stage.PRE_RACE])
def test_a_stage_that_is_not_reached_is_refused(small_copy: Path, year: int, stage: Stage) -> None:
    with pytest.raises(NotReady) as caught:
        Predictor(workspace_of(small_copy)).forecast(f"{year}-dunes", stage)
    assert f"{year}-dunes" in caught.value.message
    assert stage.value in caught.value.message
    assert "--stage pre_weekend" in caught.value.hint
    assert caught.value.exit_code == 7


def test_without_models_one_is_told_to_train(small_copy: Path, year: int) -> None:
    shutil.rmtree(small_copy / "models")
    with pytest.raises(NotTrained) as caught:
        Predictor(workspace_of(small_copy)).forecast(f"{year}-dunes")
    assert "train" in str(caught.value)
    assert caught.value.exit_code == 8


def test_models_that_read_features_of_yesterday_are_to_be_trained(
    small_copy: Path, year: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("f1core.champion.feature_names", lambda _stage: ["another"])
    with pytest.raises(NotTrained, match="another version of the product") as caught:
        Predictor(workspace_of(small_copy)).forecast(f"{year}-dunes")
    assert "reads features that are made no more" in caught.value.message


def test_an_unknown_event_is_refused(small_copy: Path) -> None:
    with pytest.raises((UnknownEvent, NotReady), match="2024-atlantis"):
        Predictor(workspace_of(small_copy)).forecast("2024-atlantis", Stage.PRE_WEEKEND)


def test_training_again_finds_everything_current(small_copy: Path) -> None:
    work = workspace_of(small_copy)
    before = work.registry.production()
    with work.writing("train"):
        done = train(work)
    assert [(one.target, one.stage) for one in done] == trained_places()
    assert not any(one.is_new for one in done)
    assert work.registry.production() == before


# --- the past ---------------------------------------------------------------------------------------------------------


def test_a_past_race_is_forecast_by_models_that_did_not_see_it(small_copy: Path, year: int) -> None:
    event = f"{year}-isle"
    made = Predictor(workspace_of(small_copy)).forecast(event, Stage.PRE_RACE)
    check(made)
    assert made.is_provisional is False
    model = with_model(made, PRODUCTION_MODEL)
    head = model.heads.row(0, named=True)
    end = stage_end(small_copy, event, Stage.PRE_RACE)
    assert head["model_version"] == f"as-of-{end:%Y%m%dT%H%MZ}"
    assert head["as_of"] == end
    assert head["last_event_id"] == f"{year}-highmoor"
    assert model.entries.height == 10


def test_with_as_of_nothing_of_the_installation_changes(small_copy: Path, year: int) -> None:
    event = f"{year}-isle"
    folders = [small_copy / name for name in ("warehouse", "models", "ledger")]
    before = tree(*folders)
    friday = stage_end(small_copy, event, Stage.PRE_QUALIFYING) - dt.timedelta(hours=20)
    work = workspace_of(small_copy, friday.isoformat())
    made = Predictor(work).forecast(event)
    check(made)
    assert made.is_provisional is False
    assert set(made.heads["stage"]) == {Stage.PRE_QUALIFYING.value}
    assert (made.heads["as_of"] == friday).all()
    assert tree(*folders) == before
    with pytest.raises(NotReady, match="simulated clock"):
        refresh_forecasts(work, [event])


def test_a_simulated_clock_asks_no_production_model_even_for_a_coming_race(
    small_copy: Path, year: int
) -> None:
    """Set to the present: what is in production may have been trained later than the clock says."""
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    work = workspace_of(small_copy, now.isoformat())
    made = Predictor(work).forecast(f"{year}-dunes", Stage.PRE_WEEKEND)
    assert made.is_provisional is False
    assert with_model(made, PRODUCTION_MODEL).heads["model_version"][0].startswith("as-of-")


def test_each_instant_has_its_stage(small_copy: Path, year: int) -> None:
    event = f"{year}-isle"
    reader = Reader(small_copy / "warehouse")
    times = reader.query("select session, known_at from sessions where event_id = $event", {"event": event})
    known = dict(times.iter_rows())
    grid = reader.query(
        "select distinct known_at from starting_grids where event_id = $event and session = 'race'",
        {"event": event},
    ).item()
    tick = dt.timedelta(seconds=1)
    steps = [
        (known["practice_1"] - tick, Stage.PRE_WEEKEND),
        (known["practice_1"] + tick, Stage.PRE_QUALIFYING),
        (known["qualifying"] - tick, Stage.PRE_QUALIFYING),
        (known["qualifying"] + tick, Stage.POST_QUALIFYING),
        (grid - tick, Stage.POST_QUALIFYING),
        (grid + tick, Stage.PRE_RACE),
    ]
    assert [best_stage(reader, event, now) for now, _ in steps] == [stage for _, stage in steps]


@pytest.mark.parametrize("what", ["practice", "qualifying", "grid"])
def test_at_the_very_instant_evidence_and_gate_agree(small_copy: Path, year: int, what: str) -> None:
    """Whatever stage is chosen at the microsecond of publication, the features must have what it stands on."""
    event = f"{year}-isle"
    reader = Reader(small_copy / "warehouse")
    table, session = {
        "practice": ("practice_results", "practice_1"),
        "qualifying": ("qualifying_results", "qualifying"),
        "grid": ("starting_grids", "race"),
    }[what]
    instant = reader.query(
        f"select distinct known_at from {table} where event_id = $event and session = $session",
        {"event": event, "session": session},
    ).item()
    work = workspace_of(small_copy, instant.isoformat())
    stage = best_stage(work.reader, event, instant)
    found = work.features.get(event, stage, as_of=instant)
    stands_on = {
        Stage.PRE_WEEKEND: "last_race",
        Stage.PRE_QUALIFYING: "practice",
        Stage.POST_QUALIFYING: "qualifying",
        Stage.PRE_RACE: "grid",
    }
    assert found.lineup_source == stands_on[stage]
    assert (
        stage
        is not {
            "practice": Stage.PRE_QUALIFYING,
            "qualifying": Stage.POST_QUALIFYING,
            "grid": Stage.PRE_RACE,
        }[what]
    )


def test_before_anything_was_raced_nothing_can_be_said(small_copy: Path, year: int) -> None:
    with pytest.raises(NotReady):
        Predictor(workspace_of(small_copy)).forecast(f"{year - 2}-lakeland", Stage.PRE_RACE)


# --- the real thing ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "stage"), [("2025-las-vegas", Stage.PRE_RACE), ("2026-austria", Stage.PRE_QUALIFYING)]
)
def test_real_past_races(built_data: Path, event: str, stage: Stage) -> None:
    made = Predictor(workspace_of(built_data)).forecast(event, stage)
    check(made)
    entries = with_model(made, PRODUCTION_MODEL).entries
    assert entries.height >= 20
    if event == "2025-las-vegas":
        assert entries["grid_position"].sort().to_list() == list(range(1, 21))
        best = entries.sort("predicted_position")["driver_id"].head(4).to_list()
        assert {"lando-norris", "max-verstappen"} & set(best), "the result was another matter"


def test_the_real_coming_races(built_data: Path) -> None:
    work = workspace_of(built_data)
    events = calendar(work.reader).filter(pl.col("result_known_at") > work.clock.now())
    heads = work.reader.table("forecasts")
    assert set(heads["event_id"]) == set(events["event_id"].head(3).to_list())
    for _, mine in heads.group_by("event_id"):
        assert mine["count_missing_events"].n_unique() == 1
        late = mine["count_missing_events"][0] > 0
        assert late == any("not in the data" in words for words in mine["warnings"])
