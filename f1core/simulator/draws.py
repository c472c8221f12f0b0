"""Common random numbers: dealt by car, lap and stop, never by what the car does with them.

Simulations come in blocks of ``BLOCK``. The stream of a car hangs on the seed, the block and the car's name
alone, so another plan, another order of the cars or a changed rival leaves every other number where it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from f1core.simulator.parameters import Race
from f1core.simulator.rules import COMPOUNDS

BLOCK = 1000
"""Simulations that are run side by side; small enough to stay in the cache."""

STOPS = 12
"""Stops with a draw of their own; later ones share the last."""

Floats = NDArray[np.float32]

_TINY = np.float32(1e-7)


@dataclass(frozen=True)
class Draws:
    """Random numbers of one block of n simulations, float32.

    Attributes:
        form: Pace on the day, (cars, n) [s/lap].
        start: Start, (cars, n) [s].
        retirement: Exponential with mean 1, (cars, n).
        stop: Loss of each stop beyond the mean, (cars, STOPS, n) [s].
        noise: White noise, (cars, laps, n), standard deviation 1.
        threshold: Advantage that an attempt to pass needs, (cars, laps, n) [s].
        wear: Wear of the day by compound, (compounds, n), standard deviation 1.
    """

    form: Floats
    start: Floats
    retirement: Floats
    stop: Floats
    noise: Floats
    threshold: Floats
    wear: Floats


def stream(seed: int, block: int, name: str) -> np.random.Generator:
    """Random numbers of one car, or of the race itself (name "")."""
    key = int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little") if name else 0
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence([seed, block, key])))


def no_draws(race: Race) -> Draws:
    """The deterministic race: every number at its middle, nobody retires by chance."""
    cars, laps = len(race.cars), race.laps
    zero = np.zeros((cars, 1), np.float32)
    return Draws(
        form=zero,
        start=zero,
        retirement=np.full((cars, 1), np.inf, np.float32),
        stop=np.zeros((cars, STOPS, 1), np.float32),
        noise=np.zeros((cars, laps, 1), np.float32),
        threshold=np.full((cars, laps, 1), race.traffic.midpoint_s, np.float32),
        wear=np.zeros((len(COMPOUNDS), 1), np.float32),
    )


def deal(race: Race, seed: int, block: int, n: int) -> Draws:
    """Random numbers of one block.

    Args:
        race: The race.
        seed: Seed of the whole run.
        block: Number of the block.
        n: Simulations in it.
    """
    cars, laps, lane = len(race.cars), race.laps, race.pit_lane
    form, start, retirement = (np.empty((cars, n), np.float32) for _ in range(3))
    stop = np.empty((cars, STOPS, n), np.float32)
    noise, threshold = (np.empty((cars, laps, n), np.float32) for _ in range(2))
    for c, car in enumerate(race.cars):
        rng = stream(seed, block, car.name)
        form[c] = rng.standard_normal(n, np.float32) * np.float32(car.form_sd_s)
        start[c] = rng.standard_normal(n, np.float32) * np.float32(race.start.sd_s)
        retirement[c] = rng.standard_exponential(n, np.float32)
        stop[c] = rng.standard_normal((STOPS, n), np.float32) * np.float32(lane.sd_s)
        is_slow = rng.random((STOPS, n), np.float32) < lane.slow_probability
        tail = rng.standard_exponential((STOPS, n), np.float32) * np.float32(lane.slow_tail_s)
        stop[c] += is_slow * (np.float32(lane.slow_from_s) + tail)
        rng.standard_normal(out=noise[c], dtype=np.float32)
        rng.random(out=threshold[c], dtype=np.float32)
        _to_logistic(threshold[c], race.traffic.midpoint_s, race.traffic.scale_s)
    wear = stream(seed, block, "").standard_normal((len(COMPOUNDS), n), np.float32)
    return Draws(form, start, retirement, stop, noise, threshold, wear)


def _to_logistic(uniform: Floats, midpoint: float, scale: float) -> None:
    """Turn uniform numbers into logistic ones, in place."""
    np.maximum(uniform, _TINY, out=uniform)
    uniform /= np.float32(1) - uniform
    np.log(uniform, out=uniform)
    uniform *= np.float32(scale)
    uniform += np.float32(midpoint)
