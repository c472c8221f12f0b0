"""The quickest plans of a car that meets nobody: an exhaustive search over stops and compounds.

Without traffic the time of a plan is a sum over its stints and stops, and fuel costs the same whatever the plan. So the
best laps of every sequence of compounds are found stint by stint, exactly, in milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from f1core.simulator.parameters import Car, PitLane, Race, Tyre
from f1core.simulator.plan import Plan, Stop, violations
from f1core.simulator.rules import DRY_COMPOUNDS, RaceRules

MAX_STOPS = 3

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class StintCosts:
    """What a plan costs in free air.

    Attributes:
        laps: Race distance [laps].
        by_compound: Time of a stint of 0, 1, ... laps on a new set against reference laps, by compound, (laps + 1,) [s].
        stop_s: Cost of one stop, warm-up of the new set left out [s].
        warm_up_s: Warm-up of a set fitted in the race, by compound [s].
    """

    laps: int
    by_compound: Mapping[str, Floats]
    stop_s: float
    warm_up_s: Mapping[str, float]


@dataclass(frozen=True)
class Cliff:
    """What a set loses beyond its linear wear when it runs long.

    Attributes:
        share: Share of the race distance from which on it loses more, by compound.
        loss_s: Rise of the loss with every lap beyond it [s/lap per lap].
    """

    share: Mapping[str, float]
    loss_s: float


@dataclass(frozen=True)
class Candidate:
    """The best plan of one sequence of compounds.

    Attributes:
        plan: The plan.
        time_s: Its time against a race of reference laps without stops [s].
        windows: First and last lap of every stop at which the plan, its other stops moved as needed, stays within the
            tolerance of the best.
    """

    plan: Plan
    time_s: float
    windows: tuple[tuple[int, int], ...]


def plan_time(costs: StintCosts, plan: Plan) -> float:
    """Time of any plan on new sets in free air [s]."""
    edges = [0, *(stop.lap for stop in plan.stops), costs.laps]
    lengths = (b - a for a, b in pairwise(edges))
    time = sum(costs.by_compound[c][n] for c, n in zip(plan.compounds, lengths, strict=True))
    return float(time + sum(costs.stop_s + costs.warm_up_s[stop.compound] for stop in plan.stops))


def search(
    costs: StintCosts,
    rules: RaceRules,
    *,
    compounds: Sequence[str] = DRY_COMPOUNDS,
    max_stops: int = MAX_STOPS,
    tolerance_s: float | None = 2.0,
    keep: int | None = None,
    of_each: int = 0,
) -> list[Candidate]:
    """The best laps of every legal sequence of compounds.

    Args:
        costs: Costs of stints and stops.
        rules: Sporting rules.
        compounds: Compounds there are.
        max_stops: Most stops.
        tolerance_s: Loss against the sequence's best that still belongs to the window [s]; None leaves windows out.
        keep: Number of sequences to return; all when None.
        of_each: The best so many of each number of stops are returned all the same.

    Returns:
        Quickest first; of equal times, fewer stops and then the order of the compounds.
    """
    laps = costs.laps
    allowed = {c: _within_life(costs.by_compound[c], rules.set_life.get(c), laps) for c in compounds}
    stops = {c: costs.stop_s + costs.warm_up_s[c] for c in compounds}
    # to_go[sequence][l]: best time of the last l laps on that sequence of compounds.
    to_go: dict[tuple[str, ...], Floats] = {(c,): allowed[c] for c in compounds}
    layer = list(to_go)
    for _ in range(min(max_stops, rules.max_stops)):
        layer = [(c, *rest) for c in compounds for rest in layer]
        for sequence in layer:
            to_go[sequence] = _join(allowed[sequence[0]], to_go[sequence[1:]] + stops[sequence[1]])
    found: list[Candidate] = []
    for sequence in sorted(
        to_go, key=lambda sequence: (round(float(to_go[sequence][laps]), 6), len(sequence))
    ):
        if keep is not None and len(found) >= keep:
            alike = sum(len(one.plan.compounds) == len(sequence) for one in found)
            if alike >= of_each:
                continue
        plan = _plan(sequence, laps, allowed, to_go)
        if plan is not None and not violations(plan, laps, rules):
            windows = (
                () if tolerance_s is None else _windows(sequence, laps, allowed, stops, to_go, tolerance_s)
            )
            found.append(Candidate(plan, float(to_go[sequence][laps]), windows))
    return found


def _within_life(cost: Floats, life: int | None, laps: int) -> Floats:
    """Costs by length; a stint has at least one lap and at most the life of its set."""
    within = cost[: laps + 1].copy()
    within[0] = np.inf
    if life is not None:
        within[life + 1 :] = np.inf
    return within


@lru_cache(maxsize=64)
def _pairs(laps: int) -> NDArray[np.int64]:
    """Index of the laps to go after a stint of k laps out of l, (l, k); -1 where there are none."""
    rest = np.arange(laps + 1)[:, None] - np.arange(laps + 1)
    return np.where(rest > 0, rest, -1)


def _join(first: Floats, rest: Floats) -> Floats:
    """Best time of l laps: a first stint of any length, then the rest."""
    padded = np.append(rest, np.inf)
    return np.asarray((first + padded[_pairs(len(first) - 1)]).min(axis=1))


def _plan(
    sequence: tuple[str, ...],
    laps: int,
    allowed: Mapping[str, Floats],
    to_go: Mapping[tuple[str, ...], Floats],
) -> Plan | None:
    """The best laps of a sequence; None when no stints of these compounds cover the race."""
    if not np.isfinite(to_go[sequence][laps]):
        return None
    stops, left = [], laps
    for k in range(1, len(sequence)):
        lengths = np.arange(1, left)
        times = allowed[sequence[k - 1]][lengths] + to_go[sequence[k:]][left - lengths]
        left -= int(lengths[np.argmin(times)])
        stops.append(Stop(laps - left, sequence[k]))
    return Plan(sequence[0], tuple(stops))


def _windows(
    sequence: tuple[str, ...],
    laps: int,
    allowed: Mapping[str, Floats],
    stops: Mapping[str, float],
    to_go: Mapping[tuple[str, ...], Floats],
    tolerance_s: float,
) -> tuple[tuple[int, int], ...]:
    most = to_go[sequence][laps] + tolerance_s
    # Best time of the first l laps up to a stop on lap l.
    so_far, windows = allowed[sequence[0]], []
    for k in range(1, len(sequence)):
        total = so_far + stops[sequence[k]]
        total[1:] += to_go[sequence[k:]][laps - 1 :: -1]
        inside = np.flatnonzero(total <= most)
        windows.append((int(inside[0]), int(inside[-1])))
        so_far = _join(so_far, allowed[sequence[k]] + stops[sequence[k]])
    return tuple(windows)


def race_costs(race: Race, car: Car, *, wear_factor: float = 1.0, cliff: Cliff | None = None) -> StintCosts:
    """Costs of stints and stops of a car, green and dry or wet as the race's offsets are.

    Args:
        race: The race.
        car: The car.
        wear_factor: Factor on every wear rate.
        cliff: Loss of long stints; None for none.
    """
    return stint_costs(
        race.tyres,
        race.laps,
        mean_stop_s(race.pit_lane) + car.pit_extra_s,
        wear_factor=wear_factor * car.wear_factor,
        cliff=cliff,
    )


def stint_costs(
    tyres: Mapping[str, Tyre],
    laps: int,
    stop_s: float,
    *,
    wear_factor: float = 1.0,
    cliff: Cliff | None = None,
) -> StintCosts:
    """Costs of stints and stops.

    Args:
        tyres: Parameters by compound.
        laps: Race distance [laps].
        stop_s: Loss of a stop [s].
        wear_factor: Factor on every wear rate.
        cliff: Loss of long stints; None for none.
    """
    ages = np.arange(laps + 1)
    by_compound = {}
    for compound, tyre in tyres.items():
        cost = ages * tyre.offset_s + wear_factor * tyre.wear_s * ages * (ages - 1) / 2
        if cliff is not None and compound in cliff.share:
            late = np.maximum(ages - cliff.share[compound] * laps, 0.0)
            cost = cost + cliff.loss_s * late * (late + 1) / 2
        by_compound[compound] = cost
    warm_up = {compound: tyre.warm_up_s for compound, tyre in tyres.items()}
    return StintCosts(laps=laps, by_compound=by_compound, stop_s=stop_s, warm_up_s=warm_up)


def mean_stop_s(lane: PitLane) -> float:
    """Mean loss of a green stop, slow stops included [s]."""
    return lane.loss_s + lane.slow_probability * (lane.slow_from_s + lane.slow_tail_s)
