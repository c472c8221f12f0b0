"""One block of simulations that run side by side: the state of the cars and the lap loop."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from f1core.simulator.conditions import Conditions
from f1core.simulator.draws import Draws, Floats, retirement_laps
from f1core.simulator.parameters import Race, Scenario, TrackStatus
from f1core.simulator.pit_wall import PitWall
from f1core.simulator.plan import Plan
from f1core.simulator.sets import Sets
from f1core.simulator.traffic import blue_flags, dirty_air, drive

# Members of an enumeration are looked up slowly, and this is done on every lap.
_GREEN = int(TrackStatus.GREEN)
_RED_FLAG = int(TrackStatus.RED_FLAG)
_SAFETY_CAR = int(TrackStatus.SAFETY_CAR)

RETIRED_S = 1e6
"""Cars at or beyond this time are out; 1,000 s more for every lap they missed keep them in order."""

_LAP_MISSED_S = 1e3


class Block:
    """A block of n simulations of one race.

    Attributes:
        finish: Time at the last line against the reference clock, (cars, n) [s]; meaningless for retired cars.
        place: Finishing position, (cars, n).
        completed: Laps completed, (cars, n).
    """

    def __init__(
        self,
        race: Race,
        plans: tuple[Plan, ...],
        met: Conditions,
        draws: Draws,
        scenario: Scenario,
        keeps_history: bool,
    ) -> None:
        self.race, self.met, self.draws = race, met, draws
        self.is_random = bool(draws.form.any() or draws.noise.any())
        cars, n = draws.form.shape
        self.n = n
        self.columns = np.arange(n)
        self.places = np.repeat(np.arange(1, cars + 1, dtype=np.int8)[:, None], n, axis=1)
        self.sets = Sets(race, plans, draws)
        self.pit_wall = PitWall(race, plans, met, draws, scenario, self.sets)
        grid = np.array([car.grid for car in race.cars])
        away = (grid - 1) * race.start.grid_slot_s
        away += [car.start_delay_s - car.start_gain_s for car in race.cars]
        self.time: Floats = away[:, None].astype(np.float32) + draws.start
        self.flat = np.argsort(grid)[:, None] * n + self.columns
        self._reorder()
        to_go = np.linspace(1.0, 0.0, race.laps)[:, None]
        pace = np.array([car.pace_s for car in race.cars])
        self.base: Floats = (race.fuel_and_track_s * to_go + pace).astype(np.float32)
        self.retires = retirement_laps(race, draws)
        self.retirement_laps = set(np.unique(self.retires).tolist())
        self.has_retired = False
        self.is_neutral = [bool(shown.any()) for shown in met.status]
        self.min_gap = np.full(n, race.traffic.min_gap_s, np.float32)
        self.no_head = np.full(n, -np.inf, np.float32)
        self.noise = np.zeros((cars, n), np.float32)
        self.safety_car = np.full(n, np.nan, np.float32)
        self.history: dict[str, NDArray[np.generic]] | None = self._room() if keeps_history else None

    def run(self) -> None:
        """Run every lap; the results are then in ``finish``, ``place`` and ``completed``."""
        for lap in range(self.race.laps):
            self.run_lap(lap)
        self.finish: Floats = self.time
        self.place = self._positions()
        self.completed = np.minimum(self.retires - 1, self.race.laps).astype(np.int16)

    def release(self) -> None:
        """Drop what only the lap loop needs: a large run holds one block of random numbers at a time."""
        del self.draws, self.met, self.sets, self.pit_wall, self.flat, self.noise

    def kept(self) -> dict[str, NDArray[np.generic]]:
        """The history, by name; (laps, cars, n) or (laps, n)."""
        assert self.history is not None
        return self.history

    def run_lap(self, lap: int) -> None:
        """Run one lap, from 0."""
        race, status = self.race, self.met.status[lap]
        retiring = self.retires == lap + 1 if lap + 1 in self.retirement_laps else None
        stops = self.pit_wall.calls(lap, self.retires)
        pace = self._pace(lap).take(self.flat)
        threshold = self.draws.threshold[:, lap].take(self.flat)
        times = self.time.take(self.flat)
        lost = self._traffic(times, pace) if lap else np.zeros_like(times)
        min_gap, head = self.min_gap, self.no_head
        if self.is_neutral[lap]:
            is_slow, behind = status > _GREEN, status == _SAFETY_CAR
            pace = np.where(is_slow, self._slow_lap(lap, times[0]), pace)
            threshold[:, is_slow] = np.inf
            lost[:, is_slow] = 0
            min_gap, head = min_gap.copy(), head.copy()
            min_gap[is_slow] = 0
            min_gap[behind] = race.neutralisations.bunch_gap_s
            head[behind] = self.safety_car[behind] - min_gap[behind]
        elif lap and self.is_neutral[lap - 1]:
            self.safety_car[:] = np.nan
        leaves = stops.masks if stops.cars else None
        if retiring is not None:
            leaves = retiring if leaves is None else leaves | retiring
        slots = None if leaves is None else leaves.take(self.flat)
        reached = drive(times, pace, lost, threshold, min_gap, head, slots)
        if self.has_retired:
            np.copyto(reached, times, where=times >= RETIRED_S)
        self.time.reshape(-1)[self.flat] = reached
        if stops.cars:
            self.time += self.pit_wall.losses(stops, status, self.time, self._positions())
        if retiring is not None:
            self.has_retired = True
            self.time[retiring] = RETIRED_S + (race.laps - lap) * _LAP_MISSED_S
        self._reorder()
        if self.is_neutral[lap]:
            self._close_up(status == _RED_FLAG)
        if self.history is not None:
            self._keep(lap, stops.masks)
        self.sets.finish_lap()
        self.pit_wall.serve(stops, lap)

    def _traffic(self, times: Floats, pace: Floats) -> Floats:
        """What dirty air and blue flags add to a lap, by slot, (cars, n) [s]."""
        traffic = self.race.traffic
        lost = dirty_air(times, traffic)
        if traffic.lapping_loss_s or traffic.lapped_loss_s:
            flags = blue_flags(times, pace, self.race.lap_time_s, traffic)
            if flags is not None:
                lost += flags
        return lost

    def _pace(self, lap: int) -> Floats:
        """Lap in clean air against the reference lap, (cars, n) [s]."""
        noise = self.race.noise
        fresh = np.float32(noise.sd_s * (np.sqrt(1 - noise.autocorrelation**2) if lap else 1.0))
        pace = self.sets.pace()
        pace += self.base[lap][:, None]
        if self.is_random:
            self.noise *= np.float32(noise.autocorrelation)
            self.noise += self.draws.noise[:, lap] * fresh
            pace += self.draws.form
            pace += self.noise
        if self.met.weather_loss is not None:
            pace += self.sets.by_class(self.met.weather_loss[lap])
        if lap == 0:
            pace += np.float32(self.race.start.loss_s)
        return pace

    def _slow_lap(self, lap: int, leader: Floats) -> Floats:
        """Lap of a car under a neutralisation, (n,) [s]; moves the safety car on by one lap."""
        rates, reference = self.race.neutralisations, self.race.lap_time_s
        wet = self.met.weather_loss[lap].min(axis=0) if self.met.weather_loss is not None else np.float32(0)
        behind = self.met.status[lap] == _SAFETY_CAR
        since = np.where(np.isnan(self.safety_car), leader, self.safety_car)
        line = since + np.float32((rates.lap_factor - 1) * reference) + wet
        self.safety_car = np.where(behind, line, np.nan).astype(np.float32)
        factor = np.where(behind, rates.catch_up_factor, rates.vsc_lap_factor)
        # Everybody closes up at this pace; ``drive`` holds the first of the queue at the safety car's line.
        return ((factor - 1) * reference + wet).astype(np.float32)

    def _reorder(self) -> None:
        """Sort the slots by time; only simulations whose order changed are touched, ties stay as they were."""
        times = self.time.take(self.flat)
        if self.n == 1:
            self.flat = self.flat[np.argsort(times[:, 0], kind="stable")]
            return
        changed = np.flatnonzero((times[1:] < times[:-1]).any(axis=0))
        if len(changed):
            order = np.argsort(times[:, changed].T, axis=1, kind="stable").T
            self.flat[:, changed] = self.flat[order, changed]

    def _positions(self) -> NDArray[np.int8]:
        """Position of every car, (cars, n)."""
        place = np.empty(self.flat.shape, np.int8)
        place.reshape(-1)[self.flat] = self.places
        return place

    def _close_up(self, is_red: NDArray[np.bool_]) -> None:
        """Line the field up after a red flag: the clock runs until the last car is in, so nobody goes back in time."""
        for i in np.flatnonzero(is_red):
            order = self.flat[:, i]
            times = self.time.take(order)
            running = times < RETIRED_S
            if running.any():
                many = int(running.sum())
                gaps = np.float32(self.race.neutralisations.bunch_gap_s) * np.arange(many, dtype=np.float32)
                self.time.put(order[:many], times[many - 1] + gaps)

    def _room(self) -> dict[str, NDArray[np.generic]]:
        shape = (self.race.laps, len(self.race.cars), self.n)
        kinds = {
            "time_s": np.float32,
            "is_out": np.bool_,
            "position": np.int8,
            "compound": np.int8,
            "tyre_age": np.int16,
            "stint_laps": np.int16,
            "stops": np.bool_,
        }
        room: dict[str, NDArray[np.generic]] = {name: np.empty(shape, kind) for name, kind in kinds.items()}
        room["status"] = self.met.status
        room["safety_car_s"] = np.empty((self.race.laps, self.n), np.float32)
        return room

    def _keep(self, lap: int, stops: NDArray[np.bool_]) -> None:
        rows = {
            "time_s": self.time,
            "is_out": self.time >= RETIRED_S,
            "position": self._positions(),
            "compound": self.sets.compound,
            "tyre_age": self.sets.age,
            "stint_laps": self.sets.age - self.sets.used,
            "stops": stops,
            "safety_car_s": self.safety_car,
        }
        for name, row in rows.items():
            self.kept()[name][lap] = row
