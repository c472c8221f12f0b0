"""Races of the real archive set up for the simulator, and the next one."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from f1core.simulator.engine import simulate, simulate_once
from f1core.simulator.parameters import TrackStatus
from f1core.simulator.plan import violations
from f1core.simulator.rules import DRY_COMPOUNDS
from f1core.strategy.basis import Basis
from f1core.strategy.setup import StrategyUnavailable, playable_events, race_setup
from warehouse.errors import UnknownEvent
from warehouse.reader import Reader


@pytest.fixture(scope="module")
def reader(built_data: Path) -> Reader:
    return Reader(built_data / "warehouse")


def test_a_past_race_has_its_grid_stops_and_retirements(reader: Reader) -> None:
    setup = race_setup(reader, "2024-bahrain")
    assert setup.is_past
    assert not setup.is_wet
    assert setup.race.laps == 57
    drivers = setup.drivers
    assert drivers["driver_id"][0] == "max-verstappen"
    assert [stop.lap for stop in setup.plans["max-verstappen"].stops] == [17, 37]
    assert setup.plans["max-verstappen"].compounds == ("SOFT", "HARD", "SOFT")
    assert drivers["retired_on_lap"].null_count() == drivers.height
    assert setup.scenario.phases == ()
    outcome = simulate_once(setup.race, setup.plans, setup.scenario)
    assert sorted(outcome.position[0].tolist()) == list(range(1, drivers.height + 1))


def test_hindsight_is_nearer_to_the_race_and_says_so(reader: Reader) -> None:
    missed = {}
    for basis in Basis:
        setup = race_setup(reader, "2024-bahrain", basis)
        places = simulate(setup.race, setup.plans, setup.scenario, runs=100, seed=1).mean_position()
        missed[basis] = float(np.abs(places - setup.drivers["actual_position"].to_numpy()).mean())
    assert missed[Basis.HINDSIGHT] < missed[Basis.PRE_RACE] < 4
    notes = " ".join(race_setup(reader, "2024-bahrain", Basis.HINDSIGHT).notes)
    assert "Hindsight" in notes


def test_a_lap_lost_by_the_feed_and_a_red_flag_on_lap_1(reader: Reader) -> None:
    setup = race_setup(reader, "2024-monaco")
    assert setup.race.laps == 78
    # George Russell ran one set to the end; the feed begins after the change under the red flag.
    assert setup.plans["george-russell"].stops == ()
    assert any("lost 1 lap" in note for note in setup.notes)


def test_a_race_stopped_late_changes_tyres_for_nothing(reader: Reader) -> None:
    setup = race_setup(reader, "2023-australia")
    assert setup.scenario.phases is not None
    stopped = [one.first_lap for one in setup.scenario.phases if one.status == TrackStatus.RED_FLAG]
    assert len(stopped) >= 2
    on_them = [any(stop.lap in stopped for stop in plan.stops) for plan in setup.plans.values()]
    assert sum(on_them) > len(on_them) / 2


def test_compounds_of_2018_are_those_of_the_weekend(reader: Reader) -> None:
    setup = race_setup(reader, "2018-monaco")
    used = {compound for plan in setup.plans.values() for compound in plan.compounds}
    assert used <= set(DRY_COMPOUNDS)
    assert len(used) >= 2


def test_a_wet_race_is_wet_where_the_field_was_on_wet_tyres(reader: Reader) -> None:
    setup = race_setup(reader, "2023-netherlands")
    assert setup.is_wet
    assert setup.race.weather is not None
    assert setup.scenario.wetness is not None
    assert len(setup.scenario.wetness) == setup.race.laps
    assert max(setup.scenario.wetness) > 1
    simulate(setup.race, setup.plans, setup.scenario, runs=20, seed=1)


def test_the_next_race_is_expected(reader: Reader) -> None:
    events = playable_events(reader)
    coming = events.filter(~pl.col("is_past"))
    assert coming.height == 1
    setup = race_setup(reader, coming["event_id"][0])
    assert not setup.is_past
    assert setup.scenario.phases is None
    assert setup.drivers.height >= 18
    for plan in setup.plans.values():
        assert not violations(plan, setup.race.laps, setup.rules)
    simulate(setup.race, setup.plans, setup.scenario, runs=20, seed=1)
    with pytest.raises(StrategyUnavailable, match="no hindsight"):
        race_setup(reader, coming["event_id"][0], Basis.HINDSIGHT)


def test_what_cannot_be_set_up_is_refused_with_a_reason(reader: Reader) -> None:
    with pytest.raises(StrategyUnavailable, match="laps"):
        race_setup(reader, "2010-bahrain")
    with pytest.raises(StrategyUnavailable, match="too short"):
        race_setup(reader, "2021-belgium")
    with pytest.raises(UnknownEvent):
        race_setup(reader, "2024-atlantis")


def test_a_race_whose_result_was_not_known_is_a_race_to_come(reader: Reader) -> None:
    before = dt.datetime(2024, 6, 1, tzinfo=dt.UTC)
    setup = race_setup(reader, "2024-spain", as_of=before)
    assert not setup.is_past and setup.scenario.phases is None
    assert setup.drivers["actual_position"].null_count() == setup.drivers.height
    assert any("No result of this race is known" in note for note in setup.notes)
    with pytest.raises(StrategyUnavailable, match="no hindsight"):
        race_setup(reader, "2024-spain", Basis.HINDSIGHT, before)
    assert race_setup(reader, "2024-spain", as_of=dt.datetime(2024, 6, 24, tzinfo=dt.UTC)).is_past


def test_the_pace_of_a_race_to_come_does_not_know_its_qualifying(reader: Reader) -> None:
    """Between the race before and the qualifying, the race's own rows of history would give it away."""
    setup = race_setup(reader, "2024-spain", as_of=dt.datetime(2024, 6, 19, tzinfo=dt.UTC))
    assert not any("qualifying, grid" in source for source in setup.drivers["pace_source"])


def test_every_replay_says_what_it_knows_of_the_day(reader: Reader) -> None:
    for basis in Basis:
        notes = " ".join(race_setup(reader, "2024-bahrain", basis).notes)
        assert "Known only after the race" in notes


def test_the_next_race_is_the_clocks_and_another_one_can_be_asked_for(reader: Reader) -> None:
    later = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
    events = playable_events(reader, later)
    assert events.filter(~pl.col("is_past"))["event_id"].to_list() == ["2026-las-vegas"]
    asked = playable_events(reader, later, "2026-great-britain").filter(~pl.col("is_past"))
    assert asked["event_id"].to_list() == ["2026-las-vegas", "2026-great-britain"]
    then = playable_events(reader, dt.datetime(2024, 6, 10, tzinfo=dt.UTC))
    assert then["event_id"][0] == "2024-spain" and not then["is_past"][0]
    assert then["event_id"].is_unique().all()
