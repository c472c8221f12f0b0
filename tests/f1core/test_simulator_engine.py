from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f1core.simulator.engine import simulate, simulate_once
from f1core.simulator.parameters import BadRace, Phase, Race, SafetyCarPolicy, Scenario, TrackStatus
from f1core.simulator.plan import IllegalPlan, Plan, Stop
from f1core.simulator.result import History, Outcome, change
from f1core.simulator.rules import COMPOUNDS
from f1core.simulator.traffic import drive
from tests.f1core.simulator_field import WEATHER, field, one_stop, quiet

GREEN = Scenario(phases=())
SAFETY_CAR = Scenario(phases=(Phase(TrackStatus.SAFETY_CAR, 10, 14),))


def history(outcome: Outcome) -> History:
    assert outcome.history is not None
    return outcome.history


def fingerprint(outcome: Outcome) -> str:
    parts = [outcome.position, outcome.time_s, outcome.laps]
    if outcome.history is not None:
        parts += list(vars(outcome.history).values())
    return hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts)).hexdigest()


@st.composite
def races(draw: st.DrawFn) -> tuple[Race, dict[str, Plan], Scenario]:
    laps = draw(st.integers(6, 14))
    race = replace(
        field(draw(st.integers(2, 7)), laps), weather=draw(st.sampled_from([None, WEATHER])), rules=None
    )
    slicks = st.sampled_from(COMPOUNDS[:3])
    plans = {}
    for car in race.cars:
        in_laps = draw(st.lists(st.integers(1, laps - 1), unique=True, max_size=3).map(sorted))
        plans[car.name] = Plan(draw(slicks), tuple(Stop(lap, draw(slicks)) for lap in in_laps))
    policy = draw(st.sampled_from([None, SafetyCarPolicy()]))
    return race, plans, Scenario(reacts=draw(st.booleans()), safety_car_policy=policy)


@settings(max_examples=15, deadline=None)
@given(case=races(), seed=st.integers(0, 10_000))
def test_every_race_is_one_that_could_happen(case: tuple[Race, dict[str, Plan], Scenario], seed: int) -> None:
    race, plans, scenario = case
    outcome = simulate(race, plans, scenario, runs=30, seed=seed, keeps_history=True)
    told, cars = history(outcome), len(race.cars)
    assert (np.sort(told.position, axis=2) == np.arange(1, cars + 1)).all()
    assert (told.position[:, -1] == outcome.position).all()
    # nobody goes back in time, and the laps make up the race
    lap_times = told.lap_time_s
    running = ~np.isnan(told.time_s)
    assert (lap_times[running] > 0.8 * race.lap_time_s).all()
    finishes = ~np.isnan(outcome.time_s)
    assert np.allclose(lap_times.sum(axis=1)[finishes], outcome.time_s[finishes], atol=1e-6)
    assert (outcome.laps == running.sum(axis=1)).all()
    # the order is the order of the times, whoever is out is behind
    times = np.where(running, told.time_s, np.inf)
    by_place = np.take_along_axis(times, np.argsort(told.position, axis=2), axis=2)
    assert (by_place[:, :, 1:] >= by_place[:, :, :-1]).all()
    # nobody is through the safety car
    line = told.safety_car_s[:, :, None]
    assert not (told.time_s < line - 1e-3).any()
    # a stop, and nothing else, brings another set
    fresh = told.stint_laps[:, 1:] == 0
    assert (fresh[running[:, 1:]] == told.stops[:, :-1][running[:, 1:]]).all()


@settings(max_examples=10, deadline=None)
@given(case=races(), seed=st.integers(0, 10_000), order=st.randoms(use_true_random=False))
def test_the_order_of_the_cars_does_not_matter(case, seed, order) -> None:
    race, plans, scenario = case
    shuffled = list(race.cars)
    order.shuffle(shuffled)
    first = simulate(race, plans, scenario, runs=20, seed=seed)
    second = simulate(replace(race, cars=tuple(shuffled)), plans, scenario, runs=20, seed=seed)
    columns = [second.cars.index(name) for name in first.cars]
    assert (first.position == second.position[:, columns]).all()
    assert np.array_equal(first.time_s, second.time_s[:, columns], equal_nan=True)


def test_new_names_change_the_names_only() -> None:
    race = quiet(field())
    renamed = replace(race, cars=tuple(replace(car, name=car.name.upper()) for car in race.cars))
    plans = one_stop(race)
    before = simulate_once(race, plans, SAFETY_CAR)
    after = simulate_once(renamed, {name.upper(): plan for name, plan in plans.items()}, SAFETY_CAR)
    assert after.cars == tuple(name.upper() for name in before.cars)
    assert fingerprint(before) == fingerprint(after)


def test_the_same_seed_gives_the_same_bytes_and_the_untouched_scenario_is_the_baseline() -> None:
    race = field()
    baseline = simulate(race, one_stop(race), runs=50, seed=3, keeps_history=True)
    again = simulate(replace(race), dict(one_stop(race)), Scenario(), runs=50, seed=3, keeps_history=True)
    assert fingerprint(baseline) == fingerprint(again)
    assert fingerprint(baseline) != fingerprint(
        simulate(race, one_stop(race), runs=50, seed=4, keeps_history=True)
    )
    told = change(baseline, again, "car 3")
    assert (told.places_gained, told.time_gained_s, told.is_tie) == (0, 0, True)


def test_history_changes_nothing() -> None:
    race = field()
    with_laps = simulate(race, one_stop(race), runs=40, seed=3, keeps_history=True)
    assert fingerprint(replace(with_laps, history=None)) == fingerprint(
        simulate(race, one_stop(race), runs=40, seed=3)
    )


def test_a_changed_plan_leaves_the_luck_of_the_others_alone() -> None:
    # Far apart, so that nobody meets: the others' races must not move by a byte.
    race = field(4)
    apart = replace(
        race, cars=tuple(replace(car, start_delay_s=300.0 * c) for c, car in enumerate(race.cars))
    )
    plans = one_stop(apart)
    edited = {**plans, "car 1": Plan("SOFT", (Stop(5, "HARD"), Stop(15, "MEDIUM")))}
    before, after = (simulate(apart, p, GREEN, runs=60, seed=8) for p in (plans, edited))
    others = [0, 2, 3]
    assert np.array_equal(before.time_s[:, others], after.time_s[:, others], equal_nan=True)
    assert not np.array_equal(before.time_s[:, 1], after.time_s[:, 1], equal_nan=True)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), more=st.floats(0.1, 20.0), has_phases=st.booleans())
def test_more_pit_loss_never_helps_in_free_air(seed: int, more: float, has_phases: bool) -> None:
    race = field(1, 12)
    slower = replace(race, pit_lane=replace(race.pit_lane, loss_s=race.pit_lane.loss_s + more))
    plan = {"car 0": Plan("SOFT", (Stop(6, "HARD"),))}
    scenario = Scenario() if has_phases else GREEN
    before, after = (simulate(r, plan, scenario, runs=50, seed=seed).time_s for r in (race, slower))
    assert (np.nan_to_num(after - before) >= -1e-3).all()


def test_more_pit_loss_does_not_help_in_the_field() -> None:
    race = field()
    slower = replace(race, cars=tuple(replace(c, pit_extra_s=6.0 * (c.name == "car 2")) for c in race.cars))
    before, after = (simulate(r, one_stop(r), runs=400, seed=5) for r in (race, slower))
    told = change(before, after, "car 2")
    assert told.places_gained < -2 * told.places_error
    assert told.time_gained_s < 0


def test_an_illegal_plan_is_refused_with_the_name_of_the_rule() -> None:
    race = field()
    with pytest.raises(IllegalPlan, match="car 4.*two dry compounds"):
        simulate(race, {**one_stop(race), "car 4": Plan("HARD")}, runs=1, seed=1)
    with pytest.raises(BadRace, match="car 5 has no plan"):
        simulate_once(race, {name: plan for name, plan in one_stop(race).items() if name != "car 5"})
    # A car that really retired early could not keep the rule any more.
    cars = tuple(replace(car, retires_on_lap=5 if car.name == "car 4" else None) for car in race.cars)
    out = simulate_once(replace(race, cars=cars), {**one_stop(race), "car 4": Plan("HARD")})
    assert out.laps[0, 4] == 4
    assert out.position[0, 4] == len(race.cars)
    assert np.isnan(out.time_s[0, 4])


def test_overlapping_neutralisations_are_refused_not_run() -> None:
    race = field()
    phases = (Phase(TrackStatus.SAFETY_CAR, 4, 8), Phase(TrackStatus.VIRTUAL_SAFETY_CAR, 8, 9))
    with pytest.raises(BadRace, match="overlap"):
        simulate_once(race, one_stop(race), Scenario(phases=phases))
    with pytest.raises(BadRace, match="not laps of the race"):
        simulate_once(race, one_stop(race), Scenario(phases=(Phase(TrackStatus.SAFETY_CAR, 20, 40),)))


# --- bugs that other simulators had --------------------------------------------------------------------------------


def test_the_leader_who_stops_behind_the_safety_car_pays_the_pit_lane_not_the_queue() -> None:
    # Without a line that holds everybody, the field runs away from a stopping leader by the whole bunching.
    race = quiet(field())
    plans = {**one_stop(race, 16), "car 0": Plan("MEDIUM", (Stop(12, "HARD"),))}
    told = history(simulate_once(race, plans, SAFETY_CAR))
    line = told.safety_car_s[0, 9:14]
    assert (told.time_s[0, 9:14] >= line[:, None] - 1e-3).all()
    assert told.gap_s[0, 13, 0] <= race.neutralisations.bunch_gap_s * len(race.cars)


def test_bunching_keeps_gaps_and_nobody_passes() -> None:
    race = quiet(field())
    told = history(simulate_once(race, one_stop(race, 16), SAFETY_CAR))
    order = np.argsort(told.position[0], axis=1)
    gaps = np.diff(np.take_along_axis(told.time_s[0], order, axis=1), axis=1)
    assert np.allclose(gaps[13], race.neutralisations.bunch_gap_s, atol=1e-2)
    assert (order[8:14] == order[8]).all()


def test_nobody_passes_in_the_queue_however_lucky() -> None:
    race = field()
    lasting = replace(race, cars=tuple(replace(car, retirement_probability=0.0) for car in race.cars))
    told = history(simulate(lasting, one_stop(race, 16), SAFETY_CAR, runs=200, seed=7, keeps_history=True))
    assert (told.position[:, 9:14] == told.position[:, 8:9]).all()
    gaps = np.diff(np.sort(told.time_s[:, 9:14], axis=2), axis=2)
    assert (gaps > race.neutralisations.bunch_gap_s - 1e-2).all()


def test_a_virtual_safety_car_keeps_the_gaps() -> None:
    race = quiet(field())
    told = history(
        simulate_once(
            race, one_stop(race, 16), Scenario(phases=(Phase(TrackStatus.VIRTUAL_SAFETY_CAR, 8, 9),))
        )
    )
    assert np.allclose(told.gap_s[0, 6], told.gap_s[0, 8], atol=1e-2)
    assert (told.lap_time_s[0, 7] > 1.3 * race.lap_time_s).all()


def test_every_stop_pays_its_pit_lane_and_stop_counts_differ_by_it() -> None:
    # An overcut that is charged no pit time wins nearly always; so does a strategy scored in seconds up to its stop.
    race = quiet(field(1, 30))
    flat = replace(
        race, tyres={n: replace(t, wear_s=0.0, offset_s=0.0, warm_up_s=0.0) for n, t in race.tyres.items()}
    )
    one = simulate_once(flat, {"car 0": Plan("MEDIUM", (Stop(10, "HARD"),))}).time_s[0, 0]
    late = simulate_once(flat, {"car 0": Plan("MEDIUM", (Stop(29, "HARD"),))}).time_s[0, 0]
    two = simulate_once(flat, {"car 0": Plan("MEDIUM", (Stop(10, "HARD"), Stop(20, "SOFT")))}).time_s[0, 0]
    assert one == pytest.approx(late, abs=1e-3)
    assert two - one == pytest.approx(flat.pit_lane.loss_s, abs=1e-3)


@pytest.mark.parametrize(("wear", "is_worth_it"), [(0.01, False), (0.5, True)])
def test_staying_out_can_win(wear: float, is_worth_it: bool) -> None:
    race = quiet(field(2, 30))
    worn = replace(race, rules=None, tyres={n: replace(t, wear_s=wear) for n, t in race.tyres.items()})
    stay = {car.name: Plan("MEDIUM") for car in worn.cars}
    stop = {**stay, "car 0": Plan("MEDIUM", (Stop(15, "MEDIUM"),))}
    out = simulate_once(worn, stop).time_s[0, 0], simulate_once(worn, stay).time_s[0, 0]
    assert (out[0] < out[1]) == is_worth_it


def test_the_compound_changes_with_the_stop_and_used_laps_are_not_raced_laps() -> None:
    race = quiet(field(2, 20))
    plans = {car.name: Plan("SOFT", (Stop(8, "HARD", used_laps=3),), start_used_laps=2) for car in race.cars}
    told = history(simulate_once(race, plans))
    assert told.compound[0, :, 0].tolist() == [0] * 8 + [2] * 12
    assert told.tyre_age[0, :, 0].tolist() == [*range(2, 10), *range(3, 15)]
    assert told.stint_laps[0, :, 0].tolist() == [*range(8), *range(12)]


def test_no_car_stops_for_a_safety_car_on_its_own() -> None:
    race = field()
    scenario = replace(SAFETY_CAR, reacts=True)
    told = history(simulate(race, one_stop(race, 16), scenario, runs=20, seed=1, keeps_history=True))
    assert not told.stops[:, :15].any()


def test_a_stop_under_the_safety_car_is_cheaper_but_not_free() -> None:
    race = quiet(field(1, 24))
    phases = SAFETY_CAR
    plans = {"car 0": Plan("MEDIUM", (Stop(12, "HARD"),))}
    told = history(simulate_once(race, plans, phases))
    lost = told.time_s[0, 11, 0] - told.safety_car_s[0, 11]
    assert lost == pytest.approx(race.pit_lane.loss_s * race.pit_lane.safety_car_factor, abs=0.01)


def test_the_position_after_the_stop_is_told() -> None:
    race = quiet(field())
    (rejoin,) = simulate_once(race, one_stop(race)).rejoins("car 0")
    assert rejoin.lap == 12
    assert rejoin.position > 1
    assert rejoin.ahead is not None
    assert rejoin.gap_ahead_s is not None and rejoin.gap_ahead_s >= 0


# --- parts ---------------------------------------------------------------------------------------------------------


def test_team_mates_who_stop_together_wait_for_the_box() -> None:
    race = quiet(field(2, 20))
    plans = {car.name: Plan("MEDIUM", (Stop(10, "HARD"),)) for car in race.cars}
    alone = replace(race, cars=(race.cars[0], replace(race.cars[1], team="another")))
    shared, apart = (history(simulate_once(r, plans)).time_s[0, 9] for r in (race, alone))
    gap = apart[1] - apart[0]
    assert 0 < gap < race.pit_lane.box_s
    assert shared[0] == pytest.approx(apart[0], abs=1e-3)
    assert shared[1] - shared[0] == pytest.approx(race.pit_lane.box_s, abs=1e-3)


def test_a_small_advantage_does_not_pass_and_a_large_one_does() -> None:
    race = quiet(field(2, 12))
    plans = {car.name: Plan("MEDIUM", (Stop(11, "HARD"),)) for car in race.cars}
    for advantage, passes in ((0.5, False), (2.5, True)):
        cars = (race.cars[0], replace(race.cars[1], pace_s=-advantage))
        told = history(simulate_once(replace(race, cars=cars), plans))
        assert (told.position[0, 9, 1] == 1) == passes
        if not passes:
            assert told.gap_s[0, 9, 1] == pytest.approx(race.traffic.min_gap_s, abs=1e-3)


def test_one_simulation_and_many_drive_the_same_lap() -> None:
    rng = np.random.default_rng(2)
    shape = (8, 40)
    times = np.sort(rng.uniform(0, 12, shape), axis=0).astype(np.float32)
    pace, lost, threshold = (
        rng.normal(m, s, shape).astype(np.float32) for m, s in ((0, 1.5), (0.2, 0.1), (1, 0.5))
    )
    gap = np.full(40, 0.9, np.float32)
    head = np.where(np.arange(40) % 3 == 0, np.float32(2), np.float32(-np.inf))
    leaves = rng.random(shape) < 0.2
    together = drive(times, pace, lost, threshold, gap, head, leaves)
    for i in range(40):
        one = slice(i, i + 1)
        alone = drive(
            times[:, one], pace[:, one], lost[:, one], threshold[:, one], gap[one], head[one], leaves[:, one]
        )
        assert np.allclose(alone[:, 0], together[:, i], atol=1e-5)


def test_a_red_flag_closes_the_field_up_and_new_tyres_are_free() -> None:
    race = quiet(field(6))
    scenario = Scenario(phases=(Phase(TrackStatus.RED_FLAG, 8, 8),), reacts=True)
    told = history(simulate_once(race, one_stop(race), scenario))
    gaps = np.sort(told.gap_s[0, 7])
    assert np.allclose(gaps, race.neutralisations.bunch_gap_s * np.arange(6), atol=1e-2)
    assert told.stops[0, 7].all()
    assert told.stops[0].sum() == 6  # the planned stop was brought forward, not repeated
    assert (told.compound[0, 8:] == COMPOUNDS.index("HARD")).all()
    assert (told.position[0, 7] == told.position[0, 6]).all()
    # the same lap of a real plan is free as well
    real = {car.name: Plan("MEDIUM", (Stop(8, "HARD"),)) for car in race.cars}
    followed = history(simulate_once(race, real, replace(scenario, reacts=False)))
    assert np.allclose(followed.time_s[0], told.time_s[0])


def test_rain_brings_the_right_tyres_and_the_wrong_ones_lose() -> None:
    race = replace(quiet(field(2, 20)), weather=WEATHER, rules=None)
    wetness = (0.0,) * 5 + (2.0,) * 8 + (0.0,) * 7
    plans = {car.name: Plan("MEDIUM") for car in race.cars}
    reacts, stays = (simulate_once(race, plans, Scenario((), wetness, flag)) for flag in (True, False))
    laps = history(reacts).compound[0, :, 0].tolist()
    assert laps == [1] * 6 + [3] * 8 + [1] * 6
    assert (reacts.time_s < stays.time_s - 60).all()
    lost = np.diff(history(stays).lap_time_s[0, 4:6, 0])[0]
    assert lost == pytest.approx(0.40 * race.lap_time_s, abs=0.3)


def test_the_crossover_is_where_the_curves_meet() -> None:
    assert WEATHER.crossover() == pytest.approx(1.0)
    assert replace(WEATHER, slick=(1.0, 1.01, 1.02, 1.03)).crossover() is None


def test_a_planned_slick_is_left_out_in_the_rain() -> None:
    race = replace(quiet(field(2, 20)), weather=WEATHER)
    scenario = Scenario((), (0.0,) * 4 + (2.0,) * 16, True)
    told = history(
        simulate_once(race, {car.name: Plan("MEDIUM", (Stop(12, "HARD"),)) for car in race.cars}, scenario)
    )
    assert told.compound[0, :, 0].tolist() == [1] * 5 + [3] * 15


def test_retirements_happen_as_often_as_they_should() -> None:
    race = field(8, 10)
    cars = tuple(replace(car, retirement_probability=0.2) for car in race.cars)
    out = simulate(replace(race, cars=cars), one_stop(race, 4), GREEN, runs=1500, seed=2)
    rate = (out.laps < race.laps).mean()
    assert rate == pytest.approx(0.2, abs=4 * np.sqrt(0.16 / out.laps.size))
    last_running = np.where(out.laps == race.laps, out.position, 0).max(axis=1)
    assert (last_running == (out.laps == race.laps).sum(axis=1)).all()


def test_drawn_safety_cars_come_as_often_as_measured() -> None:
    race = field(2, 40)
    told = history(simulate(race, one_stop(race), runs=2000, seed=6, keeps_history=True))
    shown = told.status == TrackStatus.SAFETY_CAR
    error = 4 * np.sqrt(0.25 / 2000)
    assert shown.any(axis=1).mean() == pytest.approx(0.57, abs=error)
    assert (told.status == TrackStatus.RED_FLAG).any(axis=1).mean() == pytest.approx(0.10, abs=error)
    assert shown[:, 0].mean() == pytest.approx(0.27 * (0.45 + 2 * 0.09 + 3 * 0.03), abs=error)


def test_lap_noise_has_the_size_and_memory_it_is_given() -> None:
    race = quiet(field(1, 40))
    noisy = replace(race, noise=field().noise)
    plan = {"car 0": Plan("MEDIUM", (Stop(39, "HARD"),))}
    told = history(simulate(noisy, plan, GREEN, runs=800, seed=4, keeps_history=True)).lap_time_s[:, :, 0]
    calm = history(simulate_once(race, plan)).lap_time_s[0, :, 0]
    left = told - calm
    assert left.std() == pytest.approx(0.44, abs=0.02)
    assert np.corrcoef(left[:, :-1].ravel(), left[:, 1:].ravel())[0, 1] == pytest.approx(0.37, abs=0.03)


def test_positions_are_shares_and_a_tie_is_called_a_tie() -> None:
    race = field()
    out = simulate(race, one_stop(race), runs=200, seed=1)
    assert np.allclose(out.position_shares().sum(axis=0), 1)
    assert np.allclose(out.position_shares() @ np.arange(1, 9), out.mean_position())
    with pytest.raises(ValueError, match="number of simulations"):
        change(out, simulate(race, one_stop(race), runs=100, seed=1), "car 0")
