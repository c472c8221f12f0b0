from __future__ import annotations

from dataclasses import replace
from itertools import combinations, product

import numpy as np
import polars as pl
import pytest

from f1core.simulator.parameters import Phase, Scenario, TrackStatus
from f1core.simulator.plan import Plan, Stop, violations
from f1core.simulator.rules import DRY_COMPOUNDS, RaceRules
from f1core.strategy.edits import BadEdit, Edit, WeatherScenario, WhatIf
from f1core.strategy.free_air import StintCosts, plan_time, race_costs, search
from f1core.strategy.optimiser import MOST_ALIKE, optimise, with_new_sets
from f1core.strategy.review import Verdict, review
from f1core.strategy.stop_laps import pit_windows, undercut_odds
from tests.f1core.simulator_field import TYRES, WEATHER
from tests.f1core.strategy_field import a_setup


def costs(laps: int, stop_s: float = 8.0) -> StintCosts:
    age = np.arange(laps + 1)
    wear = {"SOFT": (-0.4, 0.3), "MEDIUM": (0.0, 0.2), "HARD": (0.3, 0.1)}
    return StintCosts(
        laps=laps,
        by_compound={c: age * o + w * age * (age - 1) / 2 for c, (o, w) in wear.items()},
        stop_s=stop_s,
        warm_up_s={"SOFT": 0.3, "MEDIUM": 0.5, "HARD": 0.8},
    )


@pytest.mark.parametrize(
    "rules", [RaceRules(), RaceRules(min_stops=2), RaceRules(set_life={"SOFT": 4, "HARD": 7})]
)
def test_the_free_air_search_finds_what_trying_everything_finds(rules: RaceRules) -> None:
    laps, held = 14, costs(14)
    best: dict[tuple[str, ...], float] = {}
    for many in range(3):
        for compounds in product(DRY_COMPOUNDS, repeat=many + 1):
            for at in combinations(range(1, laps), many):
                plan = Plan(compounds[0], tuple(map(Stop, at, compounds[1:])))
                if not violations(plan, laps, rules):
                    best[compounds] = min(best.get(compounds, np.inf), plan_time(held, plan))
    found = search(held, rules, max_stops=2)
    assert {one.plan.compounds: one.time_s for one in found} == pytest.approx(best)
    assert [one.time_s for one in found] == sorted(one.time_s for one in found)
    for one in found:
        assert not violations(one.plan, laps, rules)
        assert plan_time(held, one.plan) == pytest.approx(one.time_s)


def test_windows_hold_the_laps_that_lose_no_more_than_the_tolerance() -> None:
    held = costs(20)
    one = next(
        c for c in search(held, RaceRules(), tolerance_s=1.0) if c.plan.compounds == ("MEDIUM", "HARD")
    )
    times = {lap: plan_time(held, Plan("MEDIUM", (Stop(lap, "HARD"),))) for lap in range(1, 20)}
    inside = [lap for lap, time in times.items() if time <= min(times.values()) + 1.0]
    assert one.windows == ((inside[0], inside[-1]),)


def test_more_pit_loss_never_makes_free_air_quicker_and_leads_to_fewer_stops() -> None:
    times = [search(costs(30, stop), RaceRules(), keep=1)[0] for stop in (1.0, 5.0, 20.0)]
    assert [one.time_s for one in times] == sorted(one.time_s for one in times)
    assert [len(one.plan.stops) for one in times] == [3, 3, 1]


def test_the_five_are_different_legal_and_ranked() -> None:
    setup = a_setup(8, 30)
    ranking = optimise(setup, "car 3", runs=60)
    assert [one.rank for one in ranking.top] == [1, 2, 3, 4, 5]
    assert len({one.plan.compounds for one in ranking.top}) == 5
    counts = [one.stops for one in ranking.top]
    assert max(counts.count(n) for n in counts) <= MOST_ALIKE
    places = [one.expected.mean_position for one in ranking.top]
    assert places == sorted(places)
    assert all(not violations(one.plan, 30, setup.rules) for one in ranking.top)
    assert ranking.top[0].to_best.is_tie
    assert ranking.own is not None and ranking.own.plan == setup.plans["car 3"]
    assert ranking == optimise(setup, "car 3", runs=60)


def test_the_best_strategy_follows_the_pit_loss() -> None:
    setup = a_setup(6, 30)
    for loss, stops in ((1.0, 3), (60.0, 1)):
        race = replace(setup.race, pit_lane=replace(setup.race.pit_lane, loss_s=loss, slow_probability=0.0))
        worn = {n: replace(t, wear_s=0.12, wear_sd_s=0.0) for n, t in TYRES.items()}
        told = optimise(replace(setup, race=replace(race, tyres=worn)), "car 0", runs=40)
        assert told.top[0].stops == stops


def test_a_stop_under_a_known_safety_car_is_tried() -> None:
    phases = (Phase(TrackStatus.SAFETY_CAR, 12, 14),)
    setup = a_setup(6, 30, scenario=Scenario(phases=phases))
    best = optimise(setup, "car 2", runs=40).top[0]
    assert 12 in [stop.lap for stop in best.plan.stops]


def test_a_scenario_decides_the_compounds() -> None:
    wet = optimise(a_setup(4, 20), "car 1", WhatIf(weather=WeatherScenario.WET), runs=20)
    assert {c for one in wet.top for c in one.plan.compounds} == {"INTERMEDIATE"}
    rainy = a_setup(
        4,
        20,
        is_wet=True,
        plans={f"car {c}": Plan("INTERMEDIATE", (Stop(8 + c, "MEDIUM"),)) for c in range(4)},
        scenario=Scenario(phases=(), wetness=(2.0,) * 9 + (0.0,) * 11),
    )
    rainy = replace(rainy, race=replace(rainy.race, weather=WEATHER))
    told = optimise(rainy, "car 1", runs=20)
    assert told.top[0].plan.compounds == ("INTERMEDIATE", "MEDIUM")
    assert told.top[0].free_air_s is None


def test_the_right_call_is_told_from_the_wrong_one() -> None:
    setup = a_setup(8, 30, scenario=Scenario(phases=()))
    best = optimise(setup, "car 3", runs=80).top[0].plan
    good = review(replace(setup, plans={**setup.plans, "car 3": best}), "car 3", runs=80)
    assert good.verdict in (Verdict.BEST, Verdict.TIE)
    assert good.better == ()
    late = Plan("SOFT", (Stop(2, "MEDIUM"), Stop(27, "HARD")))
    bad = review(replace(setup, plans={**setup.plans, "car 3": late}), "car 3", runs=80)
    assert bad.verdict == Verdict.WORSE
    assert bad.places_lost is not None and bad.places_error is not None
    assert bad.places_lost > 2 * bad.places_error
    assert bad.better and "±" in bad.words
    none = review(replace(setup, plans={**setup.plans, "car 3": Plan("HARD")}), "car 3", runs=20)
    assert (none.verdict, none.places_lost) == (Verdict.UNKNOWN, None)
    with pytest.raises(BadEdit, match="not run yet"):
        review(replace(setup, is_past=False), "car 3")


def test_the_window_is_worst_at_its_ends_and_says_its_error() -> None:
    frame = pit_windows(
        a_setup(4, 40, scenario=Scenario(phases=())), "car 0", Plan("MEDIUM", (Stop(20, "HARD"),)), runs=40
    )
    assert frame["lap"].to_list() == list(range(8, 33))
    best = frame.filter(pl.col("loss_s") == 0)
    assert best["is_window"].all()
    assert frame["error_s"].max() > 0  # type: ignore[operator]
    assert (
        frame.filter(pl.col("lap") == 32)["loss_s"].item()
        > frame.filter(pl.col("lap") == 20)["loss_s"].item()
    )
    assert frame.filter("is_planned")["lap"].to_list() == [20]
    free = race_costs(a_setup(4, 40).race, a_setup(4, 40).race.cars[0])
    assert frame["free_air_loss_s"].min() == 0
    assert free.laps == 40


def test_stopping_before_a_rival_on_worn_tyres_is_worth_more_than_after() -> None:
    setup = a_setup(6, 30, scenario=Scenario(phases=()))
    worn = {n: replace(t, wear_s=0.25, wear_sd_s=0.0) for n, t in TYRES.items()}
    setup = replace(setup, race=replace(setup.race, tyres=worn))
    odds = undercut_odds(setup, "car 1", ["car 0"], runs=80)
    by_lap = {row["lap"]: row for row in odds.to_dicts()}
    rival = by_lap[12]["rival_lap"]
    assert rival == 12
    assert by_lap[9]["ahead"] > by_lap[12]["ahead"] + 0.1
    assert by_lap[9]["ahead"] > by_lap[15]["ahead"]
    assert (by_lap[9]["kind"], by_lap[12]["kind"], by_lap[15]["kind"]) == ("undercut", "same lap", "overcut")
    assert 0 < by_lap[9]["error"] < 0.1 or by_lap[9]["ahead"] in (0.0, 1.0)
    with pytest.raises(BadEdit, match="no stop number 2"):
        undercut_odds(setup, "car 1", ["car 0"], stop=2)
    with pytest.raises(BadEdit, match="not a rival"):
        undercut_odds(setup, "car 1", ["car 1"])


def test_a_driver_who_does_not_race_is_refused_and_one_who_retired_is_kept_running() -> None:
    setup = a_setup(4, 20)
    with pytest.raises(BadEdit, match="nobody"):
        optimise(setup, "nobody")
    cars = tuple(replace(car, retires_on_lap=3 if car.name == "car 1" else None) for car in setup.race.cars)
    told = optimise(replace(setup, race=replace(setup.race, cars=cars)), "car 1", runs=10)
    assert told.top[0].expected.finishes > 0.5
    assert any("retired" in note for note in told.notes)
    edited = optimise(setup, "car 1", WhatIf(edits=(Edit(driver_id="car 0", pace_change_s=3.0),)), runs=10)
    assert edited.top[0].expected.mean_position < told.top[0].expected.mean_position + 3


def test_few_stops_are_tried_in_the_field_even_where_free_air_wants_more() -> None:
    found = search(costs(30, 2.0), RaceRules(), keep=6, of_each=2)
    counts = [len(one.plan.stops) for one in found]
    assert min(counts.count(n) for n in (1, 2, 3)) >= 2
    assert counts[:6] == [3] * 6
    assert len(search(costs(30, 2.0), RaceRules(), keep=6)) == 6


def test_what_was_done_is_judged_on_new_sets_as_everything_else() -> None:
    """Sets that were older than those of a search make every real plan look wrong."""
    setup = a_setup(6, 30)
    name = "car 2"
    best = optimise(setup, name, runs=40).top[0].plan
    used = Plan(best.start, tuple(replace(stop, used_laps=12) for stop in best.stops), 9)
    told = review(replace(setup, plans={**setup.plans, name: used}), name, runs=40)
    assert told.ranking.own is not None and told.ranking.own.plan == best
    assert told.verdict != Verdict.WORSE
    assert any("new sets" in note for note in told.ranking.notes)


def test_a_visit_that_goes_on_with_the_same_set_is_no_new_set() -> None:
    plan = Plan("SOFT", (Stop(10, "SOFT", 13), Stop(20, "HARD", 4), Stop(25, "HARD", 2)), 3)
    again = with_new_sets(plan)
    assert again.start_used_laps == 0
    assert [stop.used_laps for stop in again.stops] == [10, 0, 0]
