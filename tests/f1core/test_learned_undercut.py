from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from f1core.simulator.engine import simulate, simulate_once
from f1core.simulator.parameters import Phase, Scenario, TrackStatus
from f1core.simulator.plan import Plan, Stop
from f1core.strategy.learned_undercut import learned_odds, simulated_clock
from models.strategy.undercut import FEATURES, UndercutModel
from tests.f1core.simulator_field import field, one_stop, quiet

RACE = quiet(field(4, 24))
PLANS = {car.name: Plan("MEDIUM", (Stop(16 + car.grid, "HARD"),)) for car in RACE.cars}
GAP_MODEL = UndercutModel(
    means=np.zeros(len(FEATURES)),
    scales=np.ones(len(FEATURES)),
    coefficients=np.array([2.0] + [-1.0 if name == "gap" else 0.0 for name in FEATURES]),
    count=1,
    base_rate=0.5,
)


def test_a_simulated_race_is_read_like_a_real_one() -> None:
    scenario = Scenario((Phase(TrackStatus.SAFETY_CAR, 8, 9),))
    outcome = simulate_once(RACE, PLANS, scenario)
    clock = simulated_clock(RACE, outcome)
    assert clock.drivers == outcome.cars
    assert np.flatnonzero(clock.is_in[:, 0]).tolist() == [17]
    assert np.flatnonzero(clock.is_out[:, 0]).tolist() == [18]
    assert clock.compound[17, 0] == "medium"
    assert clock.compound[18, 0] == "hard"
    assert not clock.is_green[[8, 9]].any()
    assert clock.is_green[[7, 10]].all()
    assert np.nansum(clock.lap_s[:, 0]) == pytest.approx(outcome.time_s[0, 0])
    assert np.isnan(clock.clean_s[[8, 9, 17, 18], 0]).all()


def test_the_odds_fall_as_the_rival_drives_away() -> None:
    apart = replace(RACE, cars=(replace(RACE.cars[0], pace_s=-0.15), *RACE.cars[1:]))
    odds = learned_odds(GAP_MODEL, apart, simulate_once(apart, PLANS), "car 1", "car 0", "HARD")
    assert odds["gap_s"].is_sorted()
    assert odds["learned"].is_sorted(descending=True)
    assert odds.height > 3
    # gaps at a lap of 90 s; a lap here takes some seconds more
    assert odds["learned"].to_numpy() == pytest.approx(
        1 / (1 + np.exp(odds["gap_s"].to_numpy() - 2)), abs=0.05
    )
    assert odds["lap"].max() <= 18


def test_a_rival_behind_is_no_target_and_a_history_is_needed() -> None:
    outcome = simulate_once(RACE, PLANS)
    assert learned_odds(GAP_MODEL, RACE, outcome, "car 0", "car 1", "HARD").is_empty()
    with pytest.raises(ValueError, match="history"):
        simulated_clock(RACE, simulate(RACE, one_stop(RACE), runs=2, seed=1))
