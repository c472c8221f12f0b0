"""What teams are expected to do: the free-air optimum, corrected by what they usually do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from f1core.simulator.rules import DRY_COMPOUNDS, RaceRules
from f1core.strategy import race_parts
from f1core.strategy.free_air import Candidate, StintCosts, mean_stop_s, search, stint_costs
from f1core.strategy.habits import HABITS, Habits
from warehouse.queries.events import session_starts
from warehouse.queries.strategy_calls import past_calls
from warehouse.reader import Reader
from warehouse.stages import cutoff
from warehouse.vocab import Stage

if TYPE_CHECKING:
    from f1core.strategy.setup import RaceSetup

MOST_COUNTED = 3
"""More stops than this are counted as this many: they are accidents and showers."""
UNKNOWN_STOPS = 1.5
"""Usual number of stops before any race is known."""
START_WEIGHT = 3
"""Races that the usual first stop of the settings counts for."""


@dataclass(frozen=True)
class Usual:
    """What was usual before a race.

    Attributes:
        stops: Stops of a car, mean of earlier dry races on the circuit, drawn to the latest ones everywhere.
        first_share: First stop on the circuit [share of the distance]; None for a new circuit.
        lately: First stop on all circuits by number of stops, latest races [share of the distance].
        races: Earlier dry races on the circuit.
    """

    stops: float
    first_share: float | None
    lately: Mapping[int, float]
    races: int


@dataclass(frozen=True)
class TeamCall:
    """The expected call.

    Attributes:
        stops: Number of stops.
        first_lap: First stop [lap].
        free_air_stops: Number of stops of the free-air optimum.
        free_air_first_lap: First stop of the free-air optimum with ``stops`` stops [lap].
        loss_s: Score of the best plan with each number of stops against the best of all, habits included [s].
        five: Five different plans, best score first, at most three with the same number of stops.
    """

    stops: int
    first_lap: float
    free_air_stops: int
    free_air_first_lap: int
    loss_s: dict[int, float]
    five: tuple[Candidate, ...]


def usual(past: pl.DataFrame, circuit_id: str, habits: Habits = HABITS) -> Usual:
    """What was usual before a race.

    Args:
        past: Races known before, as :func:`warehouse.queries.strategy_calls.past_calls`, in order of time.
        circuit_id: The circuit.
        habits: Weights.
    """
    if past.is_empty():
        return Usual(UNKNOWN_STOPS, None, habits.usual_first, 0)
    capped = past.with_columns(pl.col("mean_stops").clip(upper_bound=MOST_COUNTED))
    pool = float(np.mean(capped["mean_stops"].to_numpy()[-habits.pool_races :]))
    here = capped.filter(pl.col("circuit_id") == circuit_id)
    weights = habits.history_decay ** np.arange(here.height - 1, -1, -1)
    total = float(weights @ here["mean_stops"].to_numpy()) + habits.pool_weight * pool
    shares = (here["first_lap"] / here["laps"]).to_numpy()
    told = ~np.isnan(shares)
    first = float(np.average(shares[told], weights=weights[told])) if told.any() else None
    lately = {n: _lately(past, n, share, habits) for n, share in habits.usual_first.items()}
    return Usual(total / (float(weights.sum()) + habits.pool_weight), first, lately, here.height)


def _lately(past: pl.DataFrame, stops: int, start: float, habits: Habits) -> float:
    same = past.filter(pl.col("stops").clip(1, MOST_COUNTED) == stops, pl.col("first_lap").is_not_null())
    shares = (same["first_lap"] / same["laps"]).to_numpy()[-habits.first_races :]
    if not len(shares):
        return start
    return float((np.median(shares) * len(shares) + start * START_WEIGHT) / (len(shares) + START_WEIGHT))


def team_call(
    costs: StintCosts, rules: RaceRules, past: pl.DataFrame, circuit_id: str, habits: Habits = HABITS
) -> TeamCall:
    """The call that teams are expected to make.

    Args:
        costs: Costs in free air, wear inflated by ``habits``.
        rules: Sporting rules.
        past: Races known before, as for :func:`usual`.
        circuit_id: The circuit.
        habits: The setting.
    """
    was = usual(past, circuit_id, habits)
    found = search(costs, rules, tolerance_s=None)
    pull = {n: habits.history_s * (n - was.stops) ** 2 for n in {len(one.plan.stops) for one in found}}
    ranked = sorted(found, key=lambda one: one.time_s + pull[len(one.plan.stops)])
    scores = {n: _best(found, n).time_s + pull[n] for n in sorted(pull)}
    stops = min(scores, key=lambda n: scores[n])
    best = _best(found, stops)
    # Hardly anybody starts on the hardest compound, although free air does not care for the order.
    starts_soft = [one for one in found if len(one.plan.stops) == stops and one.plan.start != "HARD"]
    model = min(starts_soft, key=lambda one: one.time_s, default=best)
    first = model.plan.stops[0].lap if model.plan.stops else costs.laps
    return TeamCall(
        stops=stops,
        first_lap=expected_first_lap(first, stops, costs.laps, was, habits),
        free_air_stops=len(found[0].plan.stops),
        free_air_first_lap=first,
        loss_s={n: score - scores[stops] for n, score in scores.items()},
        five=tuple(different(ranked)),
    )


def different(ranked: Sequence[Candidate], many: int = 5, most_alike: int = 3) -> list[Candidate]:
    """The first plans of a ranking, not too many with one number of stops."""
    kept: list[Candidate] = []
    for one in ranked:
        if sum(len(other.plan.stops) == len(one.plan.stops) for other in kept) < most_alike:
            kept.append(one)
    kept += [one for one in ranked if one not in kept][: max(many - len(kept), 0)]
    return kept[:many]


def _best(found: Sequence[Candidate], stops: int) -> Candidate:
    return min((one for one in found if len(one.plan.stops) == stops), key=lambda one: one.time_s)


def expected_first_lap(model: int, stops: int, laps: int, was: Usual, habits: Habits) -> float:
    """First stop that teams are expected to make [lap].

    Args:
        model: First stop of the free-air optimum [lap].
        stops: Number of stops.
        laps: Race distance [laps].
        was: What was usual.
        habits: Weights.
    """
    habit = was.lately[min(max(stops, 1), MOST_COUNTED)] * laps
    here = habit if was.first_share is None else was.first_share * laps
    rest = 1 - habits.model_weight - habits.circuit_weight
    blend = habits.model_weight * model + habits.circuit_weight * here + rest * habit
    return max(blend + habits.shift_laps, 1.0)


def expected_call(reader: Reader, setup: RaceSetup, habits: Habits = HABITS) -> TeamCall:
    """The call that teams were, or are, expected to make in a race, from what was known 30 minutes before its start.

    Args:
        reader: The warehouse.
        setup: The race; its parameters are used as they are.
        habits: The setting.

    Raises:
        NotReady: The calendar has no session times for the event.
    """
    before = cutoff(setup.event_id, session_starts(reader, setup.event_id), Stage.PRE_RACE)
    race = setup.race
    # The parameters of the circuit, not the race's own tyres: with hindsight these were fitted on the race.
    tyres = race_parts.tyres(setup.parameters)
    costs = stint_costs(
        {name: tyres[name] for name in DRY_COMPOUNDS},
        race.laps,
        mean_stop_s(race.pit_lane),
        wear_factor=habits.wear_factor,
        cliff=habits.cliff,
    )
    rules = replace(setup.rules, is_dry=True)
    return team_call(costs, rules, past_calls(reader, before), setup.circuit_id, habits)
