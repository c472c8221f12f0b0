"""Many plans of some cars in one run: every variant meets the same draws, side by side in the same block.

A candidate alone would pay the lap loop for a few dozen simulations; together they pay it once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from f1core.simulator.block import RETIRED_S, Block
from f1core.simulator.conditions import Conditions, conditions
from f1core.simulator.draws import BLOCK, Draws, Floats, deal
from f1core.simulator.engine import checked
from f1core.simulator.parameters import BadRace, Race, Scenario
from f1core.simulator.plan import Plan
from f1core.simulator.result import Outcome


def simulate_variants(
    race: Race,
    plans: Mapping[str, Plan],
    variants: Sequence[Mapping[str, Plan]],
    scenario: Scenario | None = None,
    *,
    runs: int,
    seed: int,
) -> list[Outcome]:
    """Monte Carlo of several variants of the plans with common random numbers.

    Args:
        race: The race.
        plans: Plan by car, where a variant has none.
        variants: Plans of some cars, by variant.
        scenario: Neutralisations and weather; both drawn when None.
        runs: Number of simulations of each variant, N.
        seed: Seed, not negative.

    Returns:
        By variant, exactly what a run of its own would return, without history.

    Raises:
        IllegalPlan: A plan breaks a rule.
        BadRace: A plan is missing, or the scenario does not fit the race.
    """
    parts: list[list[tuple[Block, slice]]] = [[] for _ in variants]
    for block, places in _blocks(race, plans, variants, scenario, runs, seed):
        block.run()
        block.release()
        for v, at in places:
            parts[v].append((block, at))
    return [_outcome(race, held) for held in parts]


def times_after(
    race: Race,
    plans: Mapping[str, Plan],
    variants: Sequence[Mapping[str, Plan]],
    laps: Sequence[int],
    scenario: Scenario | None = None,
    *,
    runs: int,
    seed: int,
) -> list[Floats]:
    """Where the cars are after a lap of the race, one lap for each variant; the laps after the last of these are not run.

    Args:
        race: The race.
        plans: Plan by car, where a variant has none.
        variants: Plans of some cars, by variant.
        laps: Lap of each variant, from 1.
        scenario: Neutralisations and weather; both drawn when None.
        runs: Number of simulations of each variant, N.
        seed: Seed, not negative.

    Returns:
        By variant: time at the line since the start, (N, cars) [s]; NaN for a car that is out.

    Raises:
        IllegalPlan: A plan breaks a rule.
        BadRace: A plan is missing, or the scenario does not fit the race.
    """
    found: list[list[Floats]] = [[] for _ in variants]
    for block, places in _blocks(race, plans, variants, scenario, runs, seed):
        wanted = {laps[v] for v, _ in places}
        for lap in range(1, max(wanted) + 1):
            block.run_lap(lap - 1)
            if lap in wanted:
                times = np.where(block.time < RETIRED_S, block.time + race.lap_time_s * lap, np.nan)
                for v, at in places:
                    if laps[v] == lap:
                        found[v].append(times[:, at].T)
    return [np.concatenate(held) for held in found]


def _blocks(
    race: Race,
    plans: Mapping[str, Plan],
    variants: Sequence[Mapping[str, Plan]],
    scenario: Scenario | None,
    runs: int,
    seed: int,
) -> Iterator[tuple[Block, list[tuple[int, slice]]]]:
    """Blocks that are ready to run, and which variants have which columns of them."""
    if runs < 1:
        raise BadRace("A run needs at least one simulation.")
    scenario = scenario or Scenario()
    ordered = [checked(race, {**plans, **variant}, scenario) for variant in variants]
    for number, first in enumerate(range(0, runs, BLOCK)):
        n = min(BLOCK, runs - first)
        draws = deal(race, seed, number, n)
        met = conditions(race, scenario, seed, number, draws)
        for some in _batches(len(variants), max(1, BLOCK // n)):
            block = _block(race, [ordered[v] for v in some], met, draws, scenario)
            yield block, [(v, slice(i * n, (i + 1) * n)) for i, v in enumerate(some)]


def _batches(many: int, size: int) -> Iterator[range]:
    # Batches of equal size: a last one of a single variant would pay the whole lap loop.
    count = -(-many // size)
    edges = [round(many * k / count) for k in range(count + 1)] if count else []
    for k in range(count):
        yield range(edges[k], edges[k + 1])


def _block(
    race: Race, plans: list[tuple[Plan, ...]], met: Conditions, draws: Draws, scenario: Scenario
) -> Block:
    many, n = len(plans), draws.form.shape[1]
    tiled = replace(draws, **{one.name: _tiled(getattr(draws, one.name), many) for one in fields(draws)})
    weather = None if met.weather_loss is None else _tiled(met.weather_loss, many)
    block = Block(race, plans[0], Conditions(_tiled(met.status, many), weather), tiled, scenario, False)
    for c in range(len(race.cars)):
        by_plan: dict[Plan, NDArray[np.bool_]] = {}
        for i, ordered in enumerate(plans):
            where = by_plan.setdefault(ordered[c], np.zeros(many * n, bool))
            where[i * n : (i + 1) * n] = True
        if len(by_plan) == 1:
            continue
        for plan, where in by_plan.items():
            block.sets.fit(c, where, plan.start, plan.start_used_laps, is_warm=True)
        block.pit_wall.vary(c, list(by_plan.items()))
    return block


def _tiled(values: NDArray[Any], many: int) -> NDArray[Any]:
    return np.tile(values, many)


def _outcome(race: Race, parts: list[tuple[Block, slice]]) -> Outcome:
    time = np.concatenate([block.finish[:, at] for block, at in parts], axis=1).T.astype(float)
    time += race.lap_time_s * race.laps
    laps = np.concatenate([block.completed[:, at] for block, at in parts], axis=1).T
    time[laps < race.laps] = np.nan
    position = np.concatenate([block.place[:, at] for block, at in parts], axis=1).T
    return Outcome(tuple(car.name for car in race.cars), position, time, laps)
