"""A made-up race set up for what-if answers: the small field of the simulator's tests."""

from __future__ import annotations

from typing import Any, cast

import polars as pl

from f1core.simulator.parameters import Phase, Scenario, TrackStatus
from f1core.simulator.rules import RaceRules
from f1core.strategy.basis import Basis
from f1core.strategy.setup import RaceSetup
from tests.f1core.simulator_field import WEATHER, field, one_stop


def a_setup(cars: int = 6, laps: int = 24, **changes: Any) -> RaceSetup:
    """A past dry race with one real safety car; everybody stopped once."""
    race = field(cars, laps, rules=None)
    drivers = pl.DataFrame(
        {
            "driver_id": [car.name for car in race.cars],
            "grid": [car.grid for car in race.cars],
            "actual_position": list(range(1, cars + 1)),
        }
    )
    given = {
        "event_id": "2025-somewhere",
        "season": 2025,
        "grand_prix": "Somewhere",
        "circuit_id": "somewhere",
        "basis": Basis.PRE_RACE,
        "is_past": True,
        "is_wet": False,
        "race": race,
        "plans": one_stop(race),
        "scenario": Scenario(phases=(Phase(TrackStatus.SAFETY_CAR, 6, 8),)),
        "drivers": drivers,
        "parameters": cast(Any, None),
        "rules": RaceRules(),
        "weather": WEATHER,
        "notes": (),
    }
    return RaceSetup(**{**given, **changes})
