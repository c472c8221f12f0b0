from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from f1core.simulator.rules import RaceRules
from f1core.strategy.free_air import Cliff, StintCosts, stint_costs
from f1core.strategy.habits import HABITS, Habits
from f1core.strategy.team_call import different, team_call, usual
from tests.f1core.simulator_field import TYRES

FLAT = Habits(history_s=0.0, shift_laps=0.0, cliff=None)
DRY = {name: TYRES[name] for name in ("SOFT", "MEDIUM", "HARD")}


def races(*rows: tuple[str, int, float, float | None]) -> pl.DataFrame:
    """Circuit, stops, mean stops and first stop of races of 50 laps, oldest first."""
    names = {"circuit_id": pl.String, "stops": pl.Int64, "mean_stops": pl.Float64, "first_lap": pl.Float64}
    return pl.DataFrame(list(rows), schema=names, orient="row").with_columns(laps=pl.lit(50))


def costs(laps: int = 50, stop_s: float = 24.0) -> StintCosts:
    return stint_costs(DRY, laps, stop_s, wear_factor=1.5)


def test_newer_races_on_the_circuit_say_more_and_all_circuits_say_a_little() -> None:
    pool = [("other", 1, 1.0, 20.0)] * 10
    here = usual(races(("here", 3, 3.0, 10.0), ("here", 1, 1.0, 20.0), *pool), "here", HABITS)
    # The newest race weighs 1, the one before a half, the ten latest races everywhere as much as the newest.
    assert here.stops == pytest.approx((0.5 * 3 + 1.0 * 1 + 1.0 * 1) / 2.5)
    assert here.first_share == pytest.approx((0.5 * 10 / 50 + 20 / 50) / 1.5)
    assert here.races == 2
    new = usual(races(*pool), "here", HABITS)
    assert (new.stops, new.first_share, new.races) == (1.0, None, 0)
    assert usual(races(), "here").lately == HABITS.usual_first


def test_what_was_usual_lately_goes_by_the_number_of_stops() -> None:
    past = races(*[("a", 1, 1.0, 25.0)] * 30, *[("b", 2, 2.0, 10.0)] * 30, ("c", 1, 1.0, None))
    lately = usual(past, "here", replace(HABITS, first_races=20)).lately
    assert lately[1] == pytest.approx((20 * 0.5 + 3 * HABITS.usual_first[1]) / 23)
    assert lately[2] == pytest.approx((20 * 0.2 + 3 * HABITS.usual_first[2]) / 23)
    assert lately[3] == HABITS.usual_first[3]


def test_a_circuit_of_two_stops_tips_a_close_call_and_no_clear_one() -> None:
    one, two = races(*[("here", 1, 1.0, 25.0)] * 12), races(*[("here", 2, 2.0, 15.0)] * 12)
    # One stop more costs one pit loss more: this is where one and two stops are equal in free air.
    free = team_call(costs(stop_s=20.0), RaceRules(), one, "here", FLAT).loss_s
    close = 20.0 + free[1] - free[2]
    assert team_call(costs(stop_s=close), RaceRules(), one, "here").stops == 1
    assert team_call(costs(stop_s=close), RaceRules(), two, "here").stops == 2
    assert team_call(costs(stop_s=60.0), RaceRules(), two, "here").stops == 1
    assert team_call(costs(stop_s=60.0), RaceRules(min_stops=2), one, "here").stops == 2


def test_the_expected_first_stop_is_a_blend() -> None:
    past = races(*[("here", 1, 1.0, 10.0)] * 12)
    told = {
        (m, c): team_call(
            costs(stop_s=40.0),
            RaceRules(),
            past,
            "here",
            replace(FLAT, model_weight=m, circuit_weight=c, usual_first={1: 0.2, 2: 0.2, 3: 0.2}),
        )
        for m, c in ((1.0, 0.0), (0.0, 1.0), (0.0, 0.0), (0.5, 0.5))
    }
    model = told[1.0, 0.0].free_air_first_lap
    assert told[1.0, 0.0].first_lap == model > 15
    assert told[0.0, 1.0].first_lap == pytest.approx(10.0)
    assert told[0.0, 0.0].first_lap == pytest.approx(10.0)
    assert told[0.5, 0.5].first_lap == pytest.approx((model + 10) / 2)


def test_worn_out_sets_make_more_stops_worth_while() -> None:
    past = races()
    stops = [
        team_call(
            stint_costs(DRY, 50, 24.0, wear_factor=wear, cliff=cliff), RaceRules(), past, "here", FLAT
        ).stops
        for wear, cliff in ((1.0, None), (3.0, None), (1.0, Cliff(dict.fromkeys(DRY, 0.2), 0.3)))
    ]
    assert stops[0] < stops[1]
    assert stops[0] < stops[2]


def test_the_five_hold_more_than_one_number_of_stops() -> None:
    told = team_call(costs(stop_s=30.0), RaceRules(), races(), "here")
    counts = [len(one.plan.stops) for one in told.five]
    assert len(told.five) == 5
    assert max(counts.count(n) for n in counts) == 3
    assert len({one.plan.compounds for one in told.five}) == 5
    assert different(told.five, many=2) == list(told.five[:2])
