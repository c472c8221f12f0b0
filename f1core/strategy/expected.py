"""The next race as it is expected: its field, its grid and what the cars usually do there."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

import polars as pl

from f1core.simulator.plan import Plan, Stop, violations
from f1core.simulator.rules import DRY_COMPOUNDS, RaceRules
from f1core.strategy.real_plans import usual_plan
from warehouse.errors import NotReady
from warehouse.queries import strategy_setup as reads
from warehouse.queries.strategy_setup import strategy_history
from warehouse.reader import Reader

STAGGER_LAPS = (-2, 1, -1, 2, 0)
"""Cars of a field do not all stop on the same lap: by grid slot, around the usual one [laps]."""
RACES_BACK = 2
"""Races of the circuit that the usual plan is taken from: cars and tyres change."""


@dataclass(frozen=True)
class ExpectedField:
    """Who is expected to start, and where.

    Attributes:
        drivers: As ``warehouse.queries.strategy_setup.starters``, without what is not known yet.
        notes: Where the grid comes from.
    """

    drivers: pl.DataFrame
    notes: tuple[str, ...]


@dataclass(frozen=True)
class ExpectedPlans:
    """What the cars are expected to do.

    Attributes:
        plans: Plan by driver.
        notes: Where they come from.
    """

    plans: dict[str, Plan]
    notes: tuple[str, ...]


def expected_field(reader: Reader, event_id: str, as_of: dt.datetime) -> ExpectedField:
    """The field of a race to come, by the best evidence: grid, qualifying, forecast, the last race.

    Raises:
        NotReady: Nobody is known to start.
    """
    names = {
        "grid": "The grid is the official one.",
        "qualifying": "The grid is the order of qualifying; penalties are not known yet.",
        "forecast_qualifying": "The grid is the forecast order of qualifying.",
        "forecast_race": "The grid is the forecast order of the race.",
        "last_race": "The grid is the order in which the last race was started: nothing newer is known.",
    }
    rows = reads.expected_starters(reader, event_id, as_of)
    for source, note in names.items():
        found = rows.filter(pl.col("source") == source)
        if found.height >= 2:
            drivers = found.drop("source").with_columns(
                actual_position=pl.lit(None, pl.Int32),
                is_classified=pl.lit(None, pl.Boolean),
                laps=pl.lit(None, pl.Int32),
            )
            return ExpectedField(drivers, (note,))
    raise NotReady(f"No field is known for {event_id} yet.", hint="Run `python -m jobs build` first.")


def expected_plans(
    reader: Reader,
    circuit_id: str,
    drivers: pl.DataFrame,
    race_laps: int,
    rules: RaceRules,
    as_of: dt.datetime,
) -> ExpectedPlans:
    """The field's usual plan on a circuit, each car a lap or two beside it so that team mates do not queue."""
    past = strategy_history(reader, circuit_id, as_of, RACES_BACK)
    recent = past["event_id"].unique(maintain_order=True).to_list()
    plans = []
    for (_, _), stints in past.group_by(["event_id", "driver_id"], maintain_order=True):
        scale = race_laps / max(int(stints["laps_completed"][0]), 1)
        compounds = [str(name).upper() for name in stints["compound"]]
        ends = [max(1, round(int(lap) * scale)) for lap in stints["last_lap"][:-1]]
        if all(name in DRY_COMPOUNDS for name in compounds) and all(b > a for a, b in pairwise(ends)):
            plans.append(
                Plan(
                    compounds[0],
                    tuple(Stop(lap, name) for lap, name in zip(ends, compounds[1:], strict=True)),
                )
            )
    if plans:
        many = Counter(len(plan.stops) for plan in plans).most_common(1)[0][0]
        base = usual_plan([plan for plan in plans if len(plan.stops) == many], race_laps)
        note = (
            f"Everybody follows the usual plan of the last {len(recent)} dry races here, a lap or two apart."
        )
    else:
        base = Plan("MEDIUM", (Stop(max(round(0.42 * race_laps), 1), "HARD"),))
        note = "No dry race on this circuit is known: everybody stops once, from medium to hard."
    if violations(base, race_laps, rules):
        base = legal_plan(base, race_laps, rules)
        note += " It was changed to keep this race's rules."
    found = {}
    for slot, driver in enumerate(drivers.sort("grid", "driver_id")["driver_id"].to_list()):
        shifted = _shifted(base, STAGGER_LAPS[slot % len(STAGGER_LAPS)], race_laps)
        found[driver] = base if violations(shifted, race_laps, rules) else shifted
    return ExpectedPlans(found, (note,))


def legal_plan(plan: Plan, race_laps: int, rules: RaceRules) -> Plan:
    """A plan of equal stints that keeps the rules, with the compounds of another one as far as they go."""
    life = min((rules.set_life.get(name, race_laps) for name in DRY_COMPOUNDS), default=race_laps)
    stops = max(rules.min_stops, len(plan.stops), -(-race_laps // life) - 1, 1)
    compounds = list(plan.compounds)[: stops + 1]
    while len(compounds) < stops + 1:
        compounds.append("HARD" if compounds[-1] != "HARD" else "MEDIUM")
    if len(set(compounds)) < rules.dry_compounds:
        compounds[-1] = "MEDIUM" if compounds[0] == "HARD" else "HARD"
    laps = [round(race_laps * (k + 1) / (stops + 1)) for k in range(stops)]
    return Plan(compounds[0], tuple(Stop(lap, name) for lap, name in zip(laps, compounds[1:], strict=True)))


def _shifted(plan: Plan, by: int, race_laps: int) -> Plan:
    stops, last = [], 0
    for stop in plan.stops:
        last = min(max(stop.lap + by, last + 1), race_laps - 1)
        stops.append(Stop(last, stop.compound, stop.used_laps))
    return Plan(plan.start, tuple(stops), plan.start_used_laps)
