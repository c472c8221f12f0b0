"""The race, lap by lap, for many simulations at once.

Inside, arrays are (cars, n): a row is a car, or a slot from the front to the back of the field, over the
simulations of a block.
Times are kept against a clock that runs one reference lap per lap, so float32 resolves them to 0.1 ms.

Not modelled: damage, penalties, fuel saving, team orders, extra stops that a safety car would make worth while.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from f1core.simulator.block import Block
from f1core.simulator.conditions import conditions
from f1core.simulator.draws import BLOCK, deal, no_draws
from f1core.simulator.parameters import BadRace, Race, Scenario
from f1core.simulator.plan import Plan, check
from f1core.simulator.result import History, Outcome
from f1core.simulator.rules import COMPOUNDS


def simulate_once(race: Race, plans: Mapping[str, Plan], scenario: Scenario | None = None) -> Outcome:
    """The deterministic race with its history: no noise, nothing drawn.

    Args:
        race: The race.
        plans: Plan by car.
        scenario: Neutralisations and weather; a green dry race when None.

    Raises:
        IllegalPlan: A plan breaks a rule.
        BadRace: A plan is missing, or the scenario does not fit the race.
    """
    ordered = checked(race, plans, scenario)
    scenario, draws = scenario or Scenario(phases=()), no_draws(race)
    met = conditions(race, scenario, None, 0, draws)
    block = Block(race, ordered, met, draws, scenario, keeps_history=True)
    block.run()
    return _outcome(race, [block], keeps_history=True)


def simulate(
    race: Race,
    plans: Mapping[str, Plan],
    scenario: Scenario | None = None,
    *,
    runs: int,
    seed: int,
    keeps_history: bool = False,
) -> Outcome:
    """Monte Carlo with common random numbers: the same seed meets the same luck, whatever the plans.

    Args:
        race: The race.
        plans: Plan by car.
        scenario: Neutralisations and weather; both drawn when None.
        runs: Number of simulations, N.
        seed: Seed, not negative.
        keeps_history: Whether to keep every lap; about 22 bytes for each car and lap of a simulation.

    Raises:
        IllegalPlan: A plan breaks a rule.
        BadRace: A plan is missing, or the scenario does not fit the race.
    """
    if runs < 1:
        raise BadRace("A run needs at least one simulation.")
    scenario = scenario or Scenario()
    ordered = checked(race, plans, scenario)
    blocks = []
    for number, first in enumerate(range(0, runs, BLOCK)):
        n = min(BLOCK, runs - first)
        draws = deal(race, seed, number, n)
        met = conditions(race, scenario, seed, number, draws)
        block = Block(race, ordered, met, draws, scenario, keeps_history)
        del draws, met
        block.run()
        block.release()
        blocks.append(block)
    return _outcome(race, blocks, keeps_history)


def checked(race: Race, plans: Mapping[str, Plan], scenario: Scenario | None) -> tuple[Plan, ...]:
    """The plans in the order of the cars.

    Raises:
        IllegalPlan: A plan breaks a rule.
        BadRace: A plan is missing, or the scenario does not fit the race.
    """
    if scenario is not None and scenario.reacts and race.weather is not None:
        needed = {*COMPOUNDS[3:], race.weather.slick_after_rain}
        if missing := needed - set(race.tyres):
            raise BadRace(f"Cars that react to rain need parameters for {', '.join(sorted(missing))}.")
    if unknown := set(plans) - {car.name for car in race.cars}:
        raise BadRace(f"There are plans for cars that do not race: {', '.join(sorted(unknown))}.")
    ordered = []
    for car in race.cars:
        if car.name not in plans:
            raise BadRace(f"{car.name} has no plan.", hint="Give every car a plan.")
        plan = plans[car.name]
        # The plan of a car that is known to retire stays unfinished: it cannot break a rule for a whole race.
        check(car.name, plan, race.laps, race.rules if car.retires_on_lap is None else None)
        if missing := set(plan.compounds) - set(race.tyres):
            raise BadRace(f"The race has no parameters for {', '.join(sorted(missing))}.")
        ordered.append(plan)
    return tuple(ordered)


def _outcome(race: Race, blocks: list[Block], keeps_history: bool) -> Outcome:
    clock = race.lap_time_s * np.arange(1, race.laps + 1)
    time = np.concatenate([block.finish for block in blocks], axis=1).T.astype(float) + clock[-1]
    laps = np.concatenate([block.completed for block in blocks], axis=1).T
    time[laps < race.laps] = np.nan
    history = None
    if keeps_history:
        kept = [block.kept() for block in blocks]
        parts = {name: np.concatenate([part[name] for part in kept], axis=-1) for name in kept[0]}
        by_car = {name: np.moveaxis(part, -1, 0) for name, part in parts.items()}
        times = by_car["time_s"].astype(float) + clock[None, :, None]
        history = History(
            time_s=np.where(by_car["is_out"], np.nan, times),
            position=by_car["position"],
            compound=by_car["compound"],
            tyre_age=by_car["tyre_age"],
            stint_laps=by_car["stint_laps"],
            stops=by_car["stops"],
            status=by_car["status"],
            safety_car_s=by_car["safety_car_s"].astype(float) + clock[None, :],
        )
    return Outcome(
        cars=tuple(car.name for car in race.cars),
        position=np.concatenate([block.place for block in blocks], axis=1).T,
        time_s=time,
        laps=laps,
        history=history,
    )
