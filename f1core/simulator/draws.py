"""Common random numbers: dealt by car, lap and stop, never by what the car does with them.

Simulations come in blocks of ``BLOCK``. The stream of a car hangs on the seed, the block and the car's name
alone, so another plan, another order of the cars or a changed rival leaves every other number where it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
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

_LEVELS = 2**16


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


def retirement_laps(race: Race, draws: Draws) -> NDArray[np.int16]:
    """Lap that a car does not complete; beyond the race for a finisher, (cars, n)."""
    laps = race.laps
    retires = np.full(draws.retirement.shape, laps + 1, np.int16)
    for c, car in enumerate(race.cars):
        if car.retires_on_lap is not None:
            retires[c] = min(car.retires_on_lap, laps + 1)
        elif car.retirement_probability > 0:
            hazard = -np.log1p(-min(car.retirement_probability, 1 - 1e-9)) / laps
            retires[c] = np.minimum(np.floor(draws.retirement[c] / hazard), laps) + 1
    return retires


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
    normal, logistic = _quantiles()
    logistic = logistic * np.float32(race.traffic.scale_s) + np.float32(race.traffic.midpoint_s)
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
        _look_up(normal, rng, noise[c])
        _look_up(logistic, rng, threshold[c])
    wear = stream(seed, block, "").standard_normal((len(COMPOUNDS), n), np.float32)
    return Draws(form, start, retirement, stop, noise, threshold, wear)


@cache
def _quantiles() -> tuple[Floats, Floats]:
    """Quantiles of the standard normal and logistic distributions at the middles of 2**16 equal shares.

    The numbers dealt by car and lap are so many that looking them up by 16 random bits, four from a word, takes a fourth
    of the time of drawing them; the rest is drawn as usual.
    """
    share = (np.arange(_LEVELS) + 0.5) / _LEVELS
    at = np.linspace(-5, 5, 200_001)
    density = np.exp(-at * at / 2)
    below = np.cumsum(density[1:] + density[:-1])
    normal = np.interp(share, np.concatenate([[0], below / below[-1]]), at)
    return normal.astype(np.float32), np.log(share / (1 - share)).astype(np.float32)


def _look_up(quantiles: Floats, rng: np.random.Generator, out: Floats) -> None:
    """Fill an array with random quantiles."""
    words = rng.bit_generator.random_raw(-(-out.size // 4))
    bits = np.asarray(words, "<u8").view("<u2")[: out.size]
    np.take(quantiles, bits, out=out.reshape(-1), mode="wrap")
