"""The backtest: walk-forward, resumable, scored by the stated definitions, and apart from forecasts."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from f1core.backtest import PLACES, REFIT_EVERY, Backtest
from f1core.build import run_backtest
from f1core.targets import PRODUCTION_MODEL, rules_of
from tests.conftest import championship_of_today, ingest_into, workspace_of
from warehouse.queries.forecasts import prediction_heads
from warehouse.reader import Reader
from warehouse.vocab import Stage, Target

KEYS = ("event_id", "target", "stage", "model")
RACE = ((Target.RACE, Stage.PRE_RACE),)
ENTRY_KEYS = (*KEYS, "driver_id")
VOLATILE = ("computed_at", "data_version", "model_version")


@pytest.fixture(scope="module")
def tables(small_data: Path) -> dict[str, pl.DataFrame]:
    reader = Reader(small_data / "warehouse")
    return {
        name: reader.table(name)
        for name in (
            "backtest_predictions",
            "backtest_prediction_entries",
            "backtest_scores",
            "race_results",
            "qualifying_results",
            "forecasts",
            "events",
        )
    }


def official(tables: dict[str, pl.DataFrame], target: str) -> pl.DataFrame:
    """Official lines of everyone who took part, in order."""
    if target == "qualifying":
        rows = tables["qualifying_results"].filter(pl.col("session") == target)
        return rows.with_columns(gap_s=pl.lit(None, pl.Float64), time_s=pl.lit(None, pl.Float64))
    return tables["race_results"].filter((pl.col("session") == target) & pl.col("is_starter"))


def test_every_race_but_the_first_block_is_forecast_by_model_and_baselines(
    tables: dict[str, pl.DataFrame],
) -> None:
    heads = tables["backtest_predictions"]
    races = official(tables, "race").sort("known_at")["event_id"].unique(maintain_order=True).to_list()
    assert len(races) == 19
    assert set(heads.select("target", "stage").iter_rows()) == set(PLACES)
    for target, stage in PLACES:
        mine = heads.filter((pl.col("target") == target.value) & (pl.col("stage") == stage.value))
        held = set(official(tables, target.value)["event_id"])
        assert held == set(races) if target is not Target.SPRINT else len(held) == 3
        assert set(mine["event_id"]) == set(races[REFIT_EVERY:]) & held
        models = {PRODUCTION_MODEL, *rules_of(target).baselines[stage]}
        for _, heads_of_event in mine.group_by("event_id"):
            assert set(heads_of_event["model"]) == models
            assert heads_of_event.height == len(models)


def test_no_head_knows_its_race(tables: dict[str, pl.DataFrame]) -> None:
    known = official(tables, "race").group_by("event_id").agg(result=pl.col("known_at").min())
    heads = tables["backtest_predictions"].join(known, on="event_id")
    own = pl.concat(
        official(tables, target.value)
        .group_by("event_id")
        .agg(own=pl.col("known_at").min())
        .with_columns(target=pl.lit(target.value))
        for target in Target
    )
    both = heads.join(own, on=["event_id", "target"])
    assert both.height == heads.height
    assert (both["as_of"] < both["own"]).all()
    assert (heads["data_through"] < heads["as_of"]).all()
    assert (heads["last_event_id"] != heads["event_id"]).all()
    last = heads.join(known, left_on="last_event_id", right_on="event_id", suffix="_last")
    assert last.height == heads.height
    assert (last["result_last"] < last["as_of"]).all()
    trees = heads.filter(pl.col("model") == PRODUCTION_MODEL)
    order = known.sort("result")["event_id"].to_list()
    for event, version in trees.select("event_id", "model_version").iter_rows():
        first = version.split("-before-")[1]
        assert order.index(first) <= order.index(event) < order.index(first) + REFIT_EVERY


def test_entries_are_whole_forecasts(tables: dict[str, pl.DataFrame]) -> None:
    for key, field in tables["backtest_prediction_entries"].group_by(*KEYS):
        n = field.height
        assert field["predicted_position"].sort().to_list() == list(range(1, n + 1))
        for column, places in (("win_probability", 1), ("podium_probability", 3), ("points_probability", 10)):
            assert field[column].sum() == pytest.approx(min(places, n), abs=1e-6)
        assert (field["position_low"] <= field["position_high"]).all()
        if not rules_of(Target(key[1])).has_times:
            assert field["gap_s"].null_count() == field["race_time_s"].null_count() == n
            continue
        ordered = field.sort("predicted_position")
        assert ordered["gap_s"][0] == 0
        for column in ("gap_s", "race_time_s"):
            assert (ordered[column].diff().drop_nulls() >= 0).all()
        assert (field["gap_low_s"] <= field["gap_s"]).all() and (field["gap_s"] <= field["gap_high_s"]).all()


def test_scores_are_those_of_the_definitions(tables: dict[str, pl.DataFrame]) -> None:
    """Computed again with plain loops from the entries and the official results."""
    scores = {
        tuple(row[name] for name in KEYS): row for row in tables["backtest_scores"].iter_rows(named=True)
    }
    assert len(scores) == tables["backtest_predictions"].height
    for key, field in tables["backtest_prediction_entries"].group_by(*KEYS):
        lines = official(tables, str(key[1])).filter(pl.col("event_id") == key[0])
        lines = lines.sort("display_order").to_dicts()
        place = {line["driver_id"]: position for position, line in enumerate(lines, start=1)}
        finished = {line["driver_id"] for line in lines if line["position"] is not None}
        rows = sorted(field.to_dicts(), key=lambda row: row["predicted_position"])
        rows = [row for row in rows if row["driver_id"] in place]
        assert len(rows) == len(place), "in these seasons whoever was expected started"
        expected: dict[str, float] = {}
        favourite = max(rows, key=lambda row: (row["win_probability"], -row["predicted_position"]))
        expected["winner_right"] = float(place[favourite["driver_id"]] == 1)
        expected["winner_in_top_three"] = float(any(place[row["driver_id"]] == 1 for row in rows[:3]))
        clipped = [max(row["win_probability"], 1e-4) for row in rows]
        win = {row["driver_id"]: p / sum(clipped) for row, p in zip(rows, clipped, strict=True)}
        expected["win_log_loss"] = -math.log(next(win[d] for d, p in place.items() if p == 1))
        expected["win_brier"] = sum((win[d] - (p == 1)) ** 2 for d, p in place.items())
        podium = sorted(rows, key=lambda row: (-row["podium_probability"], row["predicted_position"]))[:3]
        expected["podium_overlap"] = sum(place[row["driver_id"]] <= 3 for row in podium) / 3
        errors = [abs(rank - place[row["driver_id"]]) for rank, row in enumerate(rows, start=1)]
        raw = [abs(row["median_position"] - place[row["driver_id"]]) for row in rows]
        expected["mae_ranked"] = sum(errors) / len(errors)
        expected["mae_raw"] = sum(raw) / len(raw)
        kept = [e for e, row in zip(errors, rows, strict=True) if row["driver_id"] in finished]
        expected["mae_ranked_finishers"] = sum(kept) / len(kept)
        expected["top_ten_brier"] = sum(
            (row["points_probability"] - (place[row["driver_id"]] <= 10)) ** 2 for row in rows
        ) / len(rows)
        inside = [row["position_low"] <= place[row["driver_id"]] <= row["position_high"] for row in rows]
        expected["interval_coverage"] = sum(inside) / len(inside)
        n = len(rows)
        expected["spearman"] = 1 - 6 * sum(e**2 for e in errors) / (n * (n**2 - 1))
        timed = {line["driver_id"]: line for line in lines if line["time_s"] is not None and line["position"]}
        if key[1] == "race":
            seconds = [
                abs(row["race_time_s"] - timed[row["driver_id"]]["time_s"])
                for row in rows
                if row["driver_id"] in timed
            ]
            expected["time_mae_s"] = sum(seconds) / len(seconds)
        else:
            assert scores[key]["time_mae_s"] is scores[key]["gap_mae_s"] is None
        for name, value in expected.items():
            assert scores[key][name] == pytest.approx(value, abs=1e-9), (key, name)
        assert scores[key]["count_starters"] == len(place)
        assert scores[key]["count_missing"] == 0


def test_backtests_and_forecasts_never_mix(tables: dict[str, pl.DataFrame], small_data: Path) -> None:
    events = dict(tables["events"].select("event_id", "status").iter_rows())
    assert {events[e] for e in tables["backtest_predictions"]["event_id"]} == {"held"}
    assert {events[e] for e in tables["forecasts"]["event_id"]} == {"scheduled"}
    reader = Reader(small_data / "warehouse")
    kinds = {kind: set(prediction_heads(reader, kind)["event_id"]) for kind in ("provisional", "backtest")}
    assert kinds["provisional"] and kinds["backtest"]
    assert not kinds["provisional"] & kinds["backtest"]


def test_the_first_season_can_be_asked_for(small_copy: Path) -> None:
    """Nothing was held before its first races: they are left out, the others are there."""
    work = workspace_of(small_copy)
    first = work.labels["season"].min()
    heads = run_backtest(work, lambda *_: None, from_season=int(str(first)))
    assert heads == Reader(small_copy / "warehouse").table("backtest_predictions").height > 0


@pytest.mark.slow
def test_a_run_that_was_stopped_goes_on_where_it_was(small_data: Path, small_copy: Path) -> None:
    shutil.rmtree(small_copy / "cache")
    work = workspace_of(small_copy)
    backtest = Backtest(work)
    events = backtest.chosen(last=7)

    class Stopped(Exception):
        pass

    def stop(words: str, done: int) -> None:
        if done and "kept" not in words:
            raise Stopped

    with pytest.raises(Stopped):
        backtest.run(events, places=RACE, progress=stop)
    finished = backtest.collect("scores")["event_id"].n_unique()
    assert 0 < finished < len(events)
    told: list[int] = []
    report = Backtest(workspace_of(small_copy)).run(
        events, places=RACE, progress=lambda _, done: told.append(done)
    )
    assert (report.count_kept, report.count_done) == (finished, len(events) - finished)
    assert sum(told) == len(events)
    again = Backtest(workspace_of(small_copy)).run(events, places=RACE)
    assert (again.count_kept, again.count_done) == (len(events), 0)
    # Stopped or not, done in one go or in several, the numbers are the same.
    whole = Reader(small_data / "warehouse").table("backtest_prediction_entries")
    entries = backtest.collect("entries")
    expected = whole.join(entries.select(KEYS).unique(), on=KEYS, how="semi").sort(ENTRY_KEYS)
    assert expected.height == entries.height
    assert entries.sort(ENTRY_KEYS).equals(expected)


def test_a_race_half_written_is_not_done(small_copy: Path) -> None:
    work = workspace_of(small_copy)
    backtest = Backtest(work)
    event = backtest.chosen(last=1)[0]
    before = backtest.collect("entries")
    next((small_copy / "cache" / "backtest").rglob(f"{event}.race.pre_race.scores.parquet")).unlink()
    after = backtest.collect("entries")
    lost = before.join(after, on=ENTRY_KEYS, how="anti")
    assert set(lost.select("event_id", "target", "stage").rows()) == {(event, "race", "pre_race")}


@pytest.mark.slow
def test_what_happens_later_changes_no_earlier_prediction(small_data: Path, tmp_path: Path) -> None:
    """The last races end otherwise: predictions of all races before them are the same to the bit."""
    made = championship_of_today()
    held = sorted((race for race in made.races if race.is_held), key=lambda race: race.date)
    for race in held[-3:]:
        race.disqualified.update(race.finish[:3])
    ingest_into(tmp_path / "data", made.write(tmp_path / "archive"))
    work = workspace_of(tmp_path / "data")
    backtest = Backtest(work)
    events = [race.event_id for race in held[-7:]]
    backtest.run(events, places=RACE)
    new = backtest.collect("entries")
    old = Reader(small_data / "warehouse").table("backtest_prediction_entries")

    def of(frame: pl.DataFrame, chosen: list[str]) -> pl.DataFrame:
        return frame.filter(
            pl.col("event_id").is_in(chosen)
            & (pl.col("target") == Target.RACE.value)
            & (pl.col("stage") == Stage.PRE_RACE.value)
        ).sort(ENTRY_KEYS)

    # The first of the changed races is itself forecast before it is run.
    untouched = events[:5]
    assert of(new, untouched).height > 0
    assert of(new, untouched).equals(of(old, untouched))
    assert not of(new, events[5:]).equals(of(old, events[5:])), "the races after it do see it"


@pytest.mark.slow
def test_the_real_backtest_is_sane(built_data: Path) -> None:
    reader = Reader(built_data / "warehouse")
    scores = reader.table("backtest_scores")
    for target, stage in PLACES:
        mine = scores.filter(
            (pl.col("target") == target.value)
            & (pl.col("stage") == stage.value)
            & (pl.col("model") == PRODUCTION_MODEL)
        )
        assert mine["event_id"].n_unique() == (24 if target is not Target.SPRINT else 7)
        assert mine["count_starters"].min() >= 17
        uniform = math.log(mine["count_starters"].mean())
        assert mine["win_log_loss"].mean() < uniform, "better than knowing nothing"
    table = scores.group_by("stage", "model").agg(pl.col("mae_ranked").mean())
    order = {(stage, model): mae for stage, model, mae in table.iter_rows()}
    assert order["pre_race", "grid"] < order["pre_race", "elo"], "the grid says more than ratings alone"
    late, early = order["pre_race", PRODUCTION_MODEL], order["pre_qualifying", PRODUCTION_MODEL]
    assert late < early, "who knows the grid errs less"
    assert np.isfinite(scores["win_log_loss"].to_numpy()).all()
