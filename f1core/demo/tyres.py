"""Which tyres a car starts on and when it changes them: the plan before the race."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

COMPOUNDS = ("SOFT", "MEDIUM", "HARD", "INTERMEDIATE")
SOFT, MEDIUM, HARD, INTERMEDIATE = range(4)
USED_SOFT_AGE = 3
"""Laps a soft set has usually done in qualifying already, when it is not new."""
LONG_STINT_SHARE, SHORT_STINT_LAPS = 0.52, 12

_ONE_STOP = ((MEDIUM, 0.42, HARD), (HARD, 0.58, MEDIUM), (SOFT, 0.28, HARD))
_ONE_STOP_CHANCE = (0.55, 0.20, 0.25)
_TWO_STOPS = (
    (SOFT, 0.25, MEDIUM, 0.62, MEDIUM),
    (MEDIUM, 0.36, HARD, 0.76, SOFT),
    (SOFT, 0.24, HARD, 0.72, SOFT),
)
_TWO_STOPS_CHANCE = 0.35


@dataclass
class Stint:
    """Laps on one set of tyres.

    Attributes:
        compound: Index into :data:`COMPOUNDS`.
        age: Laps the set had done before.
        until: Lap at whose end the car pits; 0 for the last stint.
    """

    compound: int
    age: int
    until: int


def dry_compound(laps_left: int, laps: int) -> int:
    """The slick for the rest of a race."""
    if laps_left >= LONG_STINT_SHARE * laps:
        return HARD
    return SOFT if laps_left <= SHORT_STINT_LAPS else MEDIUM


def tyre_plan(rng: np.random.Generator, laps: int, wet_until: int) -> list[Stint]:
    """The stints a car means to drive.

    Args:
        rng: Of this car.
        laps: Laps of the race.
        wet_until: Last wet lap; 0 for a dry race.
    """
    if wet_until >= laps:
        middle = laps // 2 + int(rng.integers(-4, 5))
        return [Stint(INTERMEDIATE, 0, middle), Stint(INTERMEDIATE, 0, 0)]
    if wet_until:
        change = min(wet_until + int(rng.integers(0, 4)), laps - 2)
        return [Stint(INTERMEDIATE, 0, change), Stint(dry_compound(laps - change, laps), 0, 0)]
    plan: tuple[float, ...]
    if rng.random() < _TWO_STOPS_CHANCE:
        plan = _TWO_STOPS[rng.integers(len(_TWO_STOPS))]
    else:
        plan = _ONE_STOP[rng.choice(len(_ONE_STOP), p=_ONE_STOP_CHANCE)]
    shift = rng.normal(0.0, 0.035)
    stints = []
    for at in range(0, len(plan), 2):
        compound = int(plan[at])
        until = round((plan[at + 1] + shift) * laps) if at + 1 < len(plan) else 0
        age = USED_SOFT_AGE if compound == SOFT and rng.random() < 0.5 else 0
        stints.append(Stint(compound, age, until))
    return stints
