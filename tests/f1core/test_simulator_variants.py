from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from f1core.simulator import variants as subject
from f1core.simulator.engine import simulate
from f1core.simulator.parameters import SafetyCarPolicy, Scenario
from f1core.simulator.plan import IllegalPlan, Plan, Stop
from f1core.simulator.variants import simulate_variants, times_after
from tests.f1core.simulator_field import WEATHER, field, one_stop

VARIANTS: list[dict[str, Plan]] = [
    {},
    {"car 1": Plan("SOFT", (Stop(5, "HARD"), Stop(14, "MEDIUM", 2)))},
    {"car 1": Plan("HARD", (Stop(15, "MEDIUM"),), 3), "car 4": Plan("SOFT", (Stop(6, "HARD"),))},
    {"car 4": Plan("SOFT", (Stop(6, "HARD"),))},
    {"car 0": Plan("MEDIUM", (Stop(22, "SOFT"),))},
]


@pytest.mark.parametrize("block", [1000, 40])
@pytest.mark.parametrize("is_rainy", [False, True])
def test_variants_side_by_side_are_the_runs_one_by_one(
    monkeypatch: pytest.MonkeyPatch, block: int, is_rainy: bool
) -> None:
    monkeypatch.setattr(subject, "BLOCK", block)
    monkeypatch.setattr("f1core.simulator.engine.BLOCK", block)
    race = field(6)
    if is_rainy:
        race = replace(race, weather=WEATHER)
    policy = None if is_rainy else SafetyCarPolicy()
    scenario = Scenario(reacts=is_rainy, safety_car_policy=policy)
    told = simulate_variants(race, one_stop(race), VARIANTS, scenario, runs=50, seed=9)
    for variant, outcome in zip(VARIANTS, told, strict=True):
        alone = simulate(race, {**one_stop(race), **variant}, scenario, runs=50, seed=9)
        assert (outcome.position == alone.position).all()
        assert (outcome.laps == alone.laps).all()
        assert np.array_equal(outcome.time_s, alone.time_s, equal_nan=True)
    assert len({outcome.position.tobytes() for outcome in told}) == len(VARIANTS)


def test_no_variants_are_no_work_and_an_illegal_one_is_refused() -> None:
    race = field(4)
    assert simulate_variants(race, one_stop(race), [], runs=5, seed=1) == []
    with pytest.raises(IllegalPlan, match="car 2"):
        simulate_variants(race, one_stop(race), [{"car 2": Plan("SOFT")}], runs=5, seed=1)


def test_times_after_a_lap_are_those_of_the_history() -> None:
    race = field(6)
    told = times_after(race, one_stop(race), VARIANTS, [3, 15, 24, 9, 15], runs=30, seed=9)
    for variant, lap, times in zip(VARIANTS, [3, 15, 24, 9, 15], told, strict=True):
        alone = simulate(race, {**one_stop(race), **variant}, runs=30, seed=9, keeps_history=True).history
        assert alone is not None
        assert np.allclose(times, alone.time_s[:, lap - 1], equal_nan=True, atol=1e-3)
