"""Home in every state: nothing built, a race to come, behind the calendar, season over, no forecast, no backtest."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import polars as pl
import pytest

from f1core.targets import PRODUCTION_MODEL
from f1core.wording import KIND_NAMES
from tests.pages.conftest import ACCURACY, HOME, PAGES, RACE, Open, draw
from warehouse.queries.accuracy import pooled_scores
from warehouse.queries.forecasts import prediction_entries
from warehouse.reader import Reader
from warehouse.store import Store
from warehouse.tables import TABLES

MISSING = (
    "Great Britain",
    "Belgium",
    "Hungary",
    "Netherlands",
    "Italy",
    "Spain",
    "Azerbaijan",
    "Bahrain",
    "Singapore",
    "United States",
    "Mexico",
    "São Paulo",
)


def empty(data: Path, *tables: str) -> None:
    """Publishes a snapshot in which these tables have no rows."""
    store = Store(data / "warehouse")
    for name in tables:
        store.replace(name, TABLES[name].schema.empty_table())
    store.publish(now=dt.datetime.now(dt.UTC))


@pytest.mark.parametrize("page", PAGES)
def test_before_anything_is_built_every_page_says_what_to_do(page: str, visit: Open, tmp_path: Path) -> None:
    seen = visit(page, tmp_path)
    assert seen.says("There is no warehouse in")
    assert seen.says("Run `python3 run.py build`")
    assert seen.charts == 0


@pytest.mark.parametrize("page", PAGES)
def test_a_missing_file_is_explained_and_the_page_keeps_its_frame(
    page: str, visit: Open, small_copy: Path
) -> None:
    for name in ("events", "backtest_scores"):
        for file in (small_copy / "warehouse" / name).rglob("*.parquet"):
            file.unlink()
    seen = visit(page, small_copy)
    assert len(seen.at.warning) == 1
    assert "python3 run.py build" in seen.at.warning[0].value


def test_the_next_race_and_its_forecast(visit: Open, small_data: Path) -> None:
    reader = Reader(small_data / "warehouse")
    now = dt.datetime.now(dt.UTC)
    head = reader.query(
        "select event_id, stage, model_version from forecasts where model = $model and target = 'race' order by as_of, event_id",
        {"model": PRODUCTION_MODEL},
    ).row(0, named=True)
    seen = visit(HOME, small_data)
    assert seen.at.metric[0].label == "Lights out in"
    assert seen.says("Provisional forecast")
    assert seen.says(f"**{KIND_NAMES['provisional']}.**")
    assert not seen.says(f"**{KIND_NAMES['backtest']}.**"), "only the last race, graded, is a backtest"
    assert seen.says(head["model_version"])
    entries = prediction_entries(
        reader, "provisional", head["event_id"], head["stage"], PRODUCTION_MODEL
    ).head(10)
    shown = seen.at.dataframe[0].value
    assert shown["driver_name"].to_list() == entries["driver_name"].to_list()
    for column in ("win_probability", "podium_probability", "points_probability"):
        assert shown[column].to_list() == pytest.approx((entries[column] * 100).to_list())
    assert shown["expected_position"].to_list() == pytest.approx(entries["expected_position"].to_list())
    assert shown["span"].to_list() == [
        f"{low}–{high}" for low, high in entries.select("position_low", "position_high").iter_rows()
    ]
    assert seen.charts == 1
    times = pl.DataFrame(seen.at.table[0].value)
    starts = reader.query(
        "select starts_at from sessions where event_id = $e order by starts_at", {"e": head["event_id"]}
    )["starts_at"]
    assert [text.removesuffix(" (estimated)") for text in times["UTC"]] == [
        f"{start:%a %d %b %H:%M}" for start in starts
    ]
    assert starts.max() > now  # type: ignore[operator]


def test_the_record_is_that_of_the_backtest(visit: Open, small_data: Path) -> None:
    seen = visit(HOME, small_data)
    pooled = pooled_scores(Reader(small_data / "warehouse"), stage="pre_race")
    ours, grid = (
        pooled.filter(pl.col("model") == name).row(0, named=True) for name in (PRODUCTION_MODEL, "grid")
    )
    metrics = {metric.label: metric for metric in seen.at.metric}
    assert metrics["Places off"].value == f"{ours['mae_ranked']:.2f}"
    assert metrics["Places off"].delta == f"grid {grid['mae_ranked']:.2f}"
    assert metrics["Winner named"].value == f"{ours['winner_right']:.0%}"
    assert seen.says(f"{ours['count_events']} of the ")


def test_data_behind_the_calendar_are_said_to_be(visit: Open, built_data: Path) -> None:
    seen = visit(HOME, built_data, clock="2026-11-20T12:00Z")
    warning = next(element.value for element in seen.at.warning if "behind the calendar" in element.value)
    assert "12 races behind" in warning
    assert "Austrian Grand Prix 2026 of 28 Jun 2026" in warning
    assert all(name in warning for name in MISSING)
    assert seen.at.title[0].value == "Las Vegas Grand Prix 2026"
    assert seen.at.metric[0].value == "1 day 16 h"
    times = seen.at.table[0].value
    assert times.iloc[-1].to_list() == ["Race", "Sun 22 Nov 04:00", "Sat 21 Nov 20:00"]
    assert seen.says("Simulated clock: 20 November 2026, 12:00 UTC")


def test_nothing_is_missing_while_a_race_is_still_to_be_known(visit: Open, built_data: Path) -> None:
    seen = visit(HOME, built_data, clock="2026-06-29")
    assert seen.says("No race of the calendar is missing")
    assert not any("behind the calendar" in element.value for element in seen.at.warning)
    assert seen.at.title[0].value == "British Grand Prix 2026"


def test_after_the_last_race_the_season_is_over(visit: Open, built_data: Path) -> None:
    seen = visit(HOME, built_data, clock="2026-12-20")
    assert seen.says("Season over")
    assert seen.at.title[0].value == "Austrian Grand Prix 2026"
    assert seen.says("Last known race")
    assert seen.says("15 races behind the calendar")
    assert seen.says(KIND_NAMES["backtest"]), "the last known race is shown as the backtest it is"
    assert not any("Lights out" in metric.label for metric in seen.at.metric)
    assert seen.charts == 1


def test_what_a_simulated_clock_cannot_know_is_hidden(visit: Open, built_data: Path) -> None:
    seen = visit(HOME, built_data, clock="2025-11-21T12:00Z")
    assert seen.at.title[0].value == "Las Vegas Grand Prix 2025"
    assert seen.says("There is no forecast of this race yet")
    assert seen.says("The newest result here is the São Paulo Grand Prix 2025")


def test_a_race_without_a_forecast_and_a_model_without_a_backtest(visit: Open, small_copy: Path) -> None:
    before = visit(HOME, small_copy)
    assert before.charts == 1
    empty(small_copy, "forecasts", "forecast_entries", "backtest_predictions", "backtest_prediction_entries")
    empty(small_copy, "backtest_scores")
    # The same visitor, the same process: what a job published is there at the next run.
    after = draw(before.at)
    assert after.charts == 0
    assert after.says("There is no forecast of this race yet")
    assert after.says("No race is backtested yet")
    assert "No race is backtested yet" in "".join(visit(ACCURACY, small_copy).texts("info"))
    assert visit(RACE, small_copy).says("No forecast of this race is stored. 0 of the")


def test_an_empty_calendar_is_no_crash(visit: Open, small_copy: Path) -> None:
    empty(small_copy, "events", "sessions")
    for page in (HOME, RACE):
        assert visit(page, small_copy).says("The calendar is empty")


def test_pages_do_not_write(visit: Open, small_data: Path, tmp_path: Path) -> None:
    data = Path(shutil.copytree(small_data, tmp_path / "data"))
    before = {path: path.stat().st_mtime_ns for path in data.rglob("*")}
    for page in PAGES:
        visit(page, data)
    assert {path: path.stat().st_mtime_ns for path in data.rglob("*")} == before


def test_a_clock_that_cannot_be_read_is_explained(visit: Open, small_data: Path) -> None:
    seen = visit(HOME, small_data, clock="tomorrow")
    assert seen.says("PARCFERME_CLOCK is set to 'tomorrow'")
    assert seen.says("2025-12-06T18:00Z")
    assert seen.charts == 0
