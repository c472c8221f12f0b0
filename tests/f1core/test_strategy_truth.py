"""The demo's planted wear, pit loss and safety-car rates are found again by the strategy parameters, within their intervals."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from f1core.demo.calendar import Calendar
from f1core.demo.names import CIRCUITS, DRIVERS
from f1core.demo.race import WAIT_S
from f1core.demo.weekend import WeekendStory
from f1core.demo.world import OFFSET_S, SAFETY_CARS, VIRTUAL_SAFETY_CARS, WEAR_S, World
from models.strategy.measure import measurements
from models.strategy.parameters import DRY, Estimate, Source, StrategyParameters
from models.strategy.pool import pool, usual_lap_s
from tests.f1core.test_demo_lap_pace import laps_of

SEASONS = 3
WAIT_MEDIAN_S = 0.6931 * WAIT_S[0]
"""Of the exponential time for which a car stands longer than in the best stop."""


def facts_of(story: WeekendStory) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Laps, neutralisations and result of a race, with the columns that are measured."""
    plan, run, event = story.race.plan, story.race.run, story.weekend.event_id
    rows = laps_of(story)
    car, lap = rows["car_number"].cast(pl.Int64).to_list(), rows["lap_number"].to_list()
    nothing = pl.lit(None, dtype=pl.Float64)
    laps = rows.with_columns(
        position=pl.col("lap_end_session_s").rank("ordinal").over("lap_number").cast(pl.Int32),
        stint=pl.Series([int(run.stint[at - 1, one]) for one, at in zip(car, lap, strict=True)]),
        sector_2_s=nothing,
        sector_3_s=nothing,
        lap_start_session_s=pl.col("lap_end_session_s") - pl.col("lap_time_s"),
    )
    periods = pl.DataFrame(
        {
            "event_id": [event for _ in plan.neutralisations],
            "status": [one.status for one in plan.neutralisations],
            "first_lap": [one.first for one in plan.neutralisations],
            "last_lap": [one.last for one in plan.neutralisations],
            "count_laps": [one.last - one.first + 1 for one in plan.neutralisations],
        },
        schema={
            "event_id": pl.String,
            "status": pl.String,
            "first_lap": pl.Int32,
            "last_lap": pl.Int32,
            "count_laps": pl.Int32,
        },
    )
    slots = {int(entry): slot for slot, entry in enumerate(plan.grid, start=1)}
    results = pl.DataFrame(
        {
            "event_id": event,
            "driver_id": [DRIVERS[driver].driver_id for driver in story.season.drivers],
            "is_starter": True,
            "position": [
                None if plan.retire_after[entry] else run.order.index(entry) + 1
                for entry in range(story.entries)
            ],
            "grid_position": [slots[entry] for entry in range(story.entries)],
            "is_pit_lane_start": [entry in plan.pit_lane for entry in range(story.entries)],
        }
    )
    return laps, periods, results


@pytest.fixture(scope="module")
def measured() -> pl.DataFrame:
    """Every race of some seasons, measured."""
    calendar = Calendar(dt.date(2026, 11, 21), SEASONS)
    world = World.drawn(42, len(calendar.seasons))
    weekends = [weekend for weekend in calendar.weekends() if weekend.index < SEASONS]
    facts = [facts_of(WeekendStory(world, weekend)) for weekend in weekends]
    rows = measurements(*(pl.concat(frames) for frames in zip(*facts, strict=True)))
    events = pl.DataFrame(
        {
            "event_id": [weekend.event_id for weekend in weekends],
            "season": [weekend.season for weekend in weekends],
            "circuit_id": [weekend.circuit.circuit_id for weekend in weekends],
            "known_at": [dt.datetime.combine(weekend.race_date, dt.time(16), dt.UTC) for weekend in weekends],
        }
    )
    return rows.join(events, on="event_id")


def fitted(measured: pl.DataFrame, circuit: str) -> StrategyParameters:
    return pool(measured, circuit, usual_lap_s(measured, circuit) or 90.0)


def covers(estimate: Estimate, truth: float) -> bool:
    return estimate.low <= truth <= estimate.high


def share_covered(found: list[Estimate], truths: list[float]) -> float:
    return sum(covers(one, truth) for one, truth in zip(found, truths, strict=True)) / len(truths)


@pytest.fixture(scope="module")
def by_circuit(measured: pl.DataFrame) -> list[StrategyParameters]:
    return [fitted(measured, circuit.circuit_id) for circuit in CIRCUITS]


def test_the_planted_wear_is_within_the_intervals(
    measured: pl.DataFrame, by_circuit: list[StrategyParameters]
) -> None:
    everywhere = fitted(measured, "nowhere")
    for name in DRY:
        truth = WEAR_S[name.upper()]
        assert covers(everywhere.wear_s[name], truth), name
        assert everywhere.wear_s[name].value == pytest.approx(truth, rel=0.15), name
        assert everywhere.wear_s[name].source is Source.POOL
        # 80 % intervals of circuits that are drawn to one another: what the pool misses all of them miss.
        assert share_covered([one.wear_s[name] for one in by_circuit], [truth] * len(CIRCUITS)) >= 0.6, name


def test_the_planted_compound_offsets_are_found(measured: pl.DataFrame) -> None:
    offset = fitted(measured, "nowhere").offset_s
    for name in ("soft", "hard"):
        assert covers(offset[name], OFFSET_S[name.upper()]), name
    assert offset["medium"].value == 0.0


def test_the_planted_pit_loss_is_within_the_intervals(by_circuit: list[StrategyParameters]) -> None:
    found = [one.pit_loss_s for one in by_circuit]
    truths = [circuit.pit_loss_s + WAIT_MEDIAN_S for circuit in CIRCUITS]
    assert share_covered(found, truths) >= 0.7
    for one, truth in zip(found, truths, strict=True):
        assert one.value == pytest.approx(truth, abs=0.35)
        assert one.source is Source.CIRCUIT
        assert one.high - one.low < 1.0


def test_the_planted_rates_of_safety_cars_are_within_the_intervals(measured: pl.DataFrame) -> None:
    found = fitted(measured, "nowhere")
    for number, chance in enumerate(SAFETY_CARS):
        assert covers(found.safety_car_rates[number], chance), number
    assert found.safety_car_rates[3].value < 0.03
    assert sum(one.value for one in found.safety_car_rates) == pytest.approx(1.0)
    assert covers(found.vsc_rate, 1.0 - VIRTUAL_SAFETY_CARS[0])
    assert covers(found.safety_car_laps, 4.0)
    assert found.red_flag_rate.value < 0.05


def test_what_the_race_was_driven_with_is_found(by_circuit: list[StrategyParameters]) -> None:
    """Behind the demo's safety car a lap takes 1.42 of the slowest base, and the field starts 0.22 s a slot apart."""
    for one in by_circuit:
        assert 1.36 < one.safety_car_lap_factor.value < 1.44
        assert 0.2 < one.grid_slot_s.value < 0.35
        assert 3.0 < one.start_loss_s.value < 7.0


def test_a_circuit_that_was_never_raced_is_less_sure_of_its_pit_lane(measured: pl.DataFrame) -> None:
    unknown, known = (
        fitted(measured, "nowhere").pit_loss_s,
        fitted(measured, CIRCUITS[0].circuit_id).pit_loss_s,
    )
    assert unknown.high - unknown.low > 3 * (known.high - known.low)
    assert unknown.source is Source.POOL
