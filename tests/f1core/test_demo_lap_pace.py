"""The demo's planted pace is found again in its laps, race by race."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest

from f1core.demo.calendar import Calendar
from f1core.demo.names import DRIVERS
from f1core.demo.tyres import COMPOUNDS
from f1core.demo.weekend import WeekendStory
from f1core.demo.world import WEAR_S, World
from models.lap_pace import fit_races

TODAY = dt.date(2026, 11, 21)
RACES = 12


def laps_of(story: WeekendStory) -> pl.DataFrame:
    """The laps of a race as the ``laps`` table has them, straight from the generator."""
    plan, run = story.race.plan, story.race.run
    slow = {lap: one.status for one in plan.neutralisations for lap in range(one.first, one.last + 1)}
    ends = {(stop.car, stop.lap) for stop in run.stops}
    rows = []
    for car in range(story.entries):
        for lap in range(1, int(run.laps_done[car]) + 1):
            status = slow.get(lap)
            rows.append(
                {
                    "event_id": story.weekend.event_id,
                    "driver_id": DRIVERS[story.season.drivers[car]].driver_id,
                    "car_number": str(car),
                    "lap_number": lap,
                    "lap_time_s": (run.line_ms[lap, car] - run.line_ms[lap - 1, car]) / 1000.0,
                    "lap_end_session_s": run.line_ms[lap, car] / 1000.0,
                    "compound": COMPOUNDS[run.compound[lap - 1, car]].lower(),
                    "tyre_life_laps": int(run.tyre_life[lap - 1, car]),
                    "is_in_lap": (car, lap) in ends,
                    "is_out_lap": (car, lap - 1) in ends,
                    "is_green": status is None,
                    "is_safety_car": status == "safety_car",
                    "is_virtual_safety_car": status == "virtual_safety_car",
                    "is_red_flag": False,
                    "is_generated": False,
                    "is_after_result": False,
                }
            )
    return pl.DataFrame(rows)


def spearman(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(np.argsort(np.argsort(one)), np.argsort(np.argsort(other)))[0, 1])


@pytest.fixture(scope="module")
def dry() -> dict[str, WeekendStory]:
    """Dry races of one season."""
    world = World.drawn(42, 1)
    stories = [WeekendStory(world, weekend) for weekend in Calendar(TODAY, 1).weekends()[:RACES]]
    return {story.weekend.event_id: story for story in stories if not story.race.plan.wet_until}


@pytest.fixture(scope="module")
def laps(dry: dict[str, WeekendStory]) -> pl.DataFrame:
    return pl.concat([laps_of(story) for story in dry.values()])


def test_the_order_of_pace_is_recovered(dry: dict[str, WeekendStory], laps: pl.DataFrame) -> None:
    assert len(dry) >= RACES - 4
    agreements, errors = [], []
    for event, found in fit_races(laps):
        story = dry[event]
        planted = dict(
            zip((DRIVERS[d].driver_id for d in story.season.drivers), story.race.plan.pace_pct, strict=True)
        )
        pace = found.drivers["race_pace_pct"].to_numpy()
        truth = np.array([planted[name] for name in found.drivers["driver_id"]])
        agreements.append(spearman(pace, truth))
        errors.append(np.abs(pace - np.median(pace) - truth + np.median(truth)).mean())
    assert np.mean(agreements) >= 0.95
    assert min(agreements) >= 0.85
    assert np.mean(errors) < 0.15, "in % of a lap; the spread of the field is about 0.5"


def test_wear_is_near_the_planted_one_and_compounds_are_in_its_order(laps: pl.DataFrame) -> None:
    """Cars held up behind others do not show all their wear, so the softest compound comes out too good."""
    wear: dict[str, list[float]] = {"hard": [], "medium": [], "soft": []}
    for _event, found in fit_races(laps):
        rows = found.effects.filter((pl.col("effect") == "wear") & (pl.col("count_laps") >= 80))
        for name, value in rows.select("name", "value_pct").iter_rows():
            wear[name].append(value / 100.0 * found.lap_s)
    means = {name: float(np.mean(values)) for name, values in wear.items()}
    for name, value in means.items():
        assert value == pytest.approx(WEAR_S[name.upper()], abs=0.03), name
    assert sorted(means, key=means.__getitem__) == ["hard", "medium", "soft"]
