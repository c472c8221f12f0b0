"""Real races as the simulator takes them: plans, neutralisations and wetness read from laps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest

from f1core.simulator.parameters import Phase, TrackStatus
from f1core.simulator.plan import Plan, Stop
from f1core.strategy.real_conditions import lap_statuses, real_phases, real_wetness, red_flags
from f1core.strategy.real_plans import lap_shift, real_plans, usual_plan

LAPS = 20


def laps_of(
    driver: str, stints: Sequence[tuple[str, int]], *, lives: Sequence[int] = (), note: str = "exact"
) -> list[dict[str, Any]]:
    """Laps of one car: compound and length of each stint, the age of each set on its first lap (1 is new)."""
    rows, lap = [], 1
    for number, (compound, length) in enumerate(stints, 1):
        life = lives[number - 1] if lives else 1
        for k in range(length):
            rows.append(
                {
                    "driver_id": driver,
                    "lap_number": lap,
                    "lap_number_note": note,
                    "compound": compound,
                    "compound_name": compound,
                    "tyre_life_laps": life + k,
                    "stint": number,
                    "is_in_lap": k == length - 1 and number < len(stints),
                    "is_safety_car": False,
                    "is_virtual_safety_car": False,
                    "is_red_flag": False,
                    "is_after_result": False,
                }
            )
            lap += 1
    return rows


def read(rows: list[dict[str, Any]], distance: int = LAPS, **more: Any) -> Plan:
    found = real_plans(pl.DataFrame(rows), {"ann": distance}, race_laps=LAPS, nominations={}, **more)
    return found.plans["ann"]


def test_stints_become_stops_with_the_laps_the_sets_had() -> None:
    rows = laps_of("ann", [("soft", 8), ("hard", 12)], lives=(4, 3))
    assert read(rows) == Plan("SOFT", (Stop(8, "HARD", 2),), start_used_laps=3)


def test_a_change_beside_the_stop_belongs_to_the_in_lap() -> None:
    rows = laps_of("ann", [("soft", 8), ("hard", 12)])
    for row in rows:
        row["is_in_lap"] = row["lap_number"] == 9
    assert [stop.lap for stop in read(rows).stops] == [9]


def test_laps_before_the_first_told_stint_belong_to_it() -> None:
    rows = laps_of("ann", [("medium", 8), ("hard", 12)], lives=(4, 1))
    for row in rows[:2]:
        row.update(stint=None, compound="unknown", tyre_life_laps=None)
    assert read(rows) == Plan("MEDIUM", (Stop(8, "HARD"),), start_used_laps=3)


def test_a_visit_without_tyres_goes_on_with_the_same_set() -> None:
    rows = laps_of("ann", [("medium", 20)])
    rows[6]["is_in_lap"] = True
    assert read(rows).stops == (Stop(7, "MEDIUM", 7),)


def test_a_visit_that_is_counted_as_a_stint_goes_on_with_the_same_set() -> None:
    rows = laps_of("ann", [("soft", 8), ("hard", 3), ("hard", 9)], lives=(1, 1, 4))
    assert read(rows).stops == (Stop(8, "HARD"), Stop(11, "HARD", 3))
    slip = laps_of("ann", [("soft", 8), ("hard", 12)], lives=(1, 9))
    assert read(slip).stops == (Stop(8, "HARD"),), "another compound is another set"


def test_who_retires_in_the_pits_makes_no_stop_there() -> None:
    rows = laps_of("ann", [("medium", 9), ("hard", 1)])[:9]
    assert read(rows, distance=8).stops == ()


@pytest.mark.parametrize("distance", [9, 19])
def test_the_last_lap_of_a_car_that_ends_in_the_pits_is_no_visit(distance: int) -> None:
    rows = laps_of("ann", [("medium", distance)])
    rows[-1]["is_in_lap"] = True
    assert read(rows, distance=distance).stops == ()


def test_names_of_2018_follow_the_nomination() -> None:
    rows = laps_of("ann", [("hypersoft", 8), ("supersoft", 12)])
    named = {"hypersoft": "soft", "ultrasoft": "medium", "supersoft": "hard"}
    plan = real_plans(pl.DataFrame(rows), {"ann": LAPS}, race_laps=LAPS, nominations=named).plans["ann"]
    assert plan.compounds == ("SOFT", "HARD")


def test_an_unknown_compound_is_guessed_and_said() -> None:
    found = real_plans(
        pl.DataFrame(laps_of("ann", [("medium", 8), ("unknown", 12)])),
        {"ann": LAPS},
        race_laps=LAPS,
        nominations={},
    )
    assert found.plans["ann"].compounds == ("MEDIUM", "HARD")
    assert "ann" in found.notes[0]


def test_a_car_without_laps_gets_the_usual_plan_and_is_named() -> None:
    rows = laps_of("ann", [("soft", 8), ("hard", 12)])
    found = real_plans(pl.DataFrame(rows), {"ann": LAPS, "bob": LAPS}, race_laps=LAPS, nominations={})
    assert found.plans["bob"].compounds == ("SOFT", "HARD")
    assert "bob" in " ".join(found.notes)


def test_laps_the_feed_lost_move_every_stop() -> None:
    rows = laps_of("ann", [("soft", 8), ("hard", 11)], note="offset_after_restart")
    assert lap_shift(pl.DataFrame(rows), LAPS) == 1
    assert [stop.lap for stop in read(rows).stops] == [9]


def test_changes_around_a_red_flag_fall_on_its_lap() -> None:
    rows = laps_of("ann", [("soft", 8), ("hard", 12)])
    assert [stop.lap for stop in read(rows, red_flags=[(9, 8, 10)]).stops] == [9]


def test_a_lapped_car_stops_under_the_safety_car_it_met() -> None:
    rows = laps_of("ann", [("soft", 8), ("hard", 12)])
    rows[7]["is_safety_car"] = True
    statuses = [0] * 8 + [int(TrackStatus.SAFETY_CAR)] * 3 + [0] * 9
    assert [stop.lap for stop in read(rows, statuses=statuses).stops] == [9]


def test_a_procession_through_the_pits_is_no_stop() -> None:
    rows = laps_of("ann", [("soft", 8), ("soft", 12)], lives=(1, 9))
    rows[7]["is_safety_car"] = True
    assert read(rows).stops == ()


def test_the_usual_plan_has_the_most_common_compounds_on_median_laps() -> None:
    plans = [Plan("SOFT", (Stop(lap, "HARD"),)) for lap in (6, 8, 10)] + [Plan("HARD", (Stop(12, "SOFT"),))]
    assert usual_plan(plans, LAPS) == Plan("SOFT", (Stop(8, "HARD"),))


PERIODS = pl.DataFrame(
    {
        "status": ["safety_car", "virtual_safety_car", "red_flag"],
        "first_lap": [3, 5, 7],
        "last_lap": [8, 6, 7],
    }
)


def test_neutralisations_do_not_overlap_and_a_red_flag_lasts_one_lap() -> None:
    laps = pl.DataFrame({"lap_number": [7, 7], "is_in_lap": [True, True]})
    stopped = red_flags(PERIODS, laps, LAPS, 0)
    assert [one.lap for one in stopped] == [7]
    assert real_phases(PERIODS, stopped, LAPS, 0) == (
        Phase(TrackStatus.SAFETY_CAR, 3, 6),
        Phase(TrackStatus.RED_FLAG, 7, 7),
        Phase(TrackStatus.SAFETY_CAR, 8, 8),
    )
    assert sum(status > 0 for status in lap_statuses(PERIODS, stopped, LAPS, 0)) == 6


def test_a_race_that_ended_under_the_red_flag_has_no_restart() -> None:
    laps = pl.DataFrame({"lap_number": [7], "is_in_lap": [True]})
    assert red_flags(PERIODS, laps, 7, 0) == ()


def test_half_of_the_field_on_wet_tyres_is_the_crossover() -> None:
    rows = [
        row
        for driver, dry in (("ann", 6), ("bob", 8))
        for row in laps_of(driver, [("medium", dry), ("intermediate", LAPS - dry)])
    ]
    wetness = real_wetness(pl.DataFrame(rows), LAPS, 0)
    assert wetness is not None
    assert wetness[5] == 0
    assert wetness[6] == pytest.approx(1.0)
    assert wetness[-1] > 1.0


def test_a_dry_race_has_no_wetness() -> None:
    assert real_wetness(pl.DataFrame(laps_of("ann", [("soft", 8), ("hard", 12)])), LAPS, 0) is None
