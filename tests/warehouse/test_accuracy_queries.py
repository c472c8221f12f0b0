"""Accuracy by season, circuit and driver, against an independent count."""

from __future__ import annotations

import polars as pl
import pytest

from warehouse.queries.accuracy import accuracy_by, backtest_scores, driver_accuracy, predictions_with_outcome
from warehouse.reader import Reader

pytestmark = pytest.mark.archive


@pytest.fixture(scope="module")
def built(built_data):
    return Reader(built_data / "warehouse")


@pytest.mark.parametrize("group", ["season", "circuit_id"])
def test_means_by_group_equal_the_scores(built, group):
    found = accuracy_by(built, group, stage="pre_race").filter(pl.col("kind") == "backtest")
    events = built.query("select event_id, circuit_id from events")
    scores = backtest_scores(built, stage="pre_race").join(events, on="event_id")
    wanted = scores.group_by(group, "model").agg(pl.col("mae_ranked").mean().alias("wanted"), pl.len())
    both = found.join(wanted, on=[group, "model"])
    assert both.height == found.height == wanted.height > 0
    assert both["count_events"].to_list() == both["len"].to_list()
    assert (both["mae_ranked"] - both["wanted"]).abs().max() < 1e-9


def test_only_known_groups(built):
    with pytest.raises(ValueError, match="cannot group"):
        accuracy_by(built, "1; drop table events", stage="pre_race")


def test_means_by_driver_equal_the_forecasts(built):
    found = driver_accuracy(built, stage="pre_race", model="joint").filter(pl.col("kind") == "backtest")
    rows = predictions_with_outcome(built, stage="pre_race", model="joint")
    wanted = rows.group_by("driver_id").agg(
        wanted=(pl.col("predicted_position") - pl.col("position")).abs().mean(), count=pl.len()
    )
    both = found.join(wanted, on="driver_id")
    assert both.height == found.height == wanted.height > 0
    assert both["count_events"].to_list() == both["count"].to_list()
    assert (both["mae_ranked"] - both["wanted"]).abs().max() < 1e-9
