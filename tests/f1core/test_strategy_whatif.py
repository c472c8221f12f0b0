from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from f1core.simulator.engine import simulate
from f1core.simulator.plan import IllegalPlan, Plan, Stop
from f1core.simulator.result import Outcome, change
from f1core.simulator.rules import COMPOUNDS, RaceRules
from f1core.strategy import whatif
from f1core.strategy.edits import BadEdit, Edit, SafetyCars, WeatherScenario, WhatIf
from f1core.strategy.scenario import apply, base_plans, legality, shower
from tests.f1core.simulator_field import WEATHER
from tests.f1core.strategy_field import a_setup

EARLY = Edit(driver_id="car 2", stops=(Stop(5, "HARD"),))


def test_an_untouched_scenario_is_the_baseline_exactly() -> None:
    setup = a_setup()
    answer = whatif.run(setup, WhatIf(runs=40, seed=5), "car 1")
    alone = simulate(setup.race, setup.plans, setup.scenario, runs=40, seed=5)
    assert (answer.edited.many.position == alone.position).all()
    assert np.array_equal(answer.edited.many.time_s, alone.time_s, equal_nan=True)
    assert (answer.change.places_gained, answer.change.time_gained_s, answer.change.is_tie) == (
        0.0,
        0.0,
        True,
    )
    laps = answer.lap_by_lap
    assert (laps["lap_time_s"] == laps["baseline_lap_time_s"]).all()
    assert (answer.finishes["places_gained"] == 0).all()


def test_an_edited_stop_moves_the_driver_and_the_answer_says_by_how_much() -> None:
    setup = a_setup()
    answer = whatif.run(setup, WhatIf(edits=(EARLY,), runs=60), "car 2")
    laps = answer.lap_by_lap.filter(pl.col("driver_id") == "car 2")
    assert laps.filter(pl.col("is_stop"))["lap"].to_list() == [5]
    assert laps.filter(pl.col("baseline_is_stop"))["lap"].to_list() == [14]
    assert laps.filter(pl.col("lap") == 7)["compound"].item() == "HARD"
    assert laps.filter(pl.col("lap") == 7)["baseline_compound"].item() == "MEDIUM"
    gained = answer.original.mean_position - answer.simulated.mean_position
    assert answer.change.places_gained == pytest.approx(gained)
    assert answer.change.places_error > 0
    assert answer.rejoins.filter(pl.col("driver_id") == "car 2")["lap"].to_list() == [5]
    assert answer.positions.group_by("driver_id").agg(pl.col("share").sum())[
        "share"
    ].to_list() == pytest.approx([1.0] * 6)
    assert answer.compared_with == whatif.AS_IT_WAS


def test_the_baseline_is_simulated_once() -> None:
    setup = a_setup()
    first = whatif.run(setup, WhatIf(edits=(EARLY,), runs=20), "car 2")
    second = whatif.run(setup, WhatIf(edits=(replace(EARLY, grid=1),), runs=20), "car 2")
    assert first.baseline is second.baseline
    assert first.edited is not second.edited


def test_changed_cars_are_compared_under_the_same_conditions() -> None:
    answer = whatif.run(a_setup(), WhatIf(edits=(EARLY,), safety_cars=SafetyCars.NONE, runs=20), "car 2")
    assert answer.compared_with == whatif.SAME_CONDITIONS
    assert set(answer.lap_by_lap["baseline_status"].drop_nulls()) == {"green"}
    rain = whatif.run(a_setup(), WhatIf(weather=WeatherScenario.WET, runs=20), "car 2")
    assert rain.compared_with == whatif.AS_IT_WAS
    assert rain.change.time_gained_s < -24


def test_a_wet_race_is_run_on_intermediates_and_a_dry_one_on_slicks() -> None:
    setup = a_setup()
    wet = whatif.run(setup, WhatIf(weather=WeatherScenario.WET, runs=5), "car 0").lap_by_lap
    assert set(wet["compound"].drop_nulls()) == {"INTERMEDIATE"}
    was_wet = replace(
        setup,
        is_wet=True,
        race=replace(setup.race, weather=WEATHER),
        plans={name: Plan("INTERMEDIATE", (Stop(9, "MEDIUM"),)) for name in setup.plans},
        scenario=replace(setup.scenario, wetness=(2.0,) * 9 + (0.0,) * 15),
    )
    dry = whatif.run(was_wet, WhatIf(weather=WeatherScenario.DRY, runs=5), "car 0").lap_by_lap
    assert not set(dry["compound"].drop_nulls()) & set(COMPOUNDS[3:])
    assert set(dry["baseline_compound"].drop_nulls()) == {"INTERMEDIATE", "MEDIUM"}


def test_a_shower_makes_everybody_change_and_change_back() -> None:
    laps = whatif.run(
        a_setup(laps=40), WhatIf(weather=WeatherScenario.MIXED, runs=5, seed=3), "car 0"
    ).lap_by_lap
    for _, car in laps.drop_nulls("compound").group_by("driver_id"):
        compounds = car.sort("lap")["compound"].to_list()
        assert compounds[0] != "INTERMEDIATE"
        assert "INTERMEDIATE" in compounds


def test_showers_differ_by_seed_and_lie_in_the_middle() -> None:
    traces = {seed: shower(WEATHER, 50, seed) for seed in range(20)}
    assert len(set(traces.values())) > 10
    assert shower(WEATHER, 50, 4) == traces[4]
    crossover = WEATHER.crossover()
    assert crossover is not None
    for wetness in traces.values():
        wet = [lap for lap, value in enumerate(wetness) if value > 0]
        assert 0.3 * 50 <= wet[0] <= 0.7 * 50
        assert max(wetness) > crossover


def test_an_illegal_plan_is_named_before_and_refused() -> None:
    setup = a_setup()
    wrong = WhatIf(edits=(Edit(driver_id="car 1", stops=()),))
    assert [v.rule for v in legality(setup, wrong)["car 1"]] == ["two dry compounds"]
    with pytest.raises(IllegalPlan, match="car 1.*two dry compounds"):
        whatif.run(setup, wrong, "car 1")
    assert legality(setup, replace(wrong, weather=WeatherScenario.WET)) == {}
    with pytest.raises(BadEdit, match="car 9"):
        whatif.run(setup, WhatIf(edits=(Edit(driver_id="car 9", grid=1),)), "car 1")
    with pytest.raises(BadEdit, match="car 9"):
        whatif.run(setup, WhatIf(), "car 9")


def test_a_grid_slot_moves_the_cars_between() -> None:
    setup = a_setup()
    race, _, _ = apply(setup, WhatIf(edits=(Edit(driver_id="car 3", grid=1),)))
    assert {car.name: car.grid for car in race.cars} == {
        "car 3": 1,
        "car 0": 2,
        "car 1": 3,
        "car 2": 4,
        "car 4": 5,
        "car 5": 6,
    }
    two = (Edit(driver_id="car 3", grid=1), Edit(driver_id="car 4", grid=1))
    with pytest.raises(BadEdit, match="already stands"):
        apply(setup, WhatIf(edits=two))
    with pytest.raises(BadEdit, match="no grid slot 9"):
        apply(setup, WhatIf(edits=(Edit(driver_id="car 3", grid=9),)))


def test_a_car_that_retired_can_be_kept_running() -> None:
    setup = a_setup()
    cars = tuple(replace(car, retires_on_lap=4 if car.name == "car 0" else None) for car in setup.race.cars)
    out = replace(setup, race=replace(setup.race, cars=cars))
    told = whatif.run(out, WhatIf(runs=10), "car 0")
    assert told.simulated.finishes == 0
    assert any("lap 4" in note for note in told.notes)
    kept = whatif.run(out, WhatIf(edits=(Edit(driver_id="car 0", finishes=True),), runs=10), "car 0")
    assert kept.simulated.finishes > 0.5
    assert kept.change.places_gained > 3


def test_plans_for_other_weather_follow_the_rules_of_the_race() -> None:
    setup = replace(a_setup(), rules=RaceRules(min_stops=2))
    plans = base_plans(setup, WeatherScenario.WET)
    assert all(len(plan.stops) >= 2 and set(plan.compounds) == {"INTERMEDIATE"} for plan in plans.values())


def test_drawn_safety_cars_bring_stops_forward_within_the_life_of_a_set_and_the_answer_says_so() -> None:
    setup = replace(a_setup(), rules=RaceRules(set_life={"HARD": 11}))
    drawn = WhatIf(safety_cars=SafetyCars.RANDOM, runs=20)
    policy = apply(setup, drawn)[2].safety_car_policy
    assert policy is not None and policy.set_life == {"HARD": 11}
    notes = " ".join(whatif.run(setup, drawn, "car 1").notes)
    assert f"within {policy.most_laps} laps" in notes and "saves more than 2 s" in notes
    assert "Under a red flag every car takes its next planned set." in notes
    wet = " ".join(whatif.run(replace(setup, is_wet=True), drawn, "car 1").notes)
    assert "Safety cars are drawn" in wet and "red flag" not in wet
    assert "drawn" not in " ".join(whatif.run(a_setup(), WhatIf(edits=(EARLY,), runs=20), "car 1").notes)


@pytest.mark.parametrize(("runs", "is_tie"), [(1, True), (2, False)])
def test_one_simulation_tells_nothing_apart(runs: int, is_tie: bool) -> None:
    def finish(*places: int) -> Outcome:
        position = np.tile(np.array(places, np.int8), (runs, 1))
        return Outcome(("ann", "bob"), position, position * 1.0, np.full(position.shape, 9, np.int16))

    told = change(finish(2, 1), finish(1, 2), "ann")
    assert (told.places_gained, told.places_error, told.is_tie) == (1, 0, is_tie)


@pytest.mark.parametrize("safety_cars", SafetyCars)
@pytest.mark.parametrize("weather", [WeatherScenario.REAL, WeatherScenario.DRY])
def test_rain_tyres_lose_in_the_dry_and_stay_on(safety_cars: SafetyCars, weather: WeatherScenario) -> None:
    setup = a_setup()
    assert setup.race.weather is None and not setup.is_wet
    told = {}
    for compound in ("HARD", "INTERMEDIATE", "WET"):
        plan = Edit(driver_id="car 2", start="MEDIUM", stops=(Stop(3, "HARD"), Stop(6, compound)))
        scenario = WhatIf(edits=(plan,), safety_cars=safety_cars, weather=weather, runs=40)
        told[compound] = whatif.run(setup, scenario, "car 2")
    times = {name: one.simulated.time_s or 0.0 for name, one in told.items()}
    assert times["HARD"] + 17 * 4 < times["INTERMEDIATE"] < times["WET"]
    laps = told["WET"].lap_by_lap.filter((pl.col("driver_id") == "car 2") & (pl.col("lap") > 7))
    assert set(laps["compound"]) == {"WET"}
    leader = told["WET"].lap_by_lap.filter((pl.col("driver_id") == "car 0") & (pl.col("lap") < 8))
    assert leader["lap_time_s"].to_list() == leader["baseline_lap_time_s"].to_list(), "until he laps it"
