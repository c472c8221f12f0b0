"""The backtest over whole seasons: its progress on file, stopped, killed and gone on with, models beside ours, as a job."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from f1core.backtest import PLACES, Backtest, comparable
from f1core.backtest_progress import (
    BacktestProgress,
    PlaceProgress,
    ProgressKeeper,
    progress_data,
    progress_frame,
    progress_path,
    progress_words,
    read_progress,
)
from f1core.build import run_backtest
from f1core.full_backtest import continue_full_backtest, session_near
from f1core.settings import REPOSITORY, Settings, load_settings
from f1core.targets import PRODUCTION_MODEL
from tests.conftest import jobs_environment, workspace_of
from warehouse.errors import NotReady
from warehouse.queries.accuracy import backtest_scores
from warehouse.queries.events import session_calendar
from warehouse.reader import Reader
from warehouse.vocab import Stage, Target

NOW = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
RACE = (Target.RACE, Stage.PRE_RACE)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data=tmp_path / "data")


def begun(settings: Settings, version: str = "v1", now: dt.datetime = NOW) -> ProgressKeeper:
    keeper = ProgressKeeper(settings, version, 2022, None, now)
    keeper.begin([PlaceProgress(*RACE, "", 2, 10), PlaceProgress(*RACE, "rf_xgb", 0, 10)])
    return keeper


def seen(settings: Settings) -> BacktestProgress:
    found = read_progress(settings)
    assert found is not None
    return found


# --- the file ---------------------------------------------------------------------------------------------------------


def test_without_a_run_there_is_no_progress(settings: Settings) -> None:
    assert read_progress(settings) is None
    assert progress_data(None, NOW) is None
    assert not settings.data.exists(), "looking makes nothing"


def test_pieces_are_counted_by_target_stage_and_model(settings: Settings) -> None:
    keeper = begun(settings)
    keeper.finished(Stage.PRE_RACE, "", [(Target.RACE, "2022-a"), (Target.RACE, "2022-b")], NOW + HOUR)
    keeper.finished(Stage.PRE_RACE, "rf_xgb", [(Target.RACE, "2022-a")], NOW + 2 * HOUR)
    found = seen(settings)
    assert [(place.model, place.done, place.total) for place in found.places] == [
        ("", 4, 10),
        ("rf_xgb", 1, 10),
    ]
    assert (found.count_done, found.count_total, found.share) == (5, 20, 0.25)
    assert (found.last_event, found.last_place) == ("2022-a", "race pre_race rf_xgb")
    assert (found.began_at, found.updated_at, found.ended_at) == (NOW, NOW + 2 * HOUR, None)
    assert found.is_running(NOW), "this process is alive"
    assert progress_frame(found)["done_pct"].to_list() == [40.0, 10.0]
    words = progress_words(found, NOW)
    assert words.startswith("At work since 2026-11-01 12:00 UTC, from 2022: 5 of 20 forecasts (25%).")
    assert json.loads(json.dumps(progress_data(found, NOW)))["count_done"] == 5


def test_a_stopped_run_says_why_and_a_dead_one_is_told_from_it(settings: Settings) -> None:
    keeper = begun(settings)
    keeper.stop("a session is near", NOW + HOUR)
    assert not seen(settings).is_running(NOW)
    assert "a session is near. It goes on from there." in progress_words(seen(settings), NOW)
    begun(settings)
    path = progress_path(settings)
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"process": "another boot:1"}))
    assert not seen(settings).is_running(NOW)
    assert "its process ended without a word" in progress_words(seen(settings), NOW)
    path.write_text(json.dumps(content | {"host": "another machine"}))
    assert seen(settings).is_running(NOW + HOUR / 4)
    assert not seen(settings).is_running(NOW + HOUR), "it has been silent for long"


def test_what_goes_on_keeps_its_beginning_and_what_is_new_does_not(settings: Settings) -> None:
    begun(settings)
    begun(settings, now=NOW + HOUR)
    assert (seen(settings).began_at, seen(settings).runs) == (NOW, 2)
    begun(settings, "v2", NOW + 2 * HOUR)
    assert (seen(settings).began_at, seen(settings).runs) == (NOW + 2 * HOUR, 1)
    begun(settings, "v2", NOW + 3 * HOUR).end(NOW + 4 * HOUR)
    assert "Complete from 2022, in the tables since 2026-11-01 16:00 UTC" in progress_words(
        seen(settings), NOW
    )
    begun(settings, "v2", NOW + 5 * HOUR)
    assert seen(settings).began_at == NOW + 5 * HOUR, "a complete one is not gone on with"


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"format": "parcferme/backtest-progress/2"}', '{"format": 1}']
)
def test_a_file_that_cannot_be_read_is_no_progress(settings: Settings, content: str) -> None:
    begun(settings)
    progress_path(settings).write_text(content)
    assert read_progress(settings) is None
    begun(settings)
    assert seen(settings).runs == 1


# --- running ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def fresh(small_copy: Path) -> Path:
    """An installation whose models are there and whose backtest is not."""
    shutil.rmtree(small_copy / "cache" / "backtest")
    return small_copy


@pytest.mark.slow
def test_a_model_beside_ours_is_scored_in_the_same_run_and_only_when_asked_for(fresh: Path) -> None:
    assert "rf_xgb" in comparable() and PRODUCTION_MODEL not in comparable()
    work = workspace_of(fresh)
    assert set(backtest_scores(work.reader)["model"]) == {PRODUCTION_MODEL, "grid", "points", "elo"}
    backtest = Backtest(work)
    events = backtest.chosen(last=3)
    backtest.run(events, places=(RACE,))
    before = backtest.collect("entries")
    report = backtest.run(
        events, places=(RACE, (Target.QUALIFYING, Stage.PRE_QUALIFYING)), compare=("rf_xgb",)
    )
    scores = backtest.collect("scores")
    beside = scores.filter(pl.col("model") == "rf_xgb")
    assert sorted(beside["event_id"]) == sorted(events)
    assert set(beside["target"]) == {"race"}, "qualifying has nothing to be compared with there"
    assert report.count_kept == 3
    again = backtest.run(events, places=(RACE,), compare=("rf_xgb",))
    assert (again.count_done, again.count_kept) == (0, 6)
    ours = backtest.collect("entries").filter((pl.col("model") != "rf_xgb") & (pl.col("target") == "race"))
    assert ours.equals(before), "ours are what they were"
    assert set(
        backtest.collect("heads").filter(pl.col("model") == "rf_xgb")["model_version"].str.head(7)
    ) == {"rf_xgb-"}


@pytest.mark.slow
def test_a_run_that_is_asked_to_stop_does_so_after_a_block(fresh: Path) -> None:
    work = workspace_of(fresh)
    tables = work.reader.snapshot.versions["backtest_scores"]
    asked: list[int] = []

    def stop() -> str:
        asked.append(1)
        return "enough" if len(asked) == 2 else ""

    with pytest.raises(NotReady, match="enough"):
        run_backtest(work, lambda *_: None, from_season=2020, stop=stop)
    found = seen(work.settings)
    assert found.stopped == "enough" and 0 < found.count_done < found.count_total
    assert workspace_of(fresh).reader.snapshot.versions["backtest_scores"] == tables, (
        "the tables are as they were"
    )
    assert (
        Backtest(work).left(Backtest(work).chosen(from_season=2020)) == found.count_total - found.count_done
    )


@pytest.mark.slow
def test_a_run_that_was_killed_goes_on_where_it_was(fresh: Path, small_data: Path) -> None:
    """SIGKILL in the middle: what was done is kept and counted, and the end is the same as of a run in one go."""
    settings = load_settings(data=fresh)
    command = [sys.executable, "-m", "jobs", "backtest", "--from", "2020", "--workers", "1", "--json"]
    environment = jobs_environment(fresh)
    child = subprocess.Popen(
        command, cwd=REPOSITORY, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 300
    kept = 0
    while time.monotonic() < deadline and child.poll() is None and not kept:
        time.sleep(0.05)
        progress = read_progress(settings)
        kept = 0 if progress is None or progress.last_event is None else progress.count_done
    assert kept and child.poll() is None, "it was caught at work"
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    cut_off = seen(settings)
    assert not cut_off.is_running(dt.datetime.now(dt.UTC))
    assert "ended without a word" in progress_words(cut_off, dt.datetime.now(dt.UTC))
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = seen(settings)
    assert (found.runs, found.began_at) == (2, cut_off.began_at)
    assert found.ended_at is not None and found.count_done == found.count_total
    keys = ["event_id", "target", "stage", "model"]
    mine, whole = (
        Reader(data / "warehouse").table("backtest_scores").sort(keys) for data in (fresh, small_data)
    )
    assert mine.join(whole, on=keys, how="semi").equals(whole.join(mine, on=keys, how="semi"))
    assert mine.height >= whole.height > 0


# --- as a job ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No session is near, whatever day the tests run on."""
    monkeypatch.setattr("f1core.full_backtest.session_near", lambda _reader, _now: "")
    yield


@pytest.mark.slow
def test_the_job_works_for_a_while_and_is_done_when_nothing_is_left(fresh: Path, quiet: None) -> None:
    ticks = iter(range(1000))
    with pytest.raises(NotReady, match="minutes it may take"):
        continue_full_backtest(
            workspace_of(fresh), limit=dt.timedelta(seconds=3), monotonic=lambda: float(next(ticks))
        )
    first = seen(load_settings(data=fresh))
    assert 0 < first.count_done < first.count_total
    # The rest is as if it were done before, by a run that was killed before it could publish.
    work = workspace_of(fresh)
    backtest = Backtest(work)
    backtest.run(backtest.chosen(from_season=2020))
    with work.writing("test") as store:
        for name in ("backtest_predictions", "backtest_scores"):
            store.replace(name, work.reader.table(name).head(1).to_arrow())
        store.publish(now=work.clock.now())
    assert continue_full_backtest(workspace_of(fresh)) > 0
    assert continue_full_backtest(workspace_of(fresh)) == 0, "the tables hold everything"
    assert seen(work.settings).ended_at is not None


def test_a_session_is_near_from_hours_before_it_to_hours_after_its_result(tiny_data: Path) -> None:
    reader = Reader(tiny_data / "warehouse")
    first = session_calendar(reader).sort("starts_at").row(0, named=True)
    assert session_near(reader, first["starts_at"] - 4 * HOUR) == ""
    for instant in (first["starts_at"] - 2 * HOUR, first["starts_at"], first["known_at"] + 2 * HOUR):
        assert first["event_id"] in session_near(reader, instant)
    last = session_calendar(reader).sort("known_at").row(-1, named=True)
    assert session_near(reader, last["known_at"] + 4 * HOUR) == ""


def test_seasons_can_be_limited_at_both_ends(tiny_data: Path) -> None:
    backtest = Backtest(workspace_of(tiny_data))
    assert {event[:4] for event in backtest.chosen(from_season=2023, until_season=2023)} == {"2023"}
    assert {event[:4] for event in backtest.chosen(from_season=2023)} == {"2023", "2024"}
    with pytest.raises(NotReady, match="since 2025"):
        backtest.chosen(from_season=2025, until_season=2026)
    assert backtest.left(backtest.events, PLACES) >= 0


@pytest.mark.slow
def test_code_that_changes_meanwhile_stops_the_run(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An update in the middle: no table is made of parts by different code, and nothing is called complete."""
    work = workspace_of(fresh)
    versions = iter(["old", "old", *["new"] * 99])
    monkeypatch.setattr("f1core.backtest.models_version", lambda: next(versions))
    with pytest.raises(NotReady, match="code changed while the backtest ran"):
        run_backtest(work, lambda *_: None, from_season=2020)
    found = seen(work.settings)
    assert found.ended_at is None and 0 < found.count_done < found.count_total
