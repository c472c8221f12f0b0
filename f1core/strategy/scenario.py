"""A scenario made into a race: who runs which plan in which conditions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from f1core.simulator.draws import stream
from f1core.simulator.parameters import Car, Race, SafetyCarPolicy, Scenario, Weather
from f1core.simulator.plan import IllegalPlan, Plan, Violation, violations
from f1core.simulator.rules import COMPOUNDS, DRY_COMPOUNDS, RaceRules
from f1core.strategy.edits import BadEdit, Edit, SafetyCars, WeatherScenario, WhatIf
from f1core.strategy.free_air import race_costs, search

if TYPE_CHECKING:
    from f1core.strategy.setup import RaceSetup

WET_COMPOUNDS = COMPOUNDS[3:]
SHOWER_FROM, SHOWER_TO = 0.35, 0.65
"""The shower of a mixed race begins within this span of the distance."""
SHOWER_LAPS = (6, 14)
"""Least and most laps of rain in it."""


def apply(setup: RaceSetup, what_if: WhatIf) -> tuple[Race, dict[str, Plan], Scenario]:
    """The race, the plans and the scenario of a what-if; those of the setup itself when nothing is changed.

    Args:
        setup: The race as it was, or as it is expected.
        what_if: What is changed.

    Raises:
        BadEdit: A car is unknown or two cars want one grid slot, or the weather cannot be simulated.
        IllegalPlan: The plan of a changed car breaks a rule; names it.
    """
    if not what_if.edits and not what_if.changes_conditions:
        return setup.race, dict(setup.plans), setup.scenario
    scenario, plans = _conditions(setup, what_if), base_plans(setup, what_if.weather)
    known = {car.name: car for car in setup.race.cars}
    rules = sporting_rules(setup, what_if.weather)
    for edit in what_if.edits:
        if edit.driver_id not in known:
            raise BadEdit(
                "cars", f"{edit.driver_id} does not race here.", hint=f"Cars: {', '.join(sorted(known))}."
            )
        plans[edit.driver_id] = edit.plan(plans[edit.driver_id])
        if found := _broken(edit, known[edit.driver_id], plans[edit.driver_id], setup.race.laps, rules):
            raise IllegalPlan(edit.driver_id, found)
    weather, wetness = _weather(setup, what_if, plans, scenario)
    scenario = replace(scenario, wetness=wetness)
    # Changed plans were checked above; real plans may break rules (a car that was disqualified, or gave up).
    race = replace(setup.race, cars=_cars(setup.race.cars, what_if.edits), rules=None, weather=weather)
    return race, plans, scenario


def _weather(
    setup: RaceSetup, what_if: WhatIf, plans: Mapping[str, Plan], scenario: Scenario
) -> tuple[Weather | None, tuple[float, ...] | None]:
    """Wet pace and wetness of a race: a dry one needs both where somebody is sent out on rain tyres."""
    if what_if.weather == WeatherScenario.REAL:
        rain_tyres = any(set(plan.compounds) & set(WET_COMPOUNDS) for plan in plans.values())
        if setup.race.weather is not None or not rain_tyres:
            return setup.race.weather, scenario.wetness
        dry = scenario.wetness or (0.0,) * setup.race.laps
    elif what_if.weather == WeatherScenario.DRY and scenario.wetness is not None:
        dry = scenario.wetness
    else:
        return setup.weather, scenario.wetness
    # Nothing falls from the sky: nobody changes the tyres that he was given for the weather.
    return replace(setup.weather, change_margin_s=float("inf")), dry


def legality(setup: RaceSetup, what_if: WhatIf) -> dict[str, tuple[Violation, ...]]:
    """Every rule that the plan of a changed car breaks, by car; empty when the scenario can run."""
    plans, rules = base_plans(setup, what_if.weather), sporting_rules(setup, what_if.weather)
    cars = {car.name: car for car in setup.race.cars}
    found = {
        edit.driver_id: _broken(
            edit, cars[edit.driver_id], edit.plan(plans[edit.driver_id]), setup.race.laps, rules
        )
        for edit in what_if.edits
        if edit.driver_id in cars
    }
    return {driver: broken for driver, broken in found.items() if broken}


def sporting_rules(setup: RaceSetup, weather: WeatherScenario = WeatherScenario.REAL) -> RaceRules:
    """Rules that a changed plan must keep to in this weather."""
    is_dry = {WeatherScenario.REAL: not setup.is_wet, WeatherScenario.DRY: True}.get(weather, False)
    return replace(setup.rules, is_dry=is_dry)


def base_plans(setup: RaceSetup, weather: WeatherScenario) -> dict[str, Plan]:
    """Plans of unchanged cars: their own; where these are for other weather, the quickest one in free air."""
    if weather == WeatherScenario.REAL:
        return dict(setup.plans)
    rules = sporting_rules(setup, weather)
    # A mixed race starts dry: nobody plans for the shower, cars react to it.
    usual = WET_COMPOUNDS[:1] if weather == WeatherScenario.WET else DRY_COMPOUNDS
    if weather == WeatherScenario.MIXED:
        rules = replace(rules, is_dry=True)
    plans = {}
    for car in setup.race.cars:
        own = setup.plans[car.name]
        fits = not set(own.compounds) - set(usual)
        plans[car.name] = own if fits else _quickest(setup.race, car, rules, usual)
    return plans


def _quickest(race: Race, car: Car, rules: RaceRules, compounds: tuple[str, ...]) -> Plan:
    there = [compound for compound in compounds if compound in race.tyres]
    found = search(race_costs(race, car), rules, compounds=there, keep=1) if there else []
    if not found:
        raise BadEdit(
            "weather",
            f"The race has no parameters for {', '.join(compounds)}.",
            hint="Leave the weather as it is.",
        )
    return found[0].plan


def _conditions(setup: RaceSetup, what_if: WhatIf) -> Scenario:
    scenario, race = setup.scenario, setup.race
    if what_if.safety_cars != SafetyCars.REAL:
        phases = () if what_if.safety_cars == SafetyCars.NONE else None
        # Neutralisations that did not happen may be red flags, under which everybody changes tyres, and real stops were
        # made for the real safety cars: planned stops are brought forward under the drawn ones.
        reacts = scenario.reacts or not setup.is_wet
        policy = SafetyCarPolicy(set_life=setup.rules.set_life) if phases is None else None
        scenario = replace(scenario, phases=phases, reacts=reacts, safety_car_policy=policy)
    if what_if.weather == WeatherScenario.REAL:
        return scenario
    if what_if.weather == WeatherScenario.DRY:
        return replace(scenario, wetness=(0.0,) * race.laps)
    if what_if.weather == WeatherScenario.WET:
        return replace(scenario, wetness=(intermediate_wetness(setup.weather),) * race.laps, reacts=True)
    return replace(scenario, wetness=shower(setup.weather, race.laps, what_if.seed), reacts=True)


def condition_notes(setup: RaceSetup, what_if: WhatIf) -> list[str]:
    """What else changes when the neutralisations are not those of the setup, in plain words."""
    if what_if.safety_cars == SafetyCars.REAL:
        return []
    if what_if.safety_cars == SafetyCars.NONE:
        if not setup.is_past:
            return []
        return [
            "Without safety cars the cars still stop where their plans say: real stops may have been made for one."
        ]
    policy = SafetyCarPolicy()
    drawn = (
        f"Safety cars are drawn: a stop planned within {policy.most_laps} laps is then made under one, by every car, where "
        f"that saves more than {policy.margin_s:g} s and the set has run {policy.least_laps} laps. These limits are assumed."
    )
    reacts = setup.scenario.reacts or not setup.is_wet or what_if.weather in REACTING
    return [drawn, "Under a red flag every car takes its next planned set."] if reacts else [drawn]


REACTING = (WeatherScenario.WET, WeatherScenario.MIXED)
"""Weather in which cars change tyres on their own."""


def intermediate_wetness(weather: Weather) -> float:
    """Wetness at which intermediates gain most on the next best tyre: a wet race that is theirs."""
    at = np.linspace(weather.wetness[0], weather.wetness[-1], 201)
    slick, intermediate, wet = (
        np.interp(at, weather.wetness, curve) for curve in (weather.slick, weather.intermediate, weather.wet)
    )
    return float(at[np.argmax(np.minimum(slick, wet) - intermediate)])


def shower(weather: Weather, laps: int, seed: int) -> tuple[float, ...]:
    """Wetness of every lap of a race with one shower in its middle; lap, length and strength come from the seed.

    It peaks between the crossover and the wetness of a wet race, so that intermediates are needed and full wets are not.
    """
    rng = stream(seed, 0, "\0shower")
    first = round(laps * rng.uniform(SHOWER_FROM, SHOWER_TO))
    rain = int(rng.integers(SHOWER_LAPS[0], SHOWER_LAPS[1] + 1))
    crossover = weather.crossover()
    most = intermediate_wetness(weather)
    peak = rng.uniform(crossover if crossover is not None else most / 2, most) * 0.5 + 0.5 * most
    wetting = weather.wetting or most / 2
    drying = weather.drying or most / 10
    now, wetness = 0.0, []
    for lap in range(laps):
        is_raining = first <= lap < first + rain
        now = min(now + wetting, peak) if is_raining else max(now - drying, 0.0)
        wetness.append(round(now, 6))
    return tuple(wetness)


def _broken(edit: Edit, car: Car, plan: Plan, laps: int, rules: RaceRules) -> tuple[Violation, ...]:
    is_retired = car.retires_on_lap is not None and not edit.finishes
    touches_tyres = edit.start is not None or edit.stops is not None
    # The plan of a car that is known to retire stays unfinished; a real plan was driven, whatever the rules say.
    return violations(plan, laps, rules if touches_tyres and not is_retired else None)


def _cars(cars: tuple[Car, ...], edits: tuple[Edit, ...]) -> tuple[Car, ...]:
    slots = _slots(cars, {edit.driver_id: edit.grid for edit in edits if edit.grid is not None})
    by_driver = {edit.driver_id: edit for edit in edits}
    changed = []
    for car in cars:
        now = replace(car, grid=slots[car.name])
        if edit := by_driver.get(car.name):
            now = replace(
                now,
                pace_s=car.pace_s + edit.pace_change_s,
                retires_on_lap=None if edit.finishes else car.retires_on_lap,
                start_delay_s=car.start_delay_s if edit.grid is None else 0.0,
            )
        changed.append(now)
    return tuple(changed)


def _slots(cars: tuple[Car, ...], wanted: Mapping[str, int]) -> dict[str, int]:
    """Grid slot by car: the wanted ones, the other cars keep their order in the slots that are left."""
    if not wanted:
        return {car.name: car.grid for car in cars}
    slots = sorted(car.grid for car in cars)
    taken: dict[int, str] = {}
    for name in sorted(wanted):
        if not 1 <= wanted[name] <= len(slots):
            raise BadEdit(
                f"cars.{name}.grid", f"There is no grid slot {wanted[name]}; {len(slots)} cars start."
            )
        slot = slots[wanted[name] - 1]
        if slot in taken:
            raise BadEdit(f"cars.{name}.grid", f"{taken[slot]} already stands on grid slot {wanted[name]}.")
        taken[slot] = name
    others = sorted((car for car in cars if car.name not in wanted), key=lambda car: car.grid)
    left = [slot for slot in slots if slot not in taken]
    return {
        **{name: slot for slot, name in taken.items()},
        **{c.name: s for c, s in zip(others, left, strict=True)},
    }
