"""What the model of gaps learns from is what stood before each start, and nothing that was known later."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from f1core.gap_history import gap_history, rated_before
from f1core.labels import load_labels
from models.gap_model import HISTORY_COLUMNS
from models.pace_filter import SETTINGS
from warehouse.reader import Reader

LATER = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)


@pytest.fixture
def tiny(tiny_data: Path) -> Iterator[Reader]:
    found = Reader(tiny_data / "warehouse")
    yield found
    found.close()


def test_one_row_per_starter_oldest_race_first(tiny: Reader) -> None:
    labels = load_labels(tiny)
    rows = gap_history(tiny, LATER)
    assert rows.columns == list(HISTORY_COLUMNS)
    assert (
        rows.select("event_id", "driver_id").rows()
        == labels.sort("known_at", "event_id", "position").select("event_id", "driver_id").rows()
    )
    assert rows["race_pace_gap"].null_count() == 0
    winners = rows.filter(pl.col("position") == 1)
    assert winners["gap_s"].to_list() == [0.0] * winners.height


def test_a_race_is_there_only_after_it_was_known(tiny: Reader) -> None:
    labels = load_labels(tiny)
    for known in labels["known_at"].unique():
        before = gap_history(tiny, known)
        assert set(before["event_id"]) == set(labels.filter(pl.col("known_at") < known)["event_id"])
        assert before.equals(gap_history(tiny, LATER).head(before.height))


def test_the_rating_is_that_after_the_race_before(tiny: Reader) -> None:
    labels = load_labels(tiny)
    ratings = tiny.table("ratings").filter(pl.col("rating_kind") == "race_pace")
    for kind, carry, newcomer in (
        ("driver", SETTINGS["race_pace"].driver_carry, SETTINGS["race_pace"].rookie_mean),
        ("constructor", SETTINGS["race_pace"].car_carry, SETTINGS["race_pace"].new_car_mean),
    ):
        found = labels.with_columns(rated=rated_before(labels, tiny, "race_pace", kind))
        for row in found.iter_rows(named=True):
            earlier = ratings.filter(
                (pl.col("entity_kind") == kind)
                & (pl.col("entity_id") == row[f"{kind}_id"])
                & (pl.col("known_at") < row["known_at"])
            ).sort("known_at")
            expected = newcomer
            if earlier.height:
                last = earlier.row(-1, named=True)
                expected = last["value"] * carry ** (row["season"] - last["season"])
            assert row["rated"] == pytest.approx(expected)
