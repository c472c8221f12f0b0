"""What is true in the demo, and what every model is to find out: strengths, line-ups and rates.

Everything follows from the seed and the season's number, so that adding a season changes nothing that was before.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from f1core.demo.names import CIRCUITS, DRIVERS, TEAMS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SEATS = 2 * len(TEAMS)
DRIVER_SPREAD, CAR_SPREAD = 0.22, 0.42
"""Standard deviations of drivers and cars in the first season [% of a lap]."""
DRIVER_WINTER, CAR_WINTER, CAR_CARRY = 0.08, 0.28, 0.75
ROOKIE_MEAN = 0.15
ROOKIES, TRANSFERS = 2, 2
TEAM_AT_CIRCUIT = 0.07
"""How much better or worse a car is at one circuit [% of a lap, standard deviation]."""
RETIREMENT_RATES = (0.05, 0.16)
"""Chance of not finishing a race: the most and the least reliable team."""
ACCIDENTS = 0.35
"""Share of retirements that are accidents."""

WEAR_S = {"SOFT": 0.105, "MEDIUM": 0.065, "HARD": 0.040, "INTERMEDIATE": 0.055}
"""Time lost per lap of a set's age [s/lap]."""
OFFSET_S = {"SOFT": -0.55, "MEDIUM": 0.0, "HARD": 0.40, "INTERMEDIATE": 0.0}
"""Lap time of a new set against a new medium one [s]."""
FUEL_S = 0.035
"""Time gained per lap by burning fuel [s/lap]."""
SAFETY_CARS = (0.50, 0.35, 0.15)
VIRTUAL_SAFETY_CARS = (0.70, 0.25, 0.05)
"""Chance of 0, 1 and 2 periods in a race."""
WET_RACES = 0.12
"""Chance that a race begins in the rain."""


def stream(seed: int, *what: int) -> np.random.Generator:
    """Random numbers of one thing: no other thing's draws can shift them."""
    return np.random.default_rng([seed, *what])


@dataclass(frozen=True)
class Season:
    """Line-up and strengths of a season.

    Attributes:
        drivers: Driver (index into the cast) of each entry.
        teams: Team of each entry.
        driver_pct: What each entry's driver adds to the lap [% against the average entry], smaller is faster.
        car_pct: What each entry's car adds.
    """

    drivers: Ints
    teams: Ints
    driver_pct: Floats
    car_pct: Floats


@dataclass(frozen=True)
class World:
    """The truth of all seasons.

    Attributes:
        seed: What it was drawn from.
        seasons: Line-up and strengths by season.
        retirement_rates: Chance of not finishing a race by team.
        at_circuit: Team by circuit: what the car adds there [% of a lap].
    """

    seed: int
    seasons: tuple[Season, ...]
    retirement_rates: Floats
    at_circuit: Floats

    @classmethod
    def drawn(cls, seed: int, count: int) -> World:
        """The world of a seed, ``count`` seasons long."""
        rng = stream(seed, 1)
        rates = rng.permutation(np.linspace(*RETIREMENT_RATES, len(TEAMS))).round(3)
        at_circuit = rng.normal(0.0, TEAM_AT_CIRCUIT, (len(TEAMS), len(CIRCUITS)))
        at_circuit -= at_circuit.mean(axis=1, keepdims=True)
        return cls(seed, tuple(_seasons(seed, count)), rates, at_circuit)


def _seasons(seed: int, count: int) -> list[Season]:
    rng = stream(seed, 2, 0)
    people = np.arange(SEATS)
    talent = rng.normal(0.0, DRIVER_SPREAD, SEATS)
    cars = rng.normal(0.0, CAR_SPREAD, len(TEAMS))
    teams = np.repeat(np.arange(len(TEAMS)), 2)
    newcomer = SEATS
    found = [_season(people, teams, talent, cars)]
    for number in range(1, count):
        rng = stream(seed, 2, number)
        cars = CAR_CARRY * cars + rng.normal(0.0, CAR_WINTER, len(cars))
        talent = talent + rng.normal(0.0, DRIVER_WINTER, SEATS)
        people = people.copy()
        for _ in range(TRANSFERS):
            one, other = rng.choice(len(TEAMS), 2, replace=False)
            swap = [2 * one + rng.integers(2), 2 * other + rng.integers(2)]
            people[swap], talent[swap] = people[swap[::-1]], talent[swap[::-1]]
        # Who leaves is one of the slower half; the cast is long, but it ends.
        leaving = rng.choice(np.argsort(-talent)[: SEATS // 2], ROOKIES, replace=False)
        for seat in leaving[: len(DRIVERS) - newcomer]:
            people[seat] = newcomer
            talent[seat] = rng.normal(ROOKIE_MEAN, DRIVER_SPREAD)
            newcomer += 1
        found.append(_season(people, teams, talent, cars))
    return found


def _season(people: Ints, teams: Ints, talent: Floats, cars: Floats) -> Season:
    """Strengths against the average entry: both parts have mean zero over the field."""
    return Season(people.copy(), teams, talent - talent.mean(), (cars - cars.mean())[teams])
