"""Drives a race lap by lap: pace, fuel, wear, traffic, pit stops, safety cars, retirements.

A lap is what the car could do, plus what is lost behind others: who comes up behind a car stays behind it unless an
attack succeeds, so a place on the grid is worth something.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from f1core.demo.tyres import COMPOUNDS, HARD, INTERMEDIATE, MEDIUM, Stint, dry_compound
from f1core.demo.world import FUEL_S, OFFSET_S, WEAR_S

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LAP_NOISE_S = 0.16
WET_SLOWER, WET_NOISE = 0.11, 2.0
DRYING_LOSS_S = 2.5
"""What intermediates lose on a dry track [s/lap]."""
START_LOSS_S, START_NOISE_S, SLOT_S = 4.0, 0.55, 0.22
FOLLOW_S = (0.45, 0.30)
"""Least gap behind another car, and how much it may be more [s]."""
ENTRY_S = 3.0
"""Part of the pit loss that falls on the in-lap [s]."""
SAFETY_CAR_PACE, CATCHING_PACE, VIRTUAL_PACE = 1.42, 1.18, 1.30
STOP_FACTOR = {"safety_car": 0.45, "virtual_safety_car": 0.65}
"""Share of the pit loss that a stop costs while the others are slow."""
CHEAP_STOP_CHANCE, CHEAP_STOP_AGE = 0.7, 7
WAIT_S = (0.4, 2.2)
"""Time a car stands beyond the best stop: mean of an exponential, and the time in the lane that driving takes."""

_WEAR = np.array([WEAR_S[name] for name in COMPOUNDS])
_OFFSET = np.array([OFFSET_S[name] for name in COMPOUNDS])


@dataclass(frozen=True)
class Neutralisation:
    """A safety car or virtual safety car: laps of the leading car, first to last."""

    status: str
    first: int
    last: int


@dataclass(frozen=True)
class RacePlan:
    """Everything that is fixed before the start.

    Attributes:
        laps: Laps of the race.
        base_s: Lap of the average entry on new mediums without fuel [s].
        pace_pct: Pace of each car on the day [% against the average entry].
        grid: Cars in the order of the grid.
        pit_lane: Cars that start from the pit lane.
        retire_after: Laps after which a car stops; 0 for none.
        tyres: Stints of each car.
        neutralisations: Safety cars to come.
        passing_s: How hard it is to pass, see :class:`f1core.demo.names.Circuit`.
        pit_loss_s: Cost of a stop with a green track [s].
        wet_until: Last wet lap; 0 for a dry race.
    """

    laps: int
    base_s: float
    pace_pct: Floats
    grid: Ints
    pit_lane: frozenset[int]
    retire_after: Ints
    tyres: list[list[Stint]]
    neutralisations: tuple[Neutralisation, ...]
    passing_s: float
    pit_loss_s: float
    wet_until: int


@dataclass(frozen=True)
class Stop:
    """A pit stop: at the end of which lap, and the time in the pit lane [ms]."""

    car: int
    lap: int
    lane_ms: int


@dataclass
class Run:
    """What happened.

    Attributes:
        line_ms: Time since the start at the end of each lap, lap 0 is the start: shape (laps + 1, cars).
        laps_done: Laps of each car in the result.
        compound: Compound of each car in each lap: shape (laps, cars).
        tyre_life: Laps on the set at the end of the lap.
        stint: Stint number, from 1.
        is_new_set: Whether the set was new when fitted.
        stops: Pit stops, in order of time.
        order: Cars in the order of the result; retired ones last, the longest run first.
    """

    line_ms: Ints
    laps_done: Ints
    compound: Ints
    tyre_life: Ints
    stint: Ints
    is_new_set: NDArray[np.bool_]
    stops: list[Stop]
    order: list[int] = field(default_factory=list)


def drive(plan: RacePlan, rng: np.random.Generator) -> Run:
    """Drives the race; the same generator state gives the same race."""
    cars, laps = len(plan.pace_pct), plan.laps
    noise = rng.normal(0.0, LAP_NOISE_S, (laps, cars))
    luck = rng.random((laps, cars))
    waits = rng.exponential(WAIT_S[0], (laps, cars))
    time = np.empty(cars)
    time[plan.grid] = SLOT_S * np.arange(cars) + rng.normal(0.0, START_NOISE_S, cars).clip(-1.2, 2.5) + 1.5
    for car in plan.pit_lane:
        time[car] = SLOT_S * cars + 8.0
    line = np.zeros((laps + 1, cars))
    run = Run(
        line_ms=np.zeros((laps + 1, cars), dtype=np.int64),
        laps_done=np.zeros(cars, dtype=np.int64),
        compound=np.zeros((laps, cars), dtype=np.int64),
        tyre_life=np.zeros((laps, cars), dtype=np.int64),
        stint=np.zeros((laps, cars), dtype=np.int64),
        is_new_set=np.zeros((laps, cars), dtype=bool),
        stops=[],
    )
    stint = np.zeros(cars, dtype=np.int64)
    age = np.array([stints[0].age for stints in plan.tyres])
    out_loss = np.zeros(cars)
    statuses = {
        lap: (one.status, lap == one.first)
        for one in plan.neutralisations
        for lap in range(one.first, one.last + 1)
    }
    for lap in range(1, laps + 1):
        status, begins = statuses.get(lap, ("", False))
        alive = np.flatnonzero((plan.retire_after == 0) | (lap <= plan.retire_after))
        if begins and not plan.wet_until:
            _take_cheap_stops(plan, lap, alive, stint, age, luck[lap - 1])
        age = age + 1
        compound = np.array([plan.tyres[car][stint[car]].compound for car in range(cars)])
        run.compound[lap - 1], run.tyre_life[lap - 1], run.stint[lap - 1] = compound, age, stint + 1
        run.is_new_set[lap - 1] = [plan.tyres[car][stint[car]].age == 0 for car in range(cars)]
        could = _potential(plan, lap, compound, age, noise[lap - 1], status, alive[np.argmin(time[alive])])
        pitting = np.array([plan.tyres[car][stint[car]].until == lap < laps for car in range(cars)])
        loss = plan.pit_loss_s * STOP_FACTOR.get(status, 1.0) + waits[lap - 1]
        could = could + out_loss + np.where(pitting, ENTRY_S, 0.0)
        out_loss = np.where(pitting, loss - ENTRY_S, 0.0)
        hold = (status == "", lap == 1)
        time[alive] = _through_traffic(time, could, alive, pitting, luck[lap - 1], plan.passing_s, *hold)
        line[lap] = time
        for car in alive[pitting[alive]]:
            lane = plan.pit_loss_s + WAIT_S[1] + waits[lap - 1, car]
            run.stops.append(Stop(int(car), lap, round(1000 * lane)))
            stint[car] += 1
            age[car] = plan.tyres[car][stint[car]].age
    run.line_ms[:] = np.round(1000 * line)
    _classify(plan, run)
    run.stops.sort(key=lambda stop: (run.line_ms[stop.lap, stop.car], stop.car))
    return run


def _potential(
    plan: RacePlan, lap: int, compound: Ints, age: Ints, noise: Floats, status: str, leader: int
) -> Floats:
    """Lap time of each car with a free track [s]."""
    if status == "safety_car":
        pace = np.full(len(compound), CATCHING_PACE)
        pace[leader] = SAFETY_CAR_PACE
        return np.asarray(plan.base_s * pace + 0.3 * noise)
    if status == "virtual_safety_car":
        return np.asarray(plan.base_s * VIRTUAL_PACE + 0.3 * noise)
    could = plan.base_s * (1.0 + plan.pace_pct / 100.0) + FUEL_S * (plan.laps - lap)
    could = could + _OFFSET[compound] + _WEAR[compound] * (age - 1)
    if lap <= plan.wet_until:
        return np.asarray(could + WET_SLOWER * plan.base_s + WET_NOISE * noise)
    could = could + np.where(compound == INTERMEDIATE, DRYING_LOSS_S * (lap - plan.wet_until), 0.0)
    return np.asarray(could + noise + (START_LOSS_S if lap == 1 else 0.0))


def _through_traffic(
    time: Floats,
    could: Floats,
    alive: Ints,
    pitting: NDArray[np.bool_],
    luck: Floats,
    passing_s: float,
    is_racing: bool,
    is_first_lap: bool,
) -> Floats:
    """Times at the end of the lap, cars one after the other from the front."""
    before, want, chance = time.tolist(), could.tolist(), luck.tolist()
    done: dict[int, float] = {}
    line: list[int] = []
    for car in sorted(alive.tolist(), key=before.__getitem__):
        reached = before[car] + want[car]
        gap = FOLLOW_S[0] + FOLLOW_S[1] * chance[car]
        at = len(line)
        while at:
            ahead = line[at - 1]
            if reached >= done[ahead] + gap:
                break
            edge = want[ahead] - want[car]
            attack = 1.0 - float(np.exp(-((edge / passing_s) ** 2))) if edge > 0 and is_racing else 0.0
            if reached < done[ahead] and (pitting[ahead] or is_first_lap or chance[car] < attack):
                at -= 1
                continue
            reached = done[ahead] + gap
            break
        done[car] = reached
        at = len(line)
        while at and done[line[at - 1]] > reached:
            at -= 1
        line.insert(at, car)
    return np.array([done[car] for car in alive.tolist()])


def _take_cheap_stops(plan: RacePlan, lap: int, alive: Ints, stint: Ints, age: Ints, luck: Floats) -> None:
    """Brings planned stops forward to the lap in which a neutralisation begins."""
    for car in alive:
        now = plan.tyres[car][stint[car]]
        worn = age[car] - now.age >= CHEAP_STOP_AGE
        if now.until > lap and worn and luck[car] < CHEAP_STOP_CHANCE:
            now.until = lap
            following = plan.tyres[car][stint[car] + 1]
            if not following.until:
                best = dry_compound(plan.laps - lap, plan.laps)
                # Two compounds must be used in a dry race.
                if best == now.compound and not stint[car]:
                    best = HARD if best == MEDIUM else MEDIUM
                following.compound = best


def _classify(plan: RacePlan, run: Run) -> None:
    """A car's race is over when it next crosses the line after the winner has finished."""
    finishes = plan.retire_after == 0
    winner = run.line_ms[plan.laps, finishes].min()
    for car in range(len(finishes)):
        if finishes[car]:
            run.laps_done[car] = 1 + int(np.argmax(run.line_ms[1:, car] >= winner))
        else:
            run.laps_done[car] = plan.retire_after[car]
    ends = [int(run.line_ms[run.laps_done[car], car]) for car in range(len(finishes))]
    run.order = sorted(
        range(len(finishes)), key=lambda car: (not finishes[car], -int(run.laps_done[car]), ends[car], car)
    )
    run.stops = [stop for stop in run.stops if stop.lap < run.laps_done[stop.car]]
