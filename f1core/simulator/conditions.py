"""What the whole field meets on every lap: neutralisations and weather, given or drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from f1core.simulator.draws import Draws, Floats, retirement_laps, stream
from f1core.simulator.parameters import BadRace, Phase, Race, Scenario, TrackStatus, Weather


@dataclass(frozen=True)
class Conditions:
    """Conditions of one block of n simulations.

    Attributes:
        status: ``TrackStatus`` of every lap, (laps, n).
        weather_loss: Loss by tyre class on every lap, (laps, 3, n) [s/lap]; None when the race has no weather.
    """

    status: NDArray[np.int8]
    weather_loss: Floats | None


def conditions(race: Race, scenario: Scenario, seed: int | None, block: int, draws: Draws) -> Conditions:
    """Neutralisations and weather of one block.

    Args:
        race: The race.
        scenario: What is given; the rest is drawn.
        seed: Seed of the run; None for the deterministic race, where nothing is drawn.
        block: Number of the block.
        draws: Its random numbers: retirements bring out safety cars.

    Raises:
        BadRace: The given phases overlap or leave the race, or wetness is given without wet pace.
    """
    n = draws.form.shape[1]
    if scenario.phases is not None or seed is None:
        status = np.repeat(_given(scenario.phases or (), race.laps)[:, None], n, axis=1)
    else:
        status = _drawn_status(race, seed, block, draws)
    return Conditions(status, _weather_loss(race, scenario, seed, block, n))


def _given(phases: tuple[Phase, ...], laps: int) -> NDArray[np.int8]:
    status = np.zeros(laps, np.int8)
    for phase in sorted(phases, key=lambda p: p.first_lap):
        if not 1 <= phase.first_lap <= phase.last_lap <= laps:
            raise BadRace(
                f"Laps {phase.first_lap}–{phase.last_lap} of a neutralisation are not laps of the race."
            )
        if phase.status == TrackStatus.RED_FLAG and phase.first_lap != phase.last_lap:
            raise BadRace("A red flag lasts one lap: the race stops at its end.")
        span = status[phase.first_lap - 1 : phase.last_lap]
        if span.any():
            raise BadRace(f"Two neutralisations overlap on laps {phase.first_lap}–{phase.last_lap}.")
        span[:] = phase.status
    return status


def _drawn_status(race: Race, seed: int, block: int, draws: Draws) -> NDArray[np.int8]:
    p, laps = race.neutralisations, race.laps
    n: int = draws.form.shape[1]
    rng = stream(seed, block, "\0neutralisations")
    status = np.zeros((laps, n), np.int8)
    lap = np.arange(laps)[:, None]
    keeps = _share_without_cause(race)
    many = np.searchsorted(np.cumsum(p.safety_cars)[:-1], rng.random(n), side="right")
    for k in range(len(p.safety_cars) - 1):
        first = np.where(rng.random(n) < p.first_lap_share, 0, rng.integers(1, laps, n))
        length = _length(rng, n, p.safety_car_laps, p.safety_car_laps_sd)
        is_drawn = (many > k) & ((first == 0) | (rng.random(n) < keeps))
        shown = is_drawn & (lap >= first) & (lap < first + length)
        np.maximum(status, shown * np.int8(TrackStatus.SAFETY_CAR), out=status)
    first = rng.integers(0, laps, n)
    length = _length(rng, n, p.vsc_laps, p.vsc_laps_sd)
    shown = (rng.random(n) < p.vsc_probability) & (lap >= first) & (lap < first + length)
    np.maximum(status, shown * np.int8(TrackStatus.VIRTUAL_SAFETY_CAR), out=status)
    shown = (rng.random(n) < p.red_flag_probability) & (lap == rng.integers(0, laps - 1, n))
    np.maximum(status, shown * np.int8(TrackStatus.RED_FLAG), out=status)
    if p.safety_car_per_retirement > 0:
        _bring_out_safety_cars(race, seed, block, draws, status)
    return status


def _share_without_cause(race: Race) -> float:
    """Share of the safety cars drawn after lap 1 that no retirement of the race has to bring out."""
    p = race.neutralisations
    later = (1 - p.first_lap_share) * sum(k * share for k, share in enumerate(p.safety_cars))
    retirements = sum(
        float(1 < car.retires_on_lap <= race.laps)
        if car.retires_on_lap is not None
        else car.retirement_probability
        for car in race.cars
    )
    if not later:
        return 1.0
    return max(0.0, 1 - p.safety_car_per_retirement * retirements / later)


def _bring_out_safety_cars(race: Race, seed: int, block: int, draws: Draws, status: NDArray[np.int8]) -> None:
    p, n = race.neutralisations, draws.form.shape[1]
    lap, retires = np.arange(race.laps)[:, None], retirement_laps(race, draws)
    for c, car in enumerate(race.cars):
        if car.retires_on_lap is None and not car.retirement_probability:
            continue
        rng = stream(seed, block, f"{car.name}\0accident")
        is_brought = (rng.random(n) < p.safety_car_per_retirement) & (retires[c] > 1)
        length = _length(rng, n, p.safety_car_laps, p.safety_car_laps_sd)
        where = np.flatnonzero(is_brought & (retires[c] < race.laps))
        first = retires[c, where]  # the lap after the one that was not completed, from 0
        shown = (lap >= first) & (lap < first + length[where])
        some = status[:, where]
        np.copyto(some, np.int8(TrackStatus.SAFETY_CAR), where=shown & (some < TrackStatus.SAFETY_CAR))
        status[:, where] = some


def _length(rng: np.random.Generator, n: int, mean: float, sd: float) -> NDArray[np.float64]:
    return np.maximum(np.rint(rng.normal(mean, sd, n)), 1)


def _weather_loss(race: Race, scenario: Scenario, seed: int | None, block: int, n: int) -> Floats | None:
    weather, laps = race.weather, race.laps
    if weather is None:
        if scenario.wetness is not None and any(scenario.wetness):
            raise BadRace("Rain is given, but the race has no wet pace.", hint="Set the weather of the race.")
        return None
    if scenario.wetness is not None:
        if len(scenario.wetness) != laps:
            raise BadRace(f"Wetness is given for {len(scenario.wetness)} laps, the race has {laps}.")
        wetness = np.repeat(np.asarray(scenario.wetness, float)[:, None], n, axis=1)
    elif seed is None:
        wetness = np.zeros((laps, n))
    else:
        wetness = _drawn_wetness(weather, laps, stream(seed, block, "\0weather"), n)
    curves = (weather.slick, weather.intermediate, weather.wet)
    factors = np.stack([np.interp(wetness, weather.wetness, curve) for curve in curves], axis=1)
    return ((factors - 1) * race.lap_time_s).astype(np.float32)


def _drawn_wetness(weather: Weather, laps: int, rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    first = np.where(rng.random(n) < weather.rain_probability, rng.integers(0, laps, n), laps)
    last = first + np.maximum(np.ceil(rng.exponential(1.0, n) * weather.rain_laps), 1)
    wetness, now = np.zeros((laps, n)), np.zeros(n)
    for lap in range(laps):
        is_raining = (lap >= first) & (lap < last)
        now = np.clip(now + np.where(is_raining, weather.wetting, -weather.drying), 0, weather.peak)
        wetness[lap] = now
    return wetness
