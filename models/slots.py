"""What became of the drivers who stood in the same place: empirical finishing distributions per slot.

A slot is a place in an order known before the race: the starting grid, or the championship.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.forecast import FieldForecast, shortest_interval
from warehouse.errors import ModelArtifactError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SMOOTHING_SLOTS = 0.6
"""Standard deviation of the Gaussian over neighbouring slots."""

PSEUDO_STARTS = 0.5
"""Starts at the overall rate added to every slot."""

MINIMUM_SLOTS = 40
"""Slots a table has at least: more than any modern field, so that an unusual one still has a row."""

_PARTS = ("win", "podium", "points", "distribution", "median")


@dataclass(frozen=True)
class SlotTable:
    """Frequencies per slot; row k is slot k + 1.

    Attributes:
        win: Rate of wins.
        podium: Rate of top-three finishes.
        points: Rate of top-ten finishes.
        distribution: Rate of each finishing position (slots, positions); rows sum to one.
        median: Median finish of the slot, not smoothed; the slot itself where nobody has started.
    """

    win: Floats
    podium: Floats
    points: Floats
    distribution: Floats
    median: Floats

    @classmethod
    def fit(cls, slots: Ints, positions: Ints) -> SlotTable:
        """Count finishes by slot, smooth over neighbours and add the pseudo-starts.

        Args:
            slots: Place of each starter in the order known before, from 1.
            positions: His finishing position, from 1.
        """
        size = max(int(slots.max()), int(positions.max()), MINIMUM_SLOTS)
        counts = np.zeros((size, size))
        np.add.at(counts, (slots - 1, positions - 1), 1.0)
        place = np.arange(size)
        kernel = np.exp(-0.5 * ((place[:, None] - place[None, :]) / SMOOTHING_SLOTS) ** 2)
        overall = counts.sum(axis=0) / counts.sum()
        smooth = kernel @ counts + PSEUDO_STARTS * overall
        distribution = smooth / smooth.sum(axis=1, keepdims=True)
        # Behind the last slot anybody has started from there is no evidence but that of the last one.
        distribution[int(slots.max()) :] = distribution[int(slots.max()) - 1]
        median = np.arange(1.0, size + 1.0)
        for slot in np.unique(slots):
            median[slot - 1] = np.median(positions[slots == slot])
        return cls(
            win=distribution[:, 0],
            podium=distribution[:, :3].sum(axis=1),
            points=distribution[:, :10].sum(axis=1),
            distribution=distribution,
            median=median,
        )

    def forecast(self, event_id: str, driver_ids: list[str], slots: Ints) -> FieldForecast:
        """The forecast of drivers who hold ``slots``, a permutation of 1..n."""
        n = len(slots)
        row = np.minimum(slots, len(self.win)) - 1
        # positions behind the last of this field mean last
        reached = self.distribution[row][:, :n].copy()
        reached[:, -1] += 1.0 - reached.sum(axis=1)
        low, high = shortest_interval(reached)
        return FieldForecast(
            event_id=event_id,
            driver_ids=driver_ids,
            order_key=slots.astype(np.float64),
            expected=reached @ np.arange(1.0, n + 1.0),
            median=self.median[row],
            low=low,
            high=high,
            win=self.win[row],
            podium=self.podium[row],
            points=self.points[row],
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The parts by name."""
        return {part: getattr(self, part) for part in _PARTS}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> SlotTable:
        """The inverse of ``arrays``.

        Raises:
            ModelArtifactError: A part is missing.
        """
        missing = [part for part in _PARTS if part not in arrays]
        if missing:
            raise ModelArtifactError(
                f"the slot table lacks {', '.join(missing)}", hint="Train the model again."
            )
        return cls(**{part: arrays[part] for part in _PARTS})
