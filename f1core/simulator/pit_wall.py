"""Who stops at the end of a lap, for what, and how much it costs."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from f1core.simulator.conditions import Conditions
from f1core.simulator.draws import STOPS, Draws, Floats
from f1core.simulator.parameters import Race, TrackStatus
from f1core.simulator.plan import Plan
from f1core.simulator.rules import COMPOUNDS, DRY_COMPOUNDS, TYRE_CLASS
from f1core.simulator.sets import Sets

# Members of an enumeration are looked up slowly, and this is done on every lap.
_RED_FLAG = int(TrackStatus.RED_FLAG)

_OF_CLASS = {1: COMPOUNDS[3], 2: COMPOUNDS[4]}

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Calls:
    """The stops of one lap.

    Attributes:
        masks: Who stops where, (cars, n).
        cars: Rows of the cars that stop in any simulation.
        sets: What is fitted: car, simulations (n,), compound, age of the set [laps].
    """

    masks: Mask
    cars: list[int] = field(default_factory=list)
    sets: list[tuple[int, Mask, str, int]] = field(default_factory=list)


class PitWall:
    """The plans of the cars and how far they have come.

    A plan is followed as it stands. Cars that react also change class when the weather costs more than the margin, leave
    out a planned stop for the wrong class, and take their next planned set under a red flag (or the same compound again).
    """

    def __init__(
        self, race: Race, plans: tuple[Plan, ...], met: Conditions, draws: Draws, reacts: bool, sets: Sets
    ) -> None:
        shape = draws.form.shape
        self._race, self._plans, self._met, self._sets = race, plans, met, sets
        self._reacts = reacts
        self._stop_draws = draws.stop
        self._columns = np.arange(shape[1])
        self._nobody = np.zeros(shape, bool)
        self._made = np.zeros(shape, np.int64)
        self._next = np.zeros(shape, np.int8)
        self._planned: dict[int, list[tuple[int, int]]] = {}
        for c, plan in enumerate(plans):
            for k, stop in enumerate(plan.stops):
                self._planned.setdefault(stop.lap, []).append((c, k))
        by_team: dict[str, list[int]] = {}
        for c, car in enumerate(race.cars):
            by_team.setdefault(car.team, []).append(c)
        self._pairs = [(rows[0], rows[1]) for rows in by_team.values() if len(rows) == 2]

    def calls(self, lap: int, is_running: Mask) -> Calls:
        """Stops at the end of a lap.

        Args:
            lap: Index of the lap, from 0.
            is_running: Cars that complete the lap, (cars, n).
        """
        planned = self._planned.get(lap + 1, [])
        is_last = lap == self._race.laps - 1
        is_red = self._met.status[lap] == _RED_FLAG
        has_reaction = (
            self._reacts and not is_last and (self._met.weather_loss is not None or bool(is_red.any()))
        )
        if not planned and not has_reaction:
            return Calls(self._nobody)
        calls = Calls(np.zeros_like(self._nobody))
        for c, k in planned:
            due = is_running[c] & (self._next[c] == k)
            np.copyto(self._next[c], np.int8(k + 1), where=due)
            stop = self._plans[c].stops[k]
            if self._reacts:
                due &= self._is_fit(lap, TYRE_CLASS[COMPOUNDS.index(stop.compound)])
            self._call(calls, c, due, stop.compound, stop.used_laps)
        if has_reaction:
            for c in range(len(self._plans)):
                self._react_to_weather(calls, lap, c, is_running[c] & ~calls.masks[c])
                self._react_to_red_flag(calls, lap, c, is_red & is_running[c] & ~calls.masks[c])
        return calls

    def losses(
        self, calls: Calls, status: NDArray[np.int8], arrival: Floats, place: NDArray[np.int8]
    ) -> Floats:
        """Loss of every stop, (cars, n) [s]; 0 where a car does not stop, and under a red flag.

        Args:
            calls: The stops.
            status: ``TrackStatus`` of the lap, (n,).
            arrival: Times at the line without the stop, (cars, n) [s].
            place: Positions before the lap, (cars, n): who is served first when two arrive at once.
        """
        lane = self._race.pit_lane
        factors = np.array([1.0, lane.vsc_factor, lane.safety_car_factor, 0.0], np.float32)[status]
        is_paid = status != _RED_FLAG
        losses = np.zeros_like(arrival)
        for c in calls.cars:
            mean = np.float32(lane.loss_s + self._race.cars[c].pit_extra_s) * factors
            drawn = self._stop_draws[c][np.minimum(self._made[c], STOPS - 1), self._columns]
            losses[c] = np.maximum(mean + drawn, 0) * (calls.masks[c] & is_paid)
        for a, b in self._pairs:
            both = calls.masks[a] & calls.masks[b] & is_paid
            if both.any():
                apart = arrival[b] - arrival[a]
                wait = np.maximum(np.float32(lane.box_s) - np.abs(apart), 0) * both
                is_b_second = (apart > 0) | ((apart == 0) & (place[b] > place[a]))
                losses[b] += wait * is_b_second
                losses[a] += wait * ~is_b_second
        return losses

    def serve(self, calls: Calls, lap: int) -> None:
        """Fit the sets of the stops of a lap, for the next one."""
        if not calls.cars:
            return
        for car, where, compound, used in calls.sets:
            self._sets.fit(car, where, compound, used)
        # A change under a red flag costs nothing and uses up no draw.
        self._made += calls.masks & (self._met.status[lap] != _RED_FLAG)

    def _call(self, calls: Calls, car: int, where: Mask, compound: str, used_laps: int) -> None:
        if where.any():
            calls.masks[car] |= where
            if car not in calls.cars:
                calls.cars.append(car)
            calls.sets.append((car, where, compound, used_laps))

    def _is_fit(self, lap: int, tyre_class: int) -> Mask:
        """Where a class of tyre loses no more than the margin on this lap, (n,)."""
        weather, loss = self._race.weather, self._met.weather_loss
        if weather is None or loss is None:
            return np.ones(len(self._columns), bool)
        return np.asarray(loss[lap, tyre_class] - loss[lap].min(axis=0) <= weather.change_margin_s)

    def _react_to_weather(self, calls: Calls, lap: int, car: int, may: Mask) -> None:
        weather, loss = self._race.weather, self._met.weather_loss
        if weather is None or loss is None:
            return
        best = loss[lap].argmin(axis=0)
        own = loss[lap][self._sets.tyre_class(car), self._columns]
        changes = may & (own - loss[lap].min(axis=0) > weather.change_margin_s)
        if not changes.any():
            return
        for tyre_class, compound in _OF_CLASS.items():
            self._call(calls, car, changes & (best == tyre_class), compound, 0)
        plan = self._plans[car]
        to_slicks = changes & (best == 0)
        for k, compound in enumerate(plan.compounds):
            slick = compound if compound in DRY_COMPOUNDS else weather.slick_after_rain
            self._call(calls, car, to_slicks & (self._next[car] == k), slick, 0)

    def _react_to_red_flag(self, calls: Calls, lap: int, car: int, may: Mask) -> None:
        if not may.any():
            return
        plan = self._plans[car]
        for k, stop in enumerate(plan.stops):
            takes = (
                may & (self._next[car] == k) & self._is_fit(lap, TYRE_CLASS[COMPOUNDS.index(stop.compound)])
            )
            self._call(calls, car, takes, stop.compound, stop.used_laps)
            np.copyto(self._next[car], np.int8(k + 1), where=takes)
            may = may & ~takes
        for code, compound in enumerate(COMPOUNDS):
            self._call(calls, car, may & (self._sets.compound[car] == code), compound, 0)
