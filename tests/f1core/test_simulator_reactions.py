from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f1core.simulator.engine import simulate, simulate_once
from f1core.simulator.parameters import Phase, Race, SafetyCarPolicy, Scenario, TrackStatus
from f1core.simulator.plan import Plan, Stop
from f1core.simulator.result import History, Outcome, change
from f1core.simulator.rules import COMPOUNDS, RaceRules
from tests.f1core.simulator_field import field, one_stop, quiet
from tests.f1core.test_simulator_engine import fingerprint, races

POLICY = SafetyCarPolicy()
REACTS = Scenario((Phase(TrackStatus.SAFETY_CAR, 10, 13),), safety_car_policy=POLICY)


def history(outcome: Outcome) -> History:
    assert outcome.history is not None
    return outcome.history


def stops(race: Race, plan: Plan, scenario: Scenario = REACTS) -> list[tuple[int, str]]:
    """In-laps and compounds of the only car."""
    told = history(simulate_once(race, {"car 0": plan}, scenario))
    laps = np.flatnonzero(told.stops[0, :, 0])
    return [(int(lap) + 1, COMPOUNDS[told.compound[0, lap + 1, 0]]) for lap in laps]


# --- invariants over random races ----------------------------------------------------------------------------------


@settings(max_examples=8, deadline=None)
@given(case=races(), seed=st.integers(0, 10_000))
def test_every_race_can_be_repeated_to_the_byte(case, seed: int) -> None:
    race, plans, scenario = case
    first, second = (
        simulate(race, dict(plans), scenario, runs=20, seed=seed, keeps_history=True) for _ in range(2)
    )
    assert fingerprint(first) == fingerprint(second)


@settings(max_examples=12, deadline=None)
@given(case=races(), seed=st.integers(0, 10_000), more=st.floats(1.0, 25.0), pick=st.integers(0, 6))
def test_more_pit_loss_helps_nobody_who_stops(case, seed: int, more: float, pick: int) -> None:
    race, plans, scenario = case
    name = race.cars[pick % len(race.cars)].name
    slower = replace(
        race, cars=tuple(replace(car, pit_extra_s=more * (car.name == name)) for car in race.cars)
    )
    before, after = (simulate(r, plans, scenario, runs=150, seed=seed) for r in (race, slower))
    told = change(before, after, name)
    assert told.places_gained <= 3 * told.places_error + 1e-9
    # A tow or a queue behind the safety car can give time back, never more than the error of the mean.
    if not np.isnan(told.time_gained_s):
        assert told.time_gained_s <= 3 * told.time_error_s + 1e-3


# --- a stop brought forward under a safety car ----------------------------------------------------------------------


def test_a_near_stop_is_made_under_the_safety_car() -> None:
    race = quiet(field(1, 30))
    assert stops(race, Plan("MEDIUM", (Stop(14, "HARD"),))) == [(10, "HARD")]
    assert stops(race, Plan("MEDIUM", (Stop(14, "HARD"),)), replace(REACTS, safety_car_policy=None)) == [
        (14, "HARD")
    ]
    later = replace(REACTS, phases=(Phase(TrackStatus.SAFETY_CAR, 15, 18),))
    assert stops(race, Plan("MEDIUM", (Stop(14, "HARD"),)), later) == [(14, "HARD")]


def test_a_far_stop_is_made_as_planned() -> None:
    race = quiet(field(1, 60))
    plan = Plan("MEDIUM", (Stop(40, "HARD"),))
    assert stops(race, plan) == [(40, "HARD")]
    eager = replace(REACTS, safety_car_policy=SafetyCarPolicy(most_laps=40, margin_s=-100.0))
    assert stops(race, plan, eager) == [(10, "HARD")]


def test_the_stop_after_the_one_brought_forward_is_made_as_planned() -> None:
    race = quiet(field(1, 40))
    plan = Plan("SOFT", (Stop(13, "HARD"), Stop(28, "MEDIUM")))
    assert stops(race, plan) == [(10, "HARD"), (28, "MEDIUM")]


@pytest.mark.parametrize("first", [20, 26, 28])
def test_nobody_stops_under_the_safety_car_only_because_it_is_there(first: int) -> None:
    # "Always stop under a safety car" loses a place for nothing near the end.
    race = quiet(field(6, 30))
    scenario = Scenario((Phase(TrackStatus.SAFETY_CAR, first, first + 1),), safety_car_policy=POLICY)
    told = history(simulate_once(race, one_stop(race), scenario))
    assert (told.stops[0].sum(axis=0) == 1).all()
    assert not told.stops[0, 18:].any()


def test_worn_tyres_decide_whether_the_stop_is_brought_forward() -> None:
    race = quiet(field(1, 50))
    plan = Plan("MEDIUM", (Stop(24, "HARD"),))
    light, heavy = (
        replace(race, tyres={n: replace(t, wear_s=wear) for n, t in race.tyres.items()})
        for wear in (0.01, 0.4)
    )
    # With little wear the cheap stop wins; with much, 14 more laps on the hard set cost more than the pit lane saves.
    assert stops(light, plan) == [(10, "HARD")]
    assert stops(heavy, plan)[0][0] > 10


def test_a_set_is_not_stretched_beyond_its_life() -> None:
    race = replace(quiet(field(1, 30)), rules=RaceRules(set_life={"HARD": 17}))
    plan = Plan("MEDIUM", (Stop(14, "HARD"),))
    assert stops(race, plan)[0][0] == 13
    assert stops(replace(race, rules=RaceRules(set_life={"HARD": 20})), plan)[0][0] == 10
    # A real race has no rules, for real plans may break them; the life of a set then comes with the policy.
    real = replace(race, rules=None)
    limited = replace(REACTS, safety_car_policy=SafetyCarPolicy(set_life={"HARD": 17}))
    assert stops(real, plan, limited)[0][0] == 13
    assert stops(real, plan)[0][0] == 10


def test_a_virtual_safety_car_counts_unless_it_is_left_out() -> None:
    race = quiet(field(1, 30))
    phases = (Phase(TrackStatus.VIRTUAL_SAFETY_CAR, 11, 12),)
    plan = Plan("MEDIUM", (Stop(14, "HARD"),))
    assert stops(race, plan, Scenario(phases, safety_car_policy=POLICY)) == [(11, "HARD")]
    without = SafetyCarPolicy(is_for_vsc=False)
    assert stops(race, plan, Scenario(phases, safety_car_policy=without)) == [(14, "HARD")]


# --- retirements that bring out the safety car ----------------------------------------------------------------------


def crowded(per_retirement: float) -> Race:
    race = field(10, 40)
    rates = replace(race.neutralisations, safety_car_per_retirement=per_retirement)
    cars = tuple(replace(car, retirement_probability=0.15) for car in race.cars)
    return replace(race, cars=cars, neutralisations=rates)


def test_a_retirement_brings_out_the_safety_car_as_often_as_it_should() -> None:
    none = (1.0, 0.0)
    race = crowded(0.3)
    alone = replace(
        race,
        neutralisations=replace(
            race.neutralisations, safety_cars=none, vsc_probability=0.0, red_flag_probability=0.0
        ),
        cars=tuple(
            replace(car, retirement_probability=0.0, retires_on_lap=8 if car.grid == 4 else None)
            for car in race.cars
        ),
    )
    told = history(simulate(alone, one_stop(alone), runs=1000, seed=3, keeps_history=True))
    shown = told.status == TrackStatus.SAFETY_CAR
    assert shown.any(axis=1).mean() == pytest.approx(0.3, abs=4 * np.sqrt(0.21 / 1000))
    assert not shown[:, :8].any()
    assert (shown[:, 8] == shown.any(axis=1)).all()


def test_retirements_do_not_add_to_the_safety_cars_that_were_measured() -> None:
    counts = []
    for per_retirement in (0.0, 0.25):
        race = crowded(per_retirement)
        told = history(simulate(race, one_stop(race), runs=2000, seed=5, keeps_history=True))
        shown = told.status == TrackStatus.SAFETY_CAR
        starts = shown & ~np.pad(shown, ((0, 0), (1, 0)))[:, :-1]
        counts.append(starts.sum(axis=1))
    error = np.sqrt(sum(count.var() / len(count) for count in counts))
    assert abs(counts[0].mean() - counts[1].mean()) < 4 * error + 0.03


# --- lapped cars ----------------------------------------------------------------------------------------------------


def lapped(loss: float) -> tuple[Race, dict[str, Plan]]:
    race = quiet(field(3, 30))
    cars = (*race.cars[:2], replace(race.cars[2], pace_s=6.0))
    traffic = replace(race.traffic, lapping_loss_s=loss, lapped_loss_s=10 * loss)
    return replace(race, cars=cars, traffic=traffic), one_stop(race)


def test_a_lapped_car_loses_a_little_and_holds_nobody_up() -> None:
    (race, plans), (without, _) = lapped(0.2), lapped(0.0)
    slow, free = (simulate_once(r, plans) for r in (race, without))
    lost = slow.time_s[0] - free.time_s[0]
    # The last car is lapped once by each of the two others, who lose no more than the meeting.
    assert lost == pytest.approx([0.2, 0.2, 4.0], abs=2e-3)
    alone = replace(race, cars=race.cars[:2])
    two = simulate_once(alone, {name: plans[name] for name in ("car 0", "car 1")})
    assert slow.time_s[0, :2] - two.time_s[0] == pytest.approx([0.2, 0.2], abs=2e-3)


def test_many_simulations_meet_lapped_cars_as_one_does() -> None:
    race, plans = lapped(0.2)
    one = simulate_once(race, plans)
    many = simulate(race, plans, Scenario(phases=()), runs=4, seed=1)
    assert np.allclose(many.time_s, one.time_s, atol=2e-3)


# --- scored in track position ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("gap_s", "position"), [(19.0, 2), (26.0, 1)])
def test_a_stop_costs_places_by_the_cars_on_the_road_not_by_its_seconds(gap_s: float, position: int) -> None:
    # The same loss in seconds costs a place, or none: it cannot be told from the seconds divided by anything.
    race = quiet(field(2, 20))
    cars = (race.cars[0], replace(race.cars[1], start_delay_s=gap_s, pace_s=0.0))
    flat = {name: replace(tyre, warm_up_s=0.0) for name, tyre in race.tyres.items()}
    plans = {"car 0": Plan("MEDIUM", (Stop(10, "HARD"),)), "car 1": Plan("MEDIUM", (Stop(19, "HARD"),))}
    outcome = simulate_once(replace(race, cars=cars, tyres=flat), plans)
    (rejoin,) = outcome.rejoins("car 0")
    assert rejoin.position == position
