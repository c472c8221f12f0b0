"""Who stops at the end of a lap, for what, and how much it costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from f1core.simulator.conditions import Conditions
from f1core.simulator.draws import STOPS, Draws, Floats
from f1core.simulator.parameters import Race, SafetyCarPolicy, Scenario, TrackStatus
from f1core.simulator.plan import Plan
from f1core.simulator.rules import COMPOUNDS, DRY_COMPOUNDS, TYRE_CLASS
from f1core.simulator.sets import Sets

# Members of an enumeration are looked up slowly, and this is done on every lap.
_GREEN = int(TrackStatus.GREEN)
_VSC = int(TrackStatus.VIRTUAL_SAFETY_CAR)
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
    With a :class:`SafetyCarPolicy` they also bring a planned stop forward when a neutralisation makes it worth while.
    """

    def __init__(
        self,
        race: Race,
        plans: tuple[Plan, ...],
        met: Conditions,
        draws: Draws,
        scenario: Scenario,
        sets: Sets,
    ) -> None:
        shape = draws.form.shape
        self._race, self._met, self._sets = race, met, sets
        self._everywhere = np.ones(shape[1], bool)
        self._reacts, self._policy = scenario.reacts, scenario.safety_car_policy
        lane = race.pit_lane
        self._factors = np.array([1.0, lane.vsc_factor, lane.safety_car_factor, 0.0], np.float32)
        self._stop_draws = draws.stop
        self._columns = np.arange(shape[1])
        self._nobody = np.zeros(shape, bool)
        self._made = np.zeros(shape, np.int64)
        self._next = np.zeros(shape, np.int8)
        self._plans: list[list[tuple[Plan, Mask]]] = [[(plan, self._everywhere)] for plan in plans]
        self._schedule()
        by_team: dict[str, list[int]] = {}
        for c, car in enumerate(race.cars):
            by_team.setdefault(car.team, []).append(c)
        self._pairs = [(rows[0], rows[1]) for rows in by_team.values() if len(rows) == 2]

    def vary(self, car: int, plans: Sequence[tuple[Plan, Mask]]) -> None:
        """Give a car another plan in each part of the simulations, before the first lap.

        Args:
            car: Row of the car.
            plans: Plans, and the simulations that run them, (n,); together all of them.
        """
        self._plans[car] = list(plans)
        self._schedule()

    def calls(self, lap: int, retires: NDArray[np.int16]) -> Calls:
        """Stops at the end of a lap.

        Args:
            lap: Index of the lap, from 0.
            retires: Lap that a car does not complete, (cars, n).
        """
        planned = self._planned.get(lap + 1, [])
        is_last = lap == self._race.laps - 1
        is_red = self._met.status[lap] == _RED_FLAG
        has_reaction = (
            self._reacts and not is_last and (self._met.weather_loss is not None or bool(is_red.any()))
        )
        earlier = [] if self._policy is None or is_last else self._near(lap + 1, self._policy)
        if not planned and not has_reaction and not earlier:
            return Calls(self._nobody)
        calls, is_running = Calls(np.zeros_like(self._nobody)), retires > lap + 1
        for c, v, k in planned:
            plan, where = self._plans[c][v]
            due = is_running[c] & where & (self._next[c] == k)
            np.copyto(self._next[c], np.int8(k + 1), where=due)
            stop = plan.stops[k]
            if self._reacts:
                due &= self._is_fit(lap, TYRE_CLASS[COMPOUNDS.index(stop.compound)])
            self._call(calls, c, due, stop.compound, stop.used_laps)
        if has_reaction:
            for c in range(len(self._plans)):
                self._react_to_weather(calls, lap, c, is_running[c] & ~calls.masks[c])
                self._react_to_red_flag(calls, lap, c, is_red & is_running[c] & ~calls.masks[c])
        for c, v, k in earlier:
            self._bring_forward(calls, lap, (c, v, k), is_running[c] & ~calls.masks[c])
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
        factors = self._factors[status]
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
        to_slicks = changes & (best == 0)
        for plan, where in self._plans[car]:
            for k, compound in enumerate(plan.compounds):
                slick = compound if compound in DRY_COMPOUNDS else weather.slick_after_rain
                self._call(calls, car, to_slicks & where & (self._next[car] == k), slick, 0)

    def _react_to_red_flag(self, calls: Calls, lap: int, car: int, may: Mask) -> None:
        if not may.any():
            return
        for plan, where in self._plans[car]:
            for k, stop in enumerate(plan.stops):
                is_fit = self._is_fit(lap, TYRE_CLASS[COMPOUNDS.index(stop.compound)])
                takes = may & where & (self._next[car] == k) & is_fit
                self._call(calls, car, takes, stop.compound, stop.used_laps)
                np.copyto(self._next[car], np.int8(k + 1), where=takes)
                may = may & ~takes
        for code, compound in enumerate(COMPOUNDS):
            self._call(calls, car, may & (self._sets.compound[car] == code), compound, 0)

    def _schedule(self) -> None:
        """Planned stops by lap: car, number of its plan, number of the stop."""
        self._planned: dict[int, list[tuple[int, int, int]]] = {}
        for c, plans in enumerate(self._plans):
            for v, (plan, _) in enumerate(plans):
                for k, stop in enumerate(plan.stops):
                    self._planned.setdefault(stop.lap, []).append((c, v, k))

    def _near(self, lap: int, policy: SafetyCarPolicy) -> list[tuple[int, int, int]]:
        """Planned stops (car, plan, number) that may be brought forward to the end of a lap; none on a green lap."""
        status = self._met.status[lap - 1]
        least = _GREEN if policy.is_for_vsc else _VSC
        if not ((status > least) & (status < _RED_FLAG)).any():
            return []
        laps = range(lap + 1, lap + policy.most_laps + 1)
        return sorted(stop for later in laps for stop in self._planned.get(later, []))

    def _bring_forward(self, calls: Calls, lap: int, planned_stop: tuple[int, int, int], may: Mask) -> None:
        """Make a planned stop now where the pit lane saves more than the change of lap costs, in clean air."""
        car, v, k = planned_stop
        policy, race, (plan, where) = self._policy, self._race, self._plans[car][v]
        assert policy is not None
        stop, status = plan.stops[k], self._met.status[lap]
        least = _GREEN if policy.is_for_vsc else _VSC
        may = may & where & (self._next[car] == k) & (status > least) & (status < _RED_FLAG)
        may &= self._sets.age[car] + 1 - self._sets.used[car] >= policy.least_laps
        if not may.any():
            return
        may &= self._is_fit(lap, TYRE_CLASS[COMPOUNDS.index(stop.compound)])
        until = plan.stops[k + 1].lap if k + 1 < len(plan.stops) else race.laps
        sooner, planned = stop.lap - (lap + 1), until - stop.lap
        life = (policy.set_life if race.rules is None else race.rules.set_life).get(stop.compound)
        if life is not None and stop.used_laps + planned + sooner > life:
            return
        lane = race.pit_lane
        saved = (lane.loss_s + race.cars[car].pit_extra_s) * (1 - self._factors[status])
        new = self._sets.laps_on(car, stop.compound, stop.used_laps + planned, sooner)
        lost = new - self._sets.laps_ahead(car, sooner)
        takes = may & (saved - lost > policy.margin_s)
        np.copyto(self._next[car], np.int8(k + 1), where=takes)
        self._call(calls, car, takes, stop.compound, stop.used_laps)
