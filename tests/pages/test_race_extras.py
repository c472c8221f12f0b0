"""The race page around its forecast: stages beside each other, as raced, earlier races, laps; held against the tables."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from f1core.targets import PRODUCTION_MODEL
from tests.pages.conftest import RACE, Open
from warehouse.reader import Reader

NOW = "2026-11-20T12:00Z"
MONACO = {"event": "2026-monaco", "stage": "pre_race"}


@pytest.fixture
def reader(built_data: Path) -> Reader:
    return Reader(built_data / "warehouse")


def test_stages_stand_side_by_side_with_the_numbers_stored(
    visit: Open, built_data: Path, reader: Reader
) -> None:
    seen = visit(RACE, built_data, clock=NOW, **MONACO, view="stages")
    shown = next(one.value for one in seen.at.dataframe if "pre_race_place" in one.value.columns)
    stored = reader.query(
        """
        select stage, driver_name, predicted_position, win_probability
        from backtest_prediction_entries inner join drivers using (driver_id)
        where event_id = '2026-monaco' and target = 'race' and model = $model
        """,
        {"model": PRODUCTION_MODEL},
    )
    stages = stored["stage"].unique().to_list()
    assert len(stages) > 1
    assert {name.removesuffix("_place") for name in shown.columns if name.endswith("_place")} == set(stages)
    for stage in stages:
        mine = stored.filter(pl.col("stage") == stage)
        table = shown.dropna(subset=[f"{stage}_place"]).set_index("driver_name")
        assert table[f"{stage}_place"].to_dict() == dict(
            mine.select("driver_name", "predicted_position").iter_rows()
        )
        assert table[f"{stage}_win"].to_dict() == pytest.approx(
            dict(mine.select("driver_name", pl.col("win_probability") * 100).iter_rows())
        )


def test_earlier_races_here_are_those_of_the_tables(visit: Open, built_data: Path, reader: Reader) -> None:
    seen = visit(RACE, built_data, clock=NOW, **MONACO, view="previous")
    shown = next(one.value for one in seen.at.dataframe if "winner_name" in one.value.columns)
    expected = reader.query(
        """
        select events.season, drivers.driver_name as winner, results.grid_position as grid
        from events
        inner join race_results as results
            on results.event_id = events.event_id and results.session = 'race' and results.position = 1
        inner join drivers using (driver_id)
        where events.circuit_id = 'monaco' and events.season < 2026
        order by events.season desc limit 10
        """
    )
    assert shown["race"].to_list() == [f"Monaco {season}" for season in expected["season"]]
    assert shown["winner_name"].to_list() == expected["winner"].to_list()
    assert shown["winner_grid"].to_list() == expected["grid"].to_list()
    from_pole = int((expected["grid"] == 1).sum())
    assert seen.says(f"The winner started first in {from_pole} of the last {expected.height}")


def test_what_happened_is_the_official_result_with_laps_and_tyres(
    visit: Open, built_data: Path, reader: Reader
) -> None:
    seen = visit(RACE, built_data, clock=NOW, **MONACO, view="happened")
    shown = next(one.value for one in seen.at.dataframe if "reason_retired" in one.value.columns)
    official = reader.query(
        "select position_text, points from race_results where event_id = '2026-monaco' and session = 'race' "
        "order by display_order"
    )
    assert shown["position_text"].to_list() == official["position_text"].to_list()
    assert shown["points"].fillna(0).to_list() == official["points"].fill_null(0).to_list()
    parts = next(group for group in seen.at.get("button_group") if group.key == "choice_part")
    assert parts.options == ["Result", "Lap chart", "Tyres"]
    summary = reader.query(
        "select * from session_summaries where event_id = '2026-monaco' and session = 'race'"
    ).row(0, named=True)
    assert seen.says(f"{summary['count_classified']} of {summary['count_starters']} classified")
    assert seen.says("wet (" if summary["is_wet"] else "As raced: dry")


def test_before_the_race_nothing_has_happened(visit: Open, built_data: Path) -> None:
    seen = visit(RACE, built_data, clock="2026-06-05T12:00Z", event="2026-monaco", view="happened")
    assert not seen.says("What happened") and not seen.says("As raced")
    assert not any("What happened" in group.options for group in seen.at.get("button_group"))
    assert seen.says("races here since 2018 were wet (no forecast is stored)")
    assert not any("reason_retired" in one.value.columns for one in seen.at.dataframe)
