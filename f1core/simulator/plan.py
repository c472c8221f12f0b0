"""The tyre plan of a car, and whether the rules allow it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from f1core.simulator.rules import COMPOUNDS, DRY_COMPOUNDS, RaceRules
from warehouse.errors import ParcFermeError


@dataclass(frozen=True)
class Stop:
    """One pit stop.

    Attributes:
        lap: The in-lap: the car comes in at its end.
        compound: Compound that is fitted.
        used_laps: Age of the set when it is fitted [laps].
    """

    lap: int
    compound: str
    used_laps: int = 0


@dataclass(frozen=True)
class Plan:
    """Start tyre and stops of a car.

    Attributes:
        start: Compound at the start.
        stops: The stops, by lap.
        start_used_laps: Age of the first set [laps].
    """

    start: str
    stops: tuple[Stop, ...] = ()
    start_used_laps: int = 0

    @property
    def compounds(self) -> tuple[str, ...]:
        """Compounds of the stints, in order."""
        return (self.start, *(stop.compound for stop in self.stops))


@dataclass(frozen=True)
class Stint:
    """Laps on one set.

    Attributes:
        compound: Compound.
        first_lap: First lap on it.
        last_lap: Last lap on it.
        used_laps: Age of the set when it was fitted [laps].
    """

    compound: str
    first_lap: int
    last_lap: int
    used_laps: int

    @property
    def laps(self) -> int:
        """Laps of this stint, without the laps the set had before."""
        return self.last_lap - self.first_lap + 1


@dataclass(frozen=True)
class Violation:
    """A rule that a plan breaks.

    Attributes:
        rule: Name of the rule.
        message: What is wrong.
    """

    rule: str
    message: str


class IllegalPlan(ParcFermeError):
    """A plan that the rules do not allow.

    Attributes:
        car: Car whose plan it is.
        violations: Everything that is wrong with it.
    """

    exit_code = 2

    def __init__(self, car: str, violations: tuple[Violation, ...]) -> None:
        self.car = car
        self.violations = violations
        super().__init__(
            f"The plan of {car} is not allowed: "
            + " ".join(f"{v.message} (rule: {v.rule})" for v in violations)
        )


def stints(plan: Plan, laps: int) -> tuple[Stint, ...]:
    """The stints of a plan over a race distance."""
    firsts = [1, *(stop.lap + 1 for stop in plan.stops)]
    lasts = [*(stop.lap for stop in plan.stops), laps]
    used = [plan.start_used_laps, *(stop.used_laps for stop in plan.stops)]
    return tuple(Stint(*row) for row in zip(plan.compounds, firsts, lasts, used, strict=True))


def violations(plan: Plan, laps: int, rules: RaceRules | None) -> tuple[Violation, ...]:
    """Every rule that a plan breaks; empty when it is allowed.

    Args:
        plan: The plan.
        laps: Race distance [laps].
        rules: Sporting rules; None checks only that the plan makes sense.
    """
    nonsense = tuple(_nonsense(plan, laps))
    if nonsense or rules is None:
        return nonsense
    return tuple(_broken(plan, laps, rules))


def check(car: str, plan: Plan, laps: int, rules: RaceRules | None) -> None:
    """Refuse a plan that the rules do not allow.

    Raises:
        IllegalPlan: Names the car, every broken rule and why.
    """
    if found := violations(plan, laps, rules):
        raise IllegalPlan(car, found)


def _nonsense(plan: Plan, laps: int) -> Iterator[Violation]:
    for compound in plan.compounds:
        if compound not in COMPOUNDS:
            yield Violation("known compound", f"{compound!r} is none of {', '.join(COMPOUNDS)}.")
    for stop in plan.stops:
        if not 1 <= stop.lap < laps:
            yield Violation("stop within the race", f"Lap {stop.lap} is not between 1 and {laps - 1}.")
    planned = [stop.lap for stop in plan.stops]
    if any(after <= before for before, after in pairwise(planned)):
        yield Violation("one stop after the other", f"The stops on laps {planned} are not in order.")
    if min(plan.start_used_laps, *(stop.used_laps for stop in plan.stops), 0) < 0:
        yield Violation("age of a set", "A set cannot be younger than new.")


def _broken(plan: Plan, laps: int, rules: RaceRules) -> Iterator[Violation]:
    dry = set(plan.compounds) & set(DRY_COMPOUNDS)
    if rules.is_dry and len(dry) < rules.dry_compounds:
        yield Violation(
            "two dry compounds", f"{len(dry)} dry compounds are used, a dry race needs {rules.dry_compounds}."
        )
    if len(plan.stops) < rules.min_stops:
        yield Violation("minimum stops", f"{len(plan.stops)} stops, this race needs {rules.min_stops}.")
    if len(plan.stops) > rules.max_stops:
        yield Violation("maximum stops", f"{len(plan.stops)} stops, a plan may hold {rules.max_stops}.")
    for stint in stints(plan, laps):
        life = rules.set_life.get(stint.compound)
        if life is not None and stint.used_laps + stint.laps > life:
            age = stint.used_laps + stint.laps
            yield Violation("set life", f"The {stint.compound} set would run {age} laps, {life} are allowed.")
