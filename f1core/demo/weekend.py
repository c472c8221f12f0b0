"""One race weekend as it happens: practice, qualifying, grids, sprint and race."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from f1core.demo.calendar import Weekend
from f1core.demo.race import Neutralisation, RacePlan, Run, drive
from f1core.demo.tyres import MEDIUM, Stint, tyre_plan
from f1core.demo.world import (
    ACCIDENTS,
    SAFETY_CARS,
    VIRTUAL_SAFETY_CARS,
    WET_RACES,
    Season,
    World,
    stream,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PRACTICE_NOISE, QUALIFYING_NOISE, FORM = 0.40, 0.18, 0.16
"""Noise of a practice best, of a qualifying lap, and of a driver's form on the day [% of a lap]."""
QUALIFYING_FASTER_S, SEGMENT_FASTER_S = 3.4, 0.18
"""What low fuel and soft tyres are worth, and what the track gains from one segment to the next [s]."""
WET_QUALIFYING, WET_QUALIFYING_SLOWER, WET_QUALIFYING_NOISE = 0.10, 0.12, 2.5
SEGMENTS = (15, 10)
"""Cars that go on to the second and third segment."""
SPRINT_LAPS = 15
SPRINT_RETIREMENTS = 0.3
"""Chance of retiring from a sprint against a race."""
PENALTY, PIT_LANE = 0.035, 0.008
"""Chance of a grid penalty and of a start from the pit lane."""
PENALTY_PLACES = (3, 5, 10)
WINDOWS = 4
"""Parts of a race of which each sees one neutralisation at most."""
_WHAT = {"weekend": 0, "practice": 10, "qualifying": 20, "grid": 30, "race": 40}


@dataclass(frozen=True)
class Practice:
    """Best laps [ms] and laps driven of each entry in a practice session."""

    best_ms: Ints
    laps: Ints


@dataclass(frozen=True)
class Qualifying:
    """A knock-out qualifying: best lap [ms] of each entry in three segments (-1: not in it), and the order."""

    best_ms: Ints
    order: list[int]


@dataclass(frozen=True)
class Grid:
    """A starting grid: entries in order, places lost to penalties by entry, entries in the pit lane."""

    order: list[int]
    penalties: dict[int, int]
    pit_lane: frozenset[int]


@dataclass(frozen=True)
class Raced:
    """A race or sprint with what was planned for it, and which entries had an accident."""

    plan: RacePlan
    run: Run
    accidents: frozenset[int]


class WeekendStory:
    """What happens on a weekend, each session drawn when first asked for, from numbers of its own.

    Args:
        world: The truth.
        weekend: Which one.
    """

    def __init__(self, world: World, weekend: Weekend) -> None:
        self.world = world
        self.weekend = weekend
        self.season: Season = world.seasons[weekend.index]
        self.entries = len(self.season.drivers)

    def _stream(self, what: str, number: int = 0) -> np.random.Generator:
        return stream(self.world.seed, 3, self.weekend.index, self.weekend.round, _WHAT[what] + number)

    @cached_property
    def pace_pct(self) -> Floats:
        """Pace of each entry at this circuit and on this weekend [% against the average entry]."""
        there = self.world.at_circuit[self.season.teams, self.weekend.round - 1]
        form = self._stream("weekend").normal(0.0, FORM, self.entries)
        return np.asarray(self.season.driver_pct + self.season.car_pct + there + form)

    def practice(self, number: int) -> Practice:
        """A practice session, 1 to 3."""
        rng = self._stream("practice", number)
        base = self.weekend.circuit.base_s - QUALIFYING_FASTER_S + 1.6 - 0.3 * number
        pace = self.pace_pct + rng.normal(0.0, PRACTICE_NOISE, self.entries)
        return Practice(_ms(base * (1.0 + pace / 100.0)), rng.integers(14, 33, self.entries))

    @cached_property
    def qualifying(self) -> Qualifying:
        """Qualifying for the race."""
        return self._knock_out(0)

    @cached_property
    def sprint_qualifying(self) -> Qualifying:
        """Qualifying for the sprint."""
        return self._knock_out(1)

    def _knock_out(self, number: int) -> Qualifying:
        rng = self._stream("qualifying", number)
        is_wet = rng.random() < WET_QUALIFYING
        noise = QUALIFYING_NOISE * (WET_QUALIFYING_NOISE if is_wet else 1.0)
        base = self.weekend.circuit.base_s * (1.0 + WET_QUALIFYING_SLOWER * is_wet) - QUALIFYING_FASTER_S
        best = np.full((3, self.entries), -1, dtype=np.int64)
        order = list(range(self.entries))
        for segment, stays in enumerate((*SEGMENTS, 0)):
            lap = base - SEGMENT_FASTER_S * segment
            pace = self.pace_pct + rng.normal(0.0, noise, self.entries)
            inside = order[: SEGMENTS[segment - 1]] if segment else order
            best[segment, inside] = _ms(lap * (1.0 + pace / 100.0))[inside]
            ranked = sorted(inside, key=lambda entry: (best[segment, entry], entry))
            order = ranked + order[len(inside) :]
            assert stays < len(inside)
        return Qualifying(best, order)

    @cached_property
    def grid(self) -> Grid:
        """The grid of the race: qualifying with the penalties applied."""
        rng = self._stream("grid")
        order = self.qualifying.order
        drawn = rng.random(self.entries)
        places = rng.choice(PENALTY_PLACES, self.entries)
        pit_lane = frozenset(np.flatnonzero(drawn < PIT_LANE).tolist())
        penalties = {
            int(entry): int(places[entry])
            for entry in np.flatnonzero((drawn >= PIT_LANE) & (drawn < PIT_LANE + PENALTY))
        }
        # A penalised car lines up behind whoever earned the slot it is sent to.
        slots = {
            entry: slot + (penalties[entry] + 0.5 if entry in penalties else 0.0)
            for slot, entry in enumerate(order)
        }
        moved = sorted(order, key=lambda entry: (entry in pit_lane, slots[entry]))
        return Grid(moved, penalties, pit_lane)

    @cached_property
    def sprint_grid(self) -> Grid:
        """The grid of the sprint: the order of its qualifying."""
        return Grid(self.sprint_qualifying.order, {}, frozenset())

    @cached_property
    def race(self) -> Raced:
        """The race."""
        laps = self.weekend.circuit.laps
        rng = self._stream("race")
        begins_wet, dries = rng.random() < WET_RACES, rng.random() < 0.5
        wet_until = int(laps * rng.uniform(0.3, 0.6)) if begins_wet and dries else laps * begins_wet
        neutral = _neutralisations(rng, laps)
        tyres = [tyre_plan(rng, laps, wet_until) for _ in range(self.entries)]
        return self._drive(rng, self.grid, laps, wet_until, neutral, tyres, 1.0)

    @cached_property
    def sprint(self) -> Raced:
        """The sprint: short, dry, without stops."""
        tyres = [[Stint(MEDIUM, 0, 0)] for _ in range(self.entries)]
        return self._drive(
            self._stream("race", 1), self.sprint_grid, SPRINT_LAPS, 0, (), tyres, SPRINT_RETIREMENTS
        )

    def _drive(
        self,
        rng: np.random.Generator,
        grid: Grid,
        laps: int,
        wet_until: int,
        neutral: tuple[Neutralisation, ...],
        tyres: list[list[Stint]],
        hazard: float,
    ) -> Raced:
        circuit = self.weekend.circuit
        fails = rng.random(self.entries) < hazard * self.world.retirement_rates[self.season.teams]
        # Who stops late enough is classified all the same; these do not.
        lap = rng.integers(1, int(0.85 * laps), self.entries)
        retire_after = np.where(fails, lap, 0)
        accidents = np.flatnonzero(fails & (rng.random(self.entries) < ACCIDENTS))
        # Somebody is the reason for a safety car, if anybody crashed.
        for one, entry in zip(neutral, accidents, strict=False):
            retire_after[entry] = one.first - 1
        plan = RacePlan(
            laps=laps,
            base_s=circuit.base_s,
            pace_pct=self.pace_pct + rng.normal(0.0, FORM, self.entries),
            grid=np.array(grid.order),
            pit_lane=grid.pit_lane,
            retire_after=retire_after,
            tyres=tyres,
            neutralisations=neutral,
            passing_s=circuit.passing_s,
            pit_loss_s=circuit.pit_loss_s,
            wet_until=wet_until,
        )
        return Raced(plan, drive(plan, rng), frozenset(accidents.tolist()))


def _neutralisations(rng: np.random.Generator, laps: int) -> tuple[Neutralisation, ...]:
    """Safety cars and virtual ones, at most one in each quarter of the race."""
    statuses = ["safety_car"] * int(rng.choice(3, p=SAFETY_CARS))
    statuses += ["virtual_safety_car"] * int(rng.choice(3, p=VIRTUAL_SAFETY_CARS))
    length = (laps - 6) // WINDOWS
    found = []
    for status, window in zip(statuses, rng.permutation(WINDOWS), strict=False):
        lasts = int(rng.integers(3, 6)) if status == "safety_car" else 2
        first = 3 + int(window) * length + int(rng.integers(0, length - lasts - 1))
        found.append(Neutralisation(status, first, first + lasts - 1))
    return tuple(sorted(found, key=lambda one: one.first))


def _ms(seconds: Floats) -> Ints:
    return np.round(1000.0 * seconds).astype(np.int64)
