"""The best strategies of a driver: a free-air search proposes, the full field disposes.

Every legal sequence of compounds gets its best laps in free air (exactly, in milliseconds). The quickest of them, stopped at
their own laps, a few laps earlier and under a known safety car, are run in the full field under common random numbers:
many with few simulations, the best of these with more. Only the driver's plan changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from f1core.simulator.parameters import Race, Scenario, TrackStatus
from f1core.simulator.plan import Plan, Stop, violations
from f1core.simulator.result import Change, Outcome, change
from f1core.simulator.rules import DRY_COMPOUNDS, RaceRules
from f1core.simulator.variants import simulate_variants
from f1core.strategy.edits import BadEdit, WeatherScenario, WhatIf, plan_text
from f1core.strategy.free_air import Candidate, StintCosts, plan_time, race_costs, search
from f1core.strategy.habits import HABITS, Habits, with_true_wear
from f1core.strategy.scenario import WET_COMPOUNDS, apply, condition_notes, sporting_rules
from f1core.strategy.whatif import Expected, expected

if TYPE_CHECKING:
    from f1core.strategy.setup import RaceSetup

TOP = 5
SEQUENCES = 12
"""Sequences of compounds that the free-air search hands on."""
OF_EACH = 3
"""Of each number of stops at least so many: free air does not know what track position is worth."""
EARLIER_LAPS = (0, 4)
"""How much earlier than in free air a plan's stops are tried: teams cover the undercut [laps]."""
SAFETY_CAR_LAPS = 8
"""A stop this close to a known neutralisation is also tried under it [laps]."""
NEW_SETS = (
    "Every plan that is compared gets new sets, also the one that was driven, and as many of a compound as it likes: which "
    "sets a car had left is not known."
)
FIRST_RUNS = 60
"""Simulations of the first round."""
SECOND_ROUND = 12
"""Plans in the second round."""
MOST_ALIKE = 3
"""Of the five, at most so many have the same number of stops: what a user wants to see is the alternative."""


@dataclass(frozen=True)
class Ranked:
    """One strategy.

    Attributes:
        rank: 1 is the best; 0 for the driver's own plan.
        plan: The plan.
        text: The plan as in an address, e.g. ``M-20H``.
        expected: Expected result in the full field.
        to_best: What it gains against the best of the ranking (negative: loses), same draws; ties are called ties.
        free_air_s: Its time in free air against the quickest plan found there [s]; None where free air says nothing (rain).
        windows: First and last lap of every stop that stay within 2 s in free air.
    """

    rank: int
    plan: Plan
    text: str
    expected: Expected
    to_best: Change
    free_air_s: float | None
    windows: tuple[tuple[int, int], ...]

    @property
    def stops(self) -> int:
        """Number of stops."""
        return len(self.plan.stops)

    @property
    def is_tie(self) -> bool:
        """Whether it cannot be told from the best."""
        return self.to_best.is_tie


@dataclass(frozen=True)
class Ranking:
    """The best strategies of a driver.

    Attributes:
        event_id: The race.
        driver_id: The driver.
        what_if: The scenario they were compared in.
        top: Different strategies (number of stops and sequence of compounds), best first.
        own: The driver's own plan on new sets, compared in the same way; None when it breaks a rule.
        runs: Simulations of each.
        candidates: Plans that were run in the full field.
        notes: What is assumed, plain words.
    """

    event_id: str
    driver_id: str
    what_if: WhatIf
    top: tuple[Ranked, ...]
    own: Ranked | None
    runs: int
    candidates: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Field:
    """A race ready for comparing plans of one driver."""

    race: Race
    plans: dict[str, Plan]
    scenario: Scenario
    rules: RaceRules
    costs: StintCosts
    compounds: tuple[str, ...]


def optimise(
    setup: RaceSetup,
    driver: str,
    what_if: WhatIf | None = None,
    *,
    runs: int = 300,
    seed: int = 1,
    habits: Habits = HABITS,
) -> Ranking:
    """The best five different strategies of a driver, ranked by the expected result in the full field.

    Args:
        setup: The race.
        driver: The driver.
        what_if: Scenario; its own seed and number of simulations are not used. The race as it was when None.
        runs: Simulations of each plan in the second round, N.
        seed: Seed of the common random numbers.
        habits: What is modelled of the gap between free air and what teams do.

    Raises:
        BadEdit: The driver does not race here, or the scenario cannot run.
        IllegalPlan: A changed plan of the scenario breaks a rule.
    """
    what_if = replace(what_if or WhatIf(), runs=runs, seed=seed)
    field, notes = prepare(setup, what_if, driver, habits)
    proposed = proposals(field, driver, what_if, setup, habits)
    first = _run(field, driver, proposed, min(FIRST_RUNS, runs), seed)
    order = sorted(range(len(proposed)), key=lambda i: _merit(first[i], driver))
    chosen = [proposed[i] for i in _second_round(proposed, order)]
    own = with_new_sets(field.plans[driver])
    is_legal = not violations(own, field.race.laps, field.rules)
    plans = list(dict.fromkeys([*chosen, own] if is_legal else chosen))
    told = dict(zip(plans, _run(field, driver, plans, runs, seed), strict=True))
    ranked = sorted(chosen, key=lambda plan: _merit(told[plan], driver))
    best = told[ranked[0]]
    quickest = {candidate.plan.compounds: candidate for candidate in _free_air(field)}
    rows = [
        _ranked(rank, plan, told[plan], best, driver, field, quickest)
        for rank, plan in enumerate(_different(ranked), start=1)
    ]
    return Ranking(
        event_id=setup.event_id,
        driver_id=driver,
        what_if=what_if,
        top=tuple(rows),
        own=_ranked(0, own, told[own], best, driver, field, quickest) if is_legal else None,
        runs=runs,
        candidates=len(proposed),
        notes=tuple(notes),
    )


def with_new_sets(plan: Plan) -> Plan:
    """The plan with a new set at the start and at every stop: sets of other ages cannot be held against those of a search.

    A visit to the pits that goes on with the same set stays one.
    """
    stops: list[Stop] = []
    first, was, now, compound = 0, plan.start_used_laps, 0, plan.start
    for stop in plan.stops:
        raced = stop.lap - first
        goes_on = stop.compound == compound and raced > 0 and stop.used_laps == was + raced
        first, was, now = stop.lap, stop.used_laps, now + raced if goes_on else 0
        compound = stop.compound
        stops.append(Stop(stop.lap, compound, now))
    return Plan(plan.start, tuple(stops))


def prepare(
    setup: RaceSetup, what_if: WhatIf, driver: str, habits: Habits = HABITS
) -> tuple[Field, list[str]]:
    """The field in which plans of a driver are compared, and what was assumed for it."""
    if driver not in {car.name for car in setup.race.cars}:
        raise BadEdit("driver", f"{driver} does not race here.")
    race, plans, scenario = apply(setup, what_if)
    race = with_true_wear(replace(race, rules=None), habits)
    notes = [
        f"Wear is {habits.wear_factor:g} times what race laps show: drivers manage their tyres, and laps on worn-out sets "
        "are not driven. Without this, every race is a one-stop race.",
        "Rivals keep their plans: nobody answers.",
        NEW_SETS,
        *condition_notes(setup, what_if),
    ]
    cars = {car.name: car for car in race.cars}
    if cars[driver].retires_on_lap is not None:
        kept = tuple(replace(c, retires_on_lap=None) if c.name == driver else c for c in race.cars)
        race = replace(race, cars=kept)
        notes.append("The driver really retired; here the car runs to the end.")
    if scenario.phases:
        notes.append("The safety cars of the real race are known to every plan: hindsight.")
    is_wet = what_if.weather == WeatherScenario.WET
    wanted = WET_COMPOUNDS[:1] if is_wet else DRY_COMPOUNDS
    return (
        Field(
            race=race,
            plans=plans,
            scenario=scenario,
            rules=sporting_rules(setup, what_if.weather),
            costs=race_costs(race, cars[driver], cliff=habits.cliff),
            compounds=tuple(compound for compound in wanted if compound in race.tyres),
        ),
        notes,
    )


def proposals(
    field: Field, driver: str, what_if: WhatIf, setup: RaceSetup, habits: Habits = HABITS
) -> list[Plan]:
    """Plans worth running in the full field; legal and all different."""
    found: list[Plan] = []
    is_rain_real = setup.is_wet and what_if.weather == WeatherScenario.REAL
    if is_rain_real:
        # Free air on dry tyres says nothing: the plans of the field are the candidates, and shifts of them.
        for plan in dict.fromkeys(field.plans[car.name] for car in field.race.cars):
            found += [_earlier(plan, by, field.race.laps) for by in (0, -2, 2)]
    else:
        for candidate in _free_air(field):
            laps = [_earlier(candidate.plan, by, field.race.laps) for by in EARLIER_LAPS]
            found += [*laps, *_under_safety_cars(candidate.plan, field.scenario)]
    legal = [
        plan
        for plan in dict.fromkeys(found)
        if not violations(plan, field.race.laps, field.rules) and set(plan.compounds) <= set(field.race.tyres)
    ]
    if not legal:
        raise BadEdit("driver", "No plan keeps the rules of this race.")
    return legal


def _free_air(field: Field) -> list[Candidate]:
    # A mixed race starts dry, and a dry plan uses two compounds then as well.
    rules = replace(field.rules, is_dry=field.compounds[0] in DRY_COMPOUNDS)
    return search(field.costs, rules, compounds=field.compounds, keep=SEQUENCES, of_each=OF_EACH)


def _earlier(plan: Plan, by: int, laps: int) -> Plan:
    """The same stops some laps earlier, the later ones by less: the distance to go stays covered."""
    many, last, stops = len(plan.stops), 0, []
    for k, stop in enumerate(plan.stops):
        lap = min(max(stop.lap - round(by * (many - k) / many), last + 1), laps - 1)
        stops.append(Stop(lap, stop.compound, stop.used_laps))
        last = lap
    return Plan(plan.start, tuple(stops), plan.start_used_laps)


def _under_safety_cars(plan: Plan, scenario: Scenario) -> Iterable[Plan]:
    """The plan with a stop moved under each known neutralisation nearby."""
    for phase in scenario.phases or ():
        if phase.status == TrackStatus.RED_FLAG:
            continue
        for k, stop in enumerate(plan.stops):
            if abs(stop.lap - phase.first_lap) <= SAFETY_CAR_LAPS:
                moved = (*plan.stops[:k], Stop(phase.first_lap, stop.compound), *plan.stops[k + 1 :])
                yield replace(plan, stops=moved)


def _run(field: Field, driver: str, plans: Sequence[Plan], runs: int, seed: int) -> list[Outcome]:
    variants = [{driver: plan} for plan in plans]
    return simulate_variants(field.race, field.plans, variants, field.scenario, runs=runs, seed=seed)


def _merit(outcome: Outcome, driver: str) -> tuple[float, float]:
    """Expected position, then expected time: less is better."""
    c = outcome.cars.index(driver)
    times = outcome.time_s[:, c]
    seen = times[~np.isnan(times)]
    return float(outcome.position[:, c].mean()), float(seen.mean()) if len(seen) else 0.0


def _second_round(plans: Sequence[Plan], order: Sequence[int]) -> list[int]:
    """The best plans of the first round: two of each sequence of compounds, and every number of stops has a chance."""
    chosen: list[int] = []
    for i in order:
        alike = [j for j in chosen if plans[j].compounds == plans[i].compounds]
        same = [j for j in chosen if len(plans[j].stops) == len(plans[i].stops)]
        if len(alike) < 2 and len(same) < SECOND_ROUND // 2 + 1:
            chosen.append(i)
        if len(chosen) == SECOND_ROUND:
            break
    return chosen


def _different(ranked: Sequence[Plan]) -> list[Plan]:
    """The best plan of each sequence of compounds, not too many with one number of stops; five when there are five."""
    by_sequence: dict[tuple[str, ...], Plan] = {}
    for plan in ranked:
        by_sequence.setdefault(plan.compounds, plan)
    plans = list(by_sequence.values())
    kept: list[Plan] = []
    for plan in plans:
        if sum(len(other.stops) == len(plan.stops) for other in kept) < MOST_ALIKE:
            kept.append(plan)
    kept += [plan for plan in plans if plan not in kept]
    return sorted(kept[:TOP], key=plans.index)


def _ranked(
    rank: int,
    plan: Plan,
    outcome: Outcome,
    best: Outcome,
    driver: str,
    field: Field,
    quickest: dict[tuple[str, ...], Candidate],
) -> Ranked:
    is_dry = set(plan.compounds) <= set(field.compounds)
    free_air = min((candidate.time_s for candidate in quickest.values()), default=0.0)
    same = quickest.get(plan.compounds)
    return Ranked(
        rank=rank,
        plan=plan,
        text=plan_text(plan),
        expected=expected(outcome, driver),
        to_best=change(best, outcome, driver),
        free_air_s=plan_time(field.costs, plan) - free_air if is_dry else None,
        windows=same.windows if same and is_dry else (),
    )
