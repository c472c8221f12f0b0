"""Consistency and own wear, planted in made-up races and found again."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from models.lap_craft import MIN_WEAR_LAPS, SCHEMA, WEAR_SCHEMA, lap_craft
from models.lap_pace import LAP_COLUMNS, race_paces

LAPS = 50
SCATTER = {"ada": 0.15, "ben": 0.30, "cyd": 0.45, "dee": 0.30, "eve": 0.30, "fay": 0.30}
OWN_WEAR = {"ada": 0.0, "ben": 0.03, "cyd": 0.0, "dee": -0.03, "eve": 0.0, "fay": 0.0}
FIELD_WEAR = 0.05


def race(event: str = "2024-vale", seed: int = 1, laps: int = LAPS) -> pl.DataFrame:
    """Cars far apart, one stop each, wear that differs by driver."""
    rng = np.random.default_rng(seed)
    rows = []
    for car, name in enumerate(SCATTER):
        clock, age = 60.0 * car, 0
        stop = 20 + 2 * car
        for number in range(1, laps + 1):
            age += 1
            pct = -3.6 * (number - 1) / laps + (FIELD_WEAR + OWN_WEAR[name]) * (age - 1)
            seconds = 90.0 * float(np.exp((pct + rng.normal(0, SCATTER[name])) / 100))
            clock += seconds
            rows.append(
                {
                    "event_id": event,
                    "driver_id": name,
                    "car_number": str(car),
                    "lap_number": number,
                    "lap_time_s": seconds,
                    "lap_end_session_s": clock,
                    "compound": "medium" if number <= stop else "hard",
                    "tyre_life_laps": age,
                    "is_in_lap": number == stop,
                    "is_out_lap": number == stop + 1,
                    "is_green": True,
                    "is_safety_car": False,
                    "is_virtual_safety_car": False,
                    "is_red_flag": False,
                    "is_generated": False,
                    "is_after_result": False,
                }
            )
            if number == stop:
                age = 0
    return pl.DataFrame(rows).select(LAP_COLUMNS)


@pytest.fixture(scope="module")
def drivers() -> dict[str, dict[str, float]]:
    """Means over twelve races."""
    laps = pl.concat([race(f"2024-vale-{number}", seed=number) for number in range(12)])
    found = (
        lap_craft(laps)
        .drivers.group_by("driver_id")
        .agg(pl.col("consistency_pct", "wear_pct", "wear_error_pct").mean(), spread=pl.col("wear_pct").std())
    )
    return {row["driver_id"]: row for row in found.to_dicts()}


def test_planted_scatter_is_found(drivers: dict[str, dict[str, float]]) -> None:
    assert {name: row["consistency_pct"] for name, row in drivers.items()} == pytest.approx(SCATTER, rel=0.15)


def test_planted_wear_is_found_against_the_field(drivers: dict[str, dict[str, float]]) -> None:
    middle = np.mean(list(OWN_WEAR.values()))
    for name, row in drivers.items():
        assert row["wear_pct"] == pytest.approx(OWN_WEAR[name] - middle, abs=0.008), name
        # Laps here are independent, so the error, which allows for neighbours that are not, is the larger.
        assert 0.8 * row["spread"] < row["wear_error_pct"] < 3 * row["spread"], name


def test_pace_is_the_same_as_elsewhere_and_order_does_not_matter() -> None:
    laps = race()
    found = lap_craft(laps).drivers
    assert found.select(race_paces(laps).columns).equals(race_paces(laps))
    assert lap_craft(laps.sample(fraction=1.0, shuffle=True, seed=3)).drivers.equals(found)


def test_a_mistake_is_not_scatter() -> None:
    laps = race()
    slid = (pl.col("driver_id") == "ada") & (pl.col("lap_number") == 30)
    spun = laps.with_columns(pl.when(slid).then(pl.col("lap_time_s") * 1.05).otherwise(pl.col("lap_time_s")))
    values = [
        lap_craft(rows).drivers.filter(pl.col("driver_id") == "ada")["consistency_pct"].item()
        for rows in (laps, spun)
    ]
    assert values[1] == pytest.approx(values[0], abs=0.02)


def test_wear_of_the_race() -> None:
    found = lap_craft(race()).wear
    assert found["tyre_wear_pct"].item() == pytest.approx(FIELD_WEAR, abs=0.02)


def test_few_laps_say_nothing() -> None:
    found = lap_craft(race(laps=MIN_WEAR_LAPS)).drivers
    assert found.height == len(SCATTER)
    assert found["wear_pct"].null_count() == found.height
    nothing = lap_craft(race().clear())
    assert nothing.drivers.is_empty() and nothing.drivers.schema == SCHEMA
    assert nothing.wear.is_empty() and nothing.wear.schema == WEAR_SCHEMA
