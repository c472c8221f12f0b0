"""The health page: runs, coming runs, fresh facts and quotas, in every state the record can be in."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from pathlib import Path

import polars as pl
import pytest

from f1core.agenda import Job, PlannedRun
from f1core.backtest_progress import PlaceProgress, ProgressKeeper
from f1core.health import RUN_SCHEMA, about, runs_frame
from f1core.job_log import FILE, JobLog, RunStatus
from f1core.job_status import runner_state
from f1core.processes import process_started
from f1core.settings import load_settings
from f1core.sources.limits import QUOTA_FILE, Quota
from tests.pages.conftest import Open, Visit, param
from warehouse.queries.health import table_sizes
from warehouse.reader import Reader
from warehouse.vocab import Stage, Target

HEALTH = "pages/health.py"
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def data(tiny_data: Path, tmp_path: Path) -> Path:
    shutil.copytree(tiny_data / "warehouse", tmp_path / "data" / "warehouse")
    return tmp_path / "data"


@pytest.fixture
def log(data: Path) -> JobLog:
    return JobLog(data / "jobs" / FILE)


@pytest.fixture
def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def run(key: str) -> PlannedRun:
    job = Job(key.replace("@", ":").partition(":")[0])
    return PlannedRun(key, job, {}, dt.datetime.now(dt.UTC), None, "A run")


def fill(log: JobLog, now: dt.datetime) -> None:
    """A failed fetch that is tried again, a forecast that went well, a seal that was missed."""
    failed = log.begin(run("weather@2026-11-21T06:00Z"), now - 3 * HOUR)
    log.finish(
        failed,
        RunStatus.FAILED,
        now=now - 3 * HOUR + dt.timedelta(seconds=90),
        error="api.open-meteo.com cannot be used now: <b>no connection</b>",
        retry_at=now + 7 * HOUR / 60,
    )
    done = log.begin(run("forecast:2024-isle:grid"), now - 2 * HOUR)
    log.finish(done, RunStatus.DONE, now=now - 2 * HOUR, rows=3, note="2024-isle pre_race")
    log.record(
        run("freeze:2024-isle:race:post_qualifying"), RunStatus.MISSED, now=now - HOUR, note="too late"
    )


def table(seen: Visit, number: int) -> pl.DataFrame:
    return pl.from_pandas(seen.at.dataframe[number].value)


def figures(seen: Visit) -> dict[str, tuple[str, str]]:
    return {metric.label: (metric.value, metric.delta) for metric in seen.at.metric}


def test_before_any_run_it_says_so_and_shows_what_is_planned(visit: Open, data: Path) -> None:
    seen = visit(HEALTH, data)
    assert figures(seen)["Runner"] == ("Off", "never seen")
    assert figures(seen)["Since the last run"] == ("–", "none yet")
    assert seen.says("No runner is at work")
    assert seen.says("No run is on record yet")
    coming = table(seen, 0)
    assert coming.height == 12
    assert coming["at"].is_sorted()
    assert not (data / "jobs").exists(), "looking makes nothing"


def test_runs_are_shown_with_status_times_and_error(
    visit: Open, data: Path, log: JobLog, now: dt.datetime
) -> None:
    fill(log, now)
    seen = visit(HEALTH, data)
    rows = table(seen, 0)
    assert rows["status"].to_list() == ["! missed", "✓ done", "✗ failed"]
    assert rows["what"].to_list() == [
        "2024 isle, race, post qualifying",
        "2024 isle, grid",
        "2026-11-21 06:00",
    ]
    assert rows["took_s"].to_list() == [None, 0.0, 90.0]
    assert rows["rows"].to_list() == [None, 3, None]
    assert rows["attempts"].to_list() == [None, 1, 1]
    assert "<b>no connection</b>" in rows["words"][2], "text stays text"
    assert seen.says(
        "Never sealed:** 2024 isle, race, post qualifying. A seal that was missed is not made late"
    )
    assert figures(seen)["Faults in 24 h"] == ("2", "of 2 runs")
    assert figures(seen)["Since the last run"] == ("2 h", "✓ done")
    again = table(seen, 1)
    assert again["title"][0] == "Again: 2026-11-21 06:00", "what is tried again is among what comes next"


def test_only_faults_or_only_weekends_can_be_shown_and_linked_to(
    visit: Open, data: Path, log: JobLog, now: dt.datetime
) -> None:
    fill(log, now)
    seen = visit(HEALTH, data, runs="faults")
    assert table(seen, 0)["status"].to_list() == ["! missed", "✗ failed"]
    assert param(seen.at, "runs") == "faults"
    assert table(visit(HEALTH, data, runs="weekend"), 0)["job"].to_list() == ["Seal", "Forecast"]
    assert visit(HEALTH, data, runs="nonsense").says("There is no show “nonsense” here")


def test_a_runner_that_lives_is_told_from_one_that_died(
    visit: Open, data: Path, log: JobLog, now: dt.datetime
) -> None:
    fact = {
        "at": now.isoformat(),
        "is_alive": True,
        "pid": os.getpid(),
        "process": process_started(os.getpid()),
        "host": os.uname().nodename,
    }
    log.note_fact("runner", fact)
    seen = visit(HEALTH, data)
    assert figures(seen)["Runner"] == ("On", f"process {os.getpid()}")
    assert not seen.says("No runner is at work")
    for gone in (
        {"process": "another boot:1"},
        {"at": (now - HOUR).isoformat()},
        {"is_alive": False},
    ):
        log.note_fact("runner", fact | gone)
        assert runner_state(log, now)["is_alive"] is False
    assert figures(visit(HEALTH, data))["Runner"][0] == "Off"


def test_freshness_is_that_of_the_tables(visit: Open, data: Path, now: dt.datetime) -> None:
    seen = visit(HEALTH, data)
    shown = table(seen, 1)
    sizes = table_sizes(Reader(data / "warehouse"))
    assert dict(shown.select("table", "rows").iter_rows()) == dict(sizes.select("table", "rows").iter_rows())
    ages = dict(shown.select("table", "age").iter_rows())
    newest = sizes.filter(pl.col("table") == "race_results")["known_through"][0]
    assert ages["race_results"] == f"{(now - newest).days} days"
    assert ages["circuits"] is None


def test_quotas_are_those_of_the_record(visit: Open, data: Path) -> None:
    quota = Quota(data / "jobs" / QUOTA_FILE)
    for _ in range(3):
        quota.take("api.jolpi.ca")
    hosts = {row["host"]: row for row in table(visit(HEALTH, data), 2).to_dicts()}
    assert (hosts["api.jolpi.ca"]["left"], hosts["api.jolpi.ca"]["limit"]) == (197, 200)
    assert hosts["api.jolpi.ca"]["resets_at"] is not None
    assert (hosts["api.open-meteo.com"]["left"], hosts["api.open-meteo.com"]["left_pct"]) == (500, 100)


def test_a_damaged_record_hides_nothing_else(visit: Open, data: Path, log: JobLog, now: dt.datetime) -> None:
    fill(log, now)
    log.path.write_bytes(b"not a database" * 999)
    seen = visit(HEALTH, data)
    assert seen.says("is damaged")
    assert seen.says("Facts and their age")
    assert len(seen.at.dataframe) == 2, "freshness and quotas"


def test_under_a_simulated_clock_later_runs_are_hidden(
    visit: Open, data: Path, log: JobLog, now: dt.datetime
) -> None:
    fill(log, now)
    seen = visit(HEALTH, data, clock="2024-04-29T12:00Z")
    assert seen.says("No run is on record yet")
    assert not seen.says("Never sealed")
    assert not seen.says("No runner is at work"), "nobody knows of that time"
    assert {title for title in table(seen, 0)["title"]} & {"Weather forecast", "F1DB release"}


def test_runs_can_be_taken_away_as_a_frame(log: JobLog, now: dt.datetime) -> None:
    assert runs_frame([]).schema == RUN_SCHEMA
    fill(log, now)
    frame = runs_frame(log.history())
    assert frame.schema == RUN_SCHEMA
    assert frame.write_csv().count("\n") == 4


def test_keys_become_words() -> None:
    assert about("extract:2025-las-vegas:practice_1") == "2025 las vegas, practice 1"
    assert about("calendar@2025-11-22T00:00Z") == "2025-11-22 00:00"
    assert about("job_log") == ""


def test_how_far_the_backtest_is(visit: Open, data: Path, now: dt.datetime) -> None:
    assert visit(HEALTH, data).says("Not begun yet: the scheduler does it by itself")
    keeper = ProgressKeeper(load_settings(data=data), "v1", 2022, None, now - HOUR)
    keeper.begin(
        [
            PlaceProgress(Target.RACE, Stage.PRE_RACE, "", 30, 40),
            PlaceProgress(Target.QUALIFYING, Stage.PRE_QUALIFYING, "", 9, 40),
            PlaceProgress(Target.RACE, Stage.PRE_RACE, "rf_xgb", 0, 40),
        ]
    )
    keeper.finished(Stage.PRE_QUALIFYING, "", [(Target.QUALIFYING, "2024-isle")], now)
    seen = visit(HEALTH, data)
    (bar,) = seen.at.get("progress")
    assert bar.proto.value == 33
    words = bar.proto.text.replace("\\", "")
    assert words.startswith("At work since") and "40 of 120 forecasts (33%)" in words
    assert words.endswith("Last: 2024-isle, qualifying pre_qualifying.")
    rows = pl.from_pandas(seen.at.dataframe[-1].value)
    assert rows["done"].to_list() == [30, 10, 0]
    assert rows["done_pct"].to_list() == [75.0, 25.0, 0.0]
    assert rows["target"].to_list() == ["Race", "Qualifying", "Race"]
    assert rows["model"].to_list() == ["", "", "RF + XGB"]
    keeper.end(now)
    (bar,) = visit(HEALTH, data).at.get("progress")
    assert bar.proto.text.startswith("Complete from 2022")
    assert visit(HEALTH, data, clock="2024-04-29T12:00Z").says("Not begun yet"), "that was later"
