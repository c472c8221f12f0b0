"""Metrics of drivers, teams and circuits over a race made up lap by lap, against plain Python and against hand counts."""

from __future__ import annotations

import datetime as dt
import random
from itertools import permutations

import polars as pl
import pytest

from f1core.analytics import analyse
from models.lap_craft import SCHEMA, WEAR_SCHEMA, LapCraft
from tests.made_up_race import (
    EVENT,
    KNOWN,
    Row,
    arrow,
    by_driver,
    facts,
    lap,
    made,
    nothing_said,
    quali,
    result,
)
from warehouse.analytics import FACTS_READ
from warehouse.tables import ANALYTICS_TABLES

# --- overtakes, pit phases, start gains -------------------------------------------------------------------------------


def test_a_race_counted_by_hand() -> None:
    """Grid a1 b1 c1 d1. Lap 1: b1 leads a1. Lap 2: c1 passes a1. Lap 3: b1 stops. Lap 4: out again, last. Lap 5: d1 limps."""
    ends = {
        "a1": [101, 201, 301, 401, 501],
        "b1": [100, 200, 318, 420, 519],
        "c1": [102, 200.5, 300, 400, 500],
        "d1": [103, 203, 303, 403, 530],
    }
    laps = []
    for driver, times in ends.items():
        for number, (at, before) in enumerate(zip(times, [0, *times], strict=False), start=1):
            stops = (
                {3: {"is_in_lap": True}, 4: {"is_out_lap": True}}.get(number, {}) if driver == "b1" else {}
            )
            laps.append(lap(driver, number, at, at - before, **stops))
    results = [result("c1", 1, 3), result("a1", 2, 1), result("b1", 3, 2), result("d1", 4, 4)]
    tables = made(facts(results, laps))
    # c1 passes a1 on lap 2; b1 passes the limping d1 on lap 5, which is no overtake.
    assert by_driver(tables, "overtakes_made") == {"a1": 0, "b1": 0, "c1": 1, "d1": 0}
    assert by_driver(tables, "overtakes_suffered") == {"a1": 1, "b1": 0, "c1": 0, "d1": 0}
    # b1 loses three places in the pits, each of the others gains one.
    assert by_driver(tables, "pit_places_gained") == {"a1": 1, "b1": -3, "c1": 1, "d1": 1}
    assert by_driver(tables, "start_gain_places") == {"a1": -1, "b1": 1, "c1": 0, "d1": 0}
    assert by_driver(tables, "count_racing_laps") == {"a1": 4, "b1": 2, "c1": 4, "d1": 4}
    circuit = tables["circuit_profiles"].row(0, named=True)
    assert circuit["overtakes_per_race"] == 1
    assert circuit["overtakes_per_100_laps"] == pytest.approx(100 / 14)


def random_race(rng: random.Random, event: str) -> list[Row]:
    """Two to six cars for two to six laps, somebody stopping, some laps not green."""
    rows = []
    count = rng.randint(2, 6)
    for car in range(rng.randint(2, 6)):
        clock = 10.0
        stop = rng.randint(0, count)
        for number in range(1, count + 1):
            seconds = rng.uniform(88, 100)
            clock += seconds
            flags = {"is_in_lap": number == stop, "is_out_lap": number - 1 == stop and number > 1}
            rows.append(
                lap(f"{'ab'[car % 2]}{car}", number, clock, seconds, is_green=rng.random() < 0.9, **flags)
                | {"event_id": event}
            )
    return rows


def counted(laps: list[Row]) -> tuple[dict[str, list[int]], dict[str, int]]:
    """Overtakes made and suffered, and pit places, by the definition and in plain Python."""
    found = {row["driver_id"]: [0, 0] for row in laps}
    pits = dict.fromkeys(found, 0)
    at = {(row["driver_id"], row["lap_number"]): row for row in laps}
    usual = sorted(
        row["lap_time_s"]
        for row in laps
        if row["is_green"] and not row["is_in_lap"] and not row["is_out_lap"] and row["lap_number"] > 1
    )
    if not usual:
        return found, pits
    middle = (usual[(len(usual) - 1) // 2] + usual[len(usual) // 2]) / 2
    for one, other in permutations(found, 2):
        for number in range(2, max(row["lap_number"] for row in laps) + 1):
            now = [at[who, number] for who in (one, other)]
            before = [at[who, number - 1]["lap_end_session_s"] for who in (one, other)]
            if not (before[0] > before[1] and now[0]["lap_end_session_s"] < now[1]["lap_end_session_s"]):
                continue
            pitting = any(row["is_in_lap"] or row["is_out_lap"] for row in now)
            if pitting:
                pits[one] += 1
                pits[other] -= 1
            elif all(row["is_green"] for row in now) and now[1]["lap_time_s"] <= 1.07 * middle:
                found[one][0] += 1
                found[other][1] += 1
    return found, pits


def test_order_changes_equal_a_plain_count() -> None:
    rng = random.Random(7)
    races = {f"2024-vale-{number}": random_race(rng, f"2024-vale-{number}") for number in range(40)}
    results, fields = [], {}
    for event, laps in races.items():
        fields[event] = sorted({row["driver_id"] for row in laps})
        results += [
            result(who, place, place, event_id=event) for place, who in enumerate(fields[event], start=1)
        ]
    rows = made(facts(results, [row for laps in races.values() for row in laps]))["driver_race_metrics"]
    for event, laps in races.items():
        found = {row["driver_id"]: row for row in rows.filter(pl.col("event_id") == event).to_dicts()}
        overtakes, pits = counted(laps)
        first = {row["driver_id"]: row["lap_end_session_s"] for row in laps if row["lap_number"] == 1}
        after = sorted(first, key=first.__getitem__)
        for who in fields[event]:
            assert [found[who]["overtakes_made"], found[who]["overtakes_suffered"]] == overtakes[who]
            assert found[who]["pit_places_gained"] == pits[who]
            assert found[who]["start_gain_places"] == fields[event].index(who) - after.index(who)
        assert sum(row["pit_places_gained"] for row in found.values()) == 0
        assert sum(row["start_gain_places"] for row in found.values()) == 0
    assert rows["overtakes_made"].sum() == rows["overtakes_suffered"].sum() > 20


@pytest.mark.parametrize("flaw", ["too_low", "clock"])
def test_laps_that_cannot_be_compared_count_nothing(flaw: str) -> None:
    """A race with a hole in the feed has no overtakes; a car whose clock slipped on lap 1 is left out, alone."""
    laps = [
        lap(who, n, 100.0 * n + at, 100.0) for at, who in enumerate(("a1", "b1", "c1")) for n in (1, 2, 3)
    ]
    for row in laps:
        if flaw == "too_low" and row["lap_number"] == 3:
            row["lap_number_note"] = "too_low"
        if flaw == "clock" and row["driver_id"] == "c1":
            row["lap_end_session_s"] -= 9.0
    results = [result("a1", 1, 1), result("b1", 2, 2), result("c1", 3, 3)]
    overtakes = by_driver(made(facts(results, laps)), "overtakes_made")
    assert overtakes == (
        {"a1": None, "b1": None, "c1": None} if flaw == "too_low" else {"a1": 0, "b1": 0, "c1": None}
    )


# --- team mates -------------------------------------------------------------------------------------------------------


def test_team_mates_are_compared_in_the_last_segment_both_drove() -> None:
    qualifying = [
        quali("a1", 1, 91.0, 90.5, 90.0),
        quali("a2", 3, 91.0, 91.2),
        quali("b1", 2, 92.0, 91.0, 90.9),
        quali("b2", 4, 99.0),
        quali("c1", 5, 93.0),
    ]
    results = [
        result("a1", 1, 1),
        result("a2", 2, 3),
        result("b1", 5, 2, "retired", reason_retired="Collision damage"),
        result("b2", 3, 4),
        result("c1", 6, 5, "retired", reason_retired="Gearbox"),
    ]
    tables = made(facts(results, qualifying_results=qualifying))
    assert by_driver(tables, "teammate_driver_id") == {
        "a1": "a2",
        "a2": "a1",
        "b1": "b2",
        "b2": "b1",
        "c1": None,
    }
    assert by_driver(tables, "qualifying_segment") == {
        "a1": "q2",
        "a2": "q2",
        "b1": "q1",
        "b2": "q1",
        "c1": None,
    }
    gaps = by_driver(tables, "qualifying_gap_teammate_pct")
    assert gaps["a1"] == pytest.approx(100 * (90.5 / 91.2 - 1))
    assert gaps["a2"] == pytest.approx(100 * (91.2 / 90.5 - 1))
    assert gaps["b1"] is None, "more than 7 % slower says nothing of pace"
    assert by_driver(tables, "is_ahead_in_qualifying") == {
        "a1": True,
        "a2": False,
        "b1": True,
        "b2": False,
        "c1": None,
    }
    assert by_driver(tables, "is_ahead_in_race") == {
        "a1": True,
        "a2": False,
        "b1": None,
        "b2": None,
        "c1": None,
    }
    assert by_driver(tables, "dnf_cause") == {
        "a1": None,
        "a2": None,
        "b1": "accident",
        "b2": None,
        "c1": "mechanical",
    }
    teams = {row["constructor_id"]: row for row in tables["team_race_metrics"].to_dicts()}
    assert teams["team-b"]["count_accident_dnfs"] == 1
    assert teams["team-c"]["count_mechanical_dnfs"] == 1
    assert teams["team-b"]["qualifying_gap_pct"] == pytest.approx(100 * (90.9 / 90.0 - 1))
    assert [teams[f"team-{name}"]["qualifying_rank"] for name in "abc"] == [1, 2, 3]


def test_pace_consistency_and_wear_come_from_the_lap_fit() -> None:
    said = [("a1", -0.5, 0.30, 0.01), ("a2", 0.1, 0.50, None), ("b1", 0.4, 0.40, -0.02)]
    drivers = pl.DataFrame(
        [
            {"event_id": EVENT, "driver_id": who, "race_pace_pct": pace, "standard_error_pct": 0.1, "count_laps": 50,
             "consistency_pct": steady, "wear_pct": wear, "wear_error_pct": None if wear is None else 0.005}
            for who, pace, steady, wear in said
        ],
        schema=SCHEMA,
    )  # fmt: skip
    wear = pl.DataFrame([{"event_id": EVENT, "tyre_wear_pct": 0.06}], schema=WEAR_SCHEMA)
    results = [result("a1", 1, 1), result("a2", 2, 2), result("b1", 3, 3)]
    tables = made(facts(results), LapCraft(drivers, wear))
    assert by_driver(tables, "race_pace_gap_teammate_pct") == pytest.approx(
        {"a1": -0.6, "a2": 0.6, "b1": None}
    )
    assert by_driver(tables, "consistency_vs_field_pct") == pytest.approx({"a1": -0.1, "a2": 0.1, "b1": 0.0})
    assert by_driver(tables, "tyre_wear_vs_field_pct") == {"a1": 0.01, "a2": None, "b1": -0.02}
    teams = {row["constructor_id"]: row for row in tables["team_race_metrics"].to_dicts()}
    assert teams["team-b"]["race_pace_gap_pct"] == pytest.approx(0.9)
    assert (teams["team-a"]["race_pace_rank"], teams["team-b"]["race_pace_rank"]) == (1, 2)
    circuit = tables["circuit_profiles"].row(0, named=True)
    assert (circuit["tyre_wear_pct"], circuit["count_wear_races"]) == (0.06, 1)


# --- stops ------------------------------------------------------------------------------------------------------------


def test_pit_stops_are_measured_against_the_field_without_repairs() -> None:
    times = {"a1": (22.0, 23.0), "a2": (24.0, 900.0), "b1": (23.0, 30.0)}
    stops = [
        {"event_id": EVENT, "season": 2024, "session": "race", "display_order": at * 2 + stop, "driver_id": who,
         "constructor_id": f"team-{who[0]}", "car_number": who, "stop": stop, "time_s": seconds, "known_at": KNOWN}
        for at, (who, both) in enumerate(times.items())
        for stop, seconds in enumerate(both, start=1)
    ]  # fmt: skip
    results = [result("a1", 1, 1), result("a2", 2, 2), result("b1", 3, 3)]
    teams = {
        r["constructor_id"]: r for r in made(facts(results, pit_stops=stops))["team_race_metrics"].to_dicts()
    }
    mean = (22 + 23 + 24 + 23 + 30) / 5
    assert teams["team-a"]["count_stops"] == 3, "900 s was no stop for tyres"
    assert teams["team-a"]["pit_time_vs_field_s"] == pytest.approx((22 + 23 + 24) / 3 - mean)
    assert teams["team-b"]["pit_time_vs_field_s"] == pytest.approx((23 + 30) / 2 - mean)
    assert (teams["team-a"]["count_slow_stops"], teams["team-b"]["count_slow_stops"]) == (0, 1)


def test_pit_loss_is_the_in_and_out_lap_against_the_stints() -> None:
    laps = [
        lap("a1", 5, 500.0, 95.0, stint=1, is_in_lap=True),
        lap("a1", 6, 612.0, 112.0, stint=2, is_out_lap=True),
        lap("b1", 5, 501.0, 96.0, stint=1, is_in_lap=True, is_green=False),
        lap("b1", 6, 613.0, 112.0, stint=2, is_out_lap=True),
    ]
    stints = [
        {"event_id": EVENT, "season": 2024, "session": "race", "driver_id": who, "constructor_id": f"team-{who[0]}",
         "car_number": who, "stint": number, "median_green_lap_s": median, "known_at": KNOWN}
        for who in ("a1", "b1")
        for number, median in ((1, 92.0), (2, 91.0))
    ]  # fmt: skip
    results = [result("a1", 1, 1), result("b1", 2, 2)]
    circuit = made(facts(results, laps, stints=stints))["circuit_profiles"].row(0, named=True)
    assert circuit["count_green_stops"] == 1, "the other stop was not under green"
    assert circuit["pit_loss_s"] == pytest.approx(95 + 112 - 92 - 91)


# --- Elo --------------------------------------------------------------------------------------------------------------


def rated(event: str, day: int, **values: float) -> list[Row]:
    season = int(event[:4])
    at = dt.datetime(season, 3, day, tzinfo=dt.UTC)
    return [
        {"event_id": event, "season": season, "known_at": at, "entity_kind": "driver", "entity_id": who,
         "rating_kind": "elo", "value": value}
        for who, value in values.items()
    ]  # fmt: skip


def test_rankings_by_hand() -> None:
    """A driver who sits out keeps his rating and place; a winter moves him towards 1500 before his next race."""
    ratings = [
        *rated("2023-x", 1, a=1516.0, b=1484.0),
        *rated("2024-x", 1, a=1520.0, c=1495.0),
        *rated("2024-y", 9, b=1490.0, c=1510.0),
    ]
    ranked = made(facts([result("a1", 1, 1)]), ratings=ratings)["elo_rankings"]
    found = {(row["event_id"], row["entity_id"]): row for row in ranked.to_dicts()}
    assert set(found) == {
        ("2023-x", "a"), ("2023-x", "b"), ("2024-x", "a"), ("2024-x", "c"), ("2024-y", "a"), ("2024-y", "b"),
        ("2024-y", "c"),
    }  # fmt: skip
    assert found["2023-x", "a"]["change"] == pytest.approx(16.0), "from 1500"
    assert found["2024-x", "a"]["elo_before"] == pytest.approx(1500 + 0.8 * 16)
    assert found["2024-x", "a"]["change"] == pytest.approx(20 - 0.8 * 16)
    assert found["2024-y", "b"]["elo_before"] == pytest.approx(1500 - 0.8 * 16)
    absent = found["2024-y", "a"]
    assert (absent["elo"], absent["change"], absent["is_present"], absent["count_events"]) == (
        1520.0,
        0.0,
        False,
        2,
    )
    assert [found["2024-y", who]["rank"] for who in "acb"] == [1, 2, 3]


def test_nothing_to_say_makes_empty_tables() -> None:
    tables = analyse({name: arrow(name, ()) for name in FACTS_READ}, arrow("ratings", ()), nothing_said())
    assert {name: rows.num_rows for name, rows in tables.items()} == {
        table.name: 0 for table in ANALYTICS_TABLES
    }


def test_the_order_of_facts_does_not_matter() -> None:
    laps = [
        lap(who, n, 100.0 * n + at, 100.0) for at, who in enumerate(("a1", "b1", "c1")) for n in (1, 2, 3)
    ]
    results = [result("a1", 1, 3), result("b1", 2, 1), result("c1", 3, 2)]
    one, other = made(facts(results, laps)), made(facts(results, reversed(laps)))
    assert all(one[name].equals(other[name], null_equal=True) for name in one)
