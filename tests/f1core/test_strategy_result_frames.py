from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from f1core.simulator.engine import simulate, simulate_once
from f1core.simulator.parameters import Phase, Scenario, TrackStatus
from f1core.simulator.plan import Plan, Stop
from f1core.simulator.result import Outcome
from f1core.strategy.frames import (
    finish_frame,
    lap_frame,
    lap_spread_frame,
    position_frame,
    rejoin_frame,
    stint_frame,
)
from tests.f1core.simulator_field import field, one_stop, quiet

RACE = field()
RETIRES = replace(RACE, cars=(*RACE.cars[:-1], replace(RACE.cars[-1], retires_on_lap=6)))
SCENARIO = Scenario(phases=(Phase(TrackStatus.SAFETY_CAR, 9, 11),))


@pytest.fixture(scope="module")
def many() -> Outcome:
    return simulate(RACE, one_stop(RACE), runs=60, seed=2, keeps_history=True)


def test_laps_of_a_race_make_up_its_result() -> None:
    outcome = simulate_once(RETIRES, one_stop(RACE), SCENARIO)
    laps = lap_frame(RETIRES, outcome)
    assert laps.height == 7 * RACE.laps + 5
    ends = laps.group_by("driver_id", maintain_order=True).agg(pl.last("position", "time_s", "lap"))
    assert ends["position"].to_list()[:7] == list(range(1, 8))
    assert ends["driver_id"][-1] == "car 7"
    total = laps.group_by("driver_id").agg(pl.col("lap_time_s").sum()).sort("driver_id")
    assert total["lap_time_s"].to_numpy()[:7] == pytest.approx(outcome.time_s[0][:7])
    leader = laps.filter(pl.col("position") == 1)
    assert leader["gap_s"].to_list() == [0.0] * RACE.laps
    shown = laps.filter(pl.col("status") == "safety_car")["lap"].unique().sort().to_list()
    assert shown == [9, 10, 11]
    assert laps["laps_down"].sum() == 0


def test_a_slow_car_is_laps_down() -> None:
    race = quiet(field(2, 30))
    slow = replace(race, cars=(race.cars[0], replace(race.cars[1], pace_s=8.0)))
    plans = {car.name: Plan("MEDIUM", (Stop(3, "HARD"),)) for car in slow.cars}
    down = lap_frame(slow, simulate_once(slow, plans)).filter(pl.col("driver_id") == "car 1")
    assert down["laps_down"].to_list() == sorted(down["laps_down"])
    # 8 s a lap: a lap of about 92 s down after 12 laps, two after 24; at the flag the leader has done two laps more
    assert down.filter(pl.col("laps_down") == 1)["lap"][0] == 12
    assert down["laps_down"].max() == down["laps_down"][-1] == 2


def test_stints_tell_used_laps_from_raced_ones() -> None:
    plans = {c.name: Plan("SOFT", (Stop(8, "HARD", used_laps=3),), start_used_laps=2) for c in RACE.cars}
    stints = stint_frame(RACE, simulate_once(RACE, plans)).filter(pl.col("driver_id") == "car 0")
    assert stints.drop("driver_id").rows() == [(1, "SOFT", 1, 8, 8, 2), (2, "HARD", 9, 24, 16, 3)]


def test_the_same_compound_again_is_another_stint() -> None:
    race = replace(RACE, rules=None)
    plans = {car.name: Plan("HARD", (Stop(8, "HARD"),)) for car in race.cars}
    stints = stint_frame(race, simulate_once(race, plans)).filter(pl.col("driver_id") == "car 3")
    assert stints["laps"].to_list() == [8, 16]


def test_the_finish_is_told_with_its_spread(many: Outcome) -> None:
    finish, shares = finish_frame(many), position_frame(many)
    assert finish["mean_position"].is_sorted()
    assert finish["win"].sum() == pytest.approx(1)
    assert finish["podium"].sum() == pytest.approx(3)
    assert (finish["low_position"] <= finish["median_position"]).all()
    assert (finish["median_position"] <= finish["high_position"]).all()
    assert shares.group_by("driver_id").agg(pl.col("share").sum())["share"].to_numpy() == pytest.approx(1)
    means = shares.group_by("driver_id").agg((pl.col("share") * pl.col("position")).sum().alias("m"))
    both = finish.join(means, on="driver_id")
    assert both["m"].to_numpy() == pytest.approx(both["mean_position"].to_numpy())


def test_a_car_that_never_finishes_has_no_time() -> None:
    finish = finish_frame(simulate(RETIRES, one_stop(RACE), SCENARIO, runs=5, seed=1))
    out = finish.filter(pl.col("driver_id") == "car 7").row(0, named=True)
    assert (out["finishes"], out["time_s"], out["high_position"]) == (0.0, None, 8)


def test_rejoins_of_the_field_are_those_of_the_cars() -> None:
    outcome = simulate_once(RACE, one_stop(RACE))
    rejoins = rejoin_frame(outcome)
    assert rejoins.height == len(RACE.cars)
    (own,) = outcome.rejoins("car 2")
    row = rejoins.filter(pl.col("driver_id") == "car 2").row(0, named=True)
    assert (row["lap"], row["position"], row["ahead"]) == (own.lap, own.position, own.ahead)


def test_the_spread_of_a_lap_ends_in_that_of_the_finish(many: Outcome) -> None:
    last = lap_spread_frame(many).filter(pl.col("lap") == RACE.laps)
    finish = finish_frame(many).join(last, on="driver_id", suffix="_lap")
    assert finish["mean_position_lap"].to_numpy() == pytest.approx(finish["mean_position"].to_numpy())
    assert (finish["low_position_lap"] == finish["low_position"]).all()
    assert (finish["high_position_lap"] == finish["high_position"]).all()
    assert np.allclose(finish["running"], finish["finishes"])


def test_the_order_of_the_cars_changes_no_row() -> None:
    turned = replace(RACE, cars=tuple(reversed(RACE.cars)))
    frames = [
        (lap_frame(r, o), finish_frame(o), position_frame(o), rejoin_frame(o), lap_spread_frame(o))
        for r in (RACE, turned)
        for o in [simulate(r, one_stop(RACE), runs=10, seed=4, keeps_history=True)]
    ]
    for one, other in zip(*frames, strict=True):
        assert one.equals(other)


def test_laps_need_a_history() -> None:
    with pytest.raises(ValueError, match="history"):
        lap_frame(RACE, simulate(RACE, one_stop(RACE), runs=2, seed=1))
