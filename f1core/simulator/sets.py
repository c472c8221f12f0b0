"""The set of tyres every car runs on, in every simulation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from f1core.simulator.draws import Draws, Floats
from f1core.simulator.parameters import Race
from f1core.simulator.plan import Plan
from f1core.simulator.rules import COMPOUNDS, TYRE_CLASS

_CLASS = np.array(TYRE_CLASS, np.int8)


class Sets:
    """State of the tyres, (cars, n).

    Attributes:
        compound: Code of the compound.
        age: Age of the set [laps].
        used: Age it had when it was fitted [laps].
    """

    def __init__(self, race: Race, plans: tuple[Plan, ...], draws: Draws) -> None:
        shape = draws.form.shape
        self._race = race
        self.compound = np.zeros(shape, np.int8)
        self.age, self.used = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        self._offset, self._wear, self._cold = (np.zeros(shape, np.float32) for _ in range(3))
        self._has_cold = False
        self._wears = {
            name: np.maximum(tyre.wear_s + tyre.wear_sd_s * draws.wear[COMPOUNDS.index(name)], 0)
            for name, tyre in race.tyres.items()
        }
        every = np.ones(shape[1], bool)
        for c, plan in enumerate(plans):
            self.fit(c, every, plan.start, plan.start_used_laps, is_warm=True)

    def fit(
        self, car: int, where: NDArray[np.bool_], compound: str, used_laps: int, *, is_warm: bool = False
    ) -> None:
        """Fit a set.

        Args:
            car: Row of the car.
            where: Simulations in which it is fitted, (n,).
            compound: Compound.
            used_laps: Age of the set [laps].
            is_warm: Whether it needs no warm-up lap, as at the start.
        """
        code, tyre = COMPOUNDS.index(compound), self._race.tyres[compound]
        np.copyto(self.compound[car], np.int8(code), where=where)
        np.copyto(self.age[car], np.float32(used_laps), where=where)
        np.copyto(self.used[car], np.float32(used_laps), where=where)
        np.copyto(self._offset[car], np.float32(tyre.offset_s), where=where)
        np.copyto(self._wear[car], self._wear_of(car, compound), where=where)
        if not is_warm and tyre.warm_up_s:
            np.copyto(self._cold[car], np.float32(tyre.warm_up_s), where=where)
            self._has_cold = True

    def laps_ahead(self, car: int, laps: int) -> Floats:
        """What the next laps on the present set cost after this one, (n,) [s]."""
        ages = laps * (self.age[car] + 1) + laps * (laps - 1) / 2
        return self._offset[car] * np.float32(laps) + self._wear[car] * ages

    def laps_on(self, car: int, compound: str, age: int, laps: int) -> Floats:
        """What some laps cost on a set of a compound that has an age when they begin, (n,) [s]."""
        ages = laps * age + laps * (laps - 1) / 2
        offset = self._race.tyres[compound].offset_s
        return np.float32(offset * laps) + self._wear_of(car, compound) * np.float32(ages)

    def _wear_of(self, car: int, compound: str) -> Floats:
        return (self._wears[compound] * self._race.cars[car].wear_factor).astype(np.float32)

    def pace(self) -> Floats:
        """What the tyres add to a lap, (cars, n) [s]."""
        pace = self._wear * self.age
        pace += self._offset
        if self._has_cold:
            pace += self._cold
        return pace

    def finish_lap(self) -> None:
        """Age every set by a lap; a set that was cold is warm from now on."""
        self.age += np.float32(1)
        if self._has_cold:
            self._cold[:] = 0
            self._has_cold = False

    def tyre_class(self, car: int) -> NDArray[np.int8]:
        """Class of the car's tyres, (n,): 0 slick, 1 intermediate, 2 full wet."""
        return _CLASS[self.compound[car]]

    def by_class(self, loss: Floats) -> Floats:
        """A loss by tyre class, (3, n), as a loss of every car, (cars, n)."""
        classes = _CLASS[self.compound]
        columns = np.arange(classes.shape[1])
        return loss[classes, columns]
