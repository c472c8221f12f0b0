"""Home's numbers: what moved since the last stage, how the last race was called, the odds of rain."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest
from scipy.stats import binomtest

from f1core.home_view import call_of, moved, rain_odds
from models.intervals import wilson_interval
from warehouse.reader import Reader


def test_what_moved_is_counted_in_places_won() -> None:
    now = pl.DataFrame(
        {"driver_id": ["a", "b", "new"], "predicted_position": [1, 2, 3], "win_probability": [0.6, 0.3, 0.1]}
    )
    before = pl.DataFrame(
        {"driver_id": ["b", "a"], "predicted_position": [1, 4], "win_probability": [0.5, 0.2]}
    )
    rows = moved(now, before)
    assert rows["moved"].to_list() == [3, -1, None]
    assert rows["win_change"].round(6).to_list() == [0.4, -0.2, None]


def review(**over: list[object]) -> pl.DataFrame:
    columns = {
        "driver_name": ["A", "B", "C", "D"],
        "predicted_position": [1, 2, 3, 4],
        "win_probability": [0.5, 0.3, 0.15, 0.05],
        "podium_probability": [0.9, 0.8, 0.7, 0.6],
        "position": [2, 1, 4, 3],
        "position_text": ["2", "1", "DNF", "3"],
        "miss": [1, -1, 1, -1],
    }
    return pl.DataFrame({**columns, **over})


def test_a_race_is_graded_by_its_forecast() -> None:
    call = call_of(review())
    assert call is not None
    assert (call.named, call.named_result, call.winner) == ("A", "2", "B")
    assert call.winner_probability == 0.3
    assert call.podium_hits == 2  # A and B; C retired
    assert call.places_off == 1.0


def test_a_race_without_result_has_no_grade() -> None:
    assert call_of(review(position=[None] * 4, miss=[None] * 4)) is None


@pytest.mark.parametrize(("count", "total"), [(0, 4), (1, 4), (3, 7), (7, 7), (60, 100)])
def test_intervals_are_those_of_wilson(count: int, total: int) -> None:
    low, high = wilson_interval(count, total, 0.9)
    expected = binomtest(count, total).proportion_ci(0.9, method="wilson")
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_no_cases_say_nothing() -> None:
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_rain_without_forecast_is_the_circuits_past(ingested: Path) -> None:
    reader = Reader(ingested / "warehouse")
    now = dt.datetime(2024, 5, 20, tzinfo=dt.UTC)
    odds = rain_odds(reader, "2024-monaco", "monaco", now)
    assert odds is not None and not odds.is_forecast
    # Monaco 2018, 2019, 2021, 2022 (wet), 2023 (wet): the archive has no race of 2020.
    assert (odds.count, odds.probability) == (5, 0.4)
    assert odds.low is not None and odds.high is not None and odds.low < 0.4 < odds.high


def test_rain_at_a_new_circuit_is_not_known(ingested: Path) -> None:
    reader = Reader(ingested / "warehouse")
    now = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    assert rain_odds(reader, "2026-spain", "madring", now) is None
