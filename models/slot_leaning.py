"""Drawn orders that lean towards what became of the drivers in the same grid slots: the calibration of the joint model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.joint_settings import JointSettings
from models.order_simulation import PODIUM, TOP_TEN, SampledOrders, marginals, reweight
from models.probabilities import scale_to_total
from models.slots import SlotTable

Floats = NDArray[np.float64]


def lean_on_slots(
    orders: SampledOrders, slots: Floats, table: SlotTable, settings: JointSettings
) -> SampledOrders:
    """Orders reweighted towards the frequencies of the slots; as they are where there are none.

    Args:
        orders: As drawn, with equal weights.
        slots: Slot of each driver; NaN before qualifying.
        table: What became of drivers by slot.
        settings: How far wins, podiums and points finishes follow the drawn orders.
    """
    n = len(slots)
    if np.isnan(slots).any() or n < 2:
        return orders
    own = marginals(orders)
    usual = table.forecast("", [""] * n, slots.astype(np.int64))
    floor = 0.5 / len(orders.weights)
    win = np.maximum(own.win, floor) ** settings.own_win * usual.win ** (1.0 - settings.own_win)
    podium = _mixed_odds(own.podium, usual.podium, settings.own_podium, 1.0)
    points = _mixed_odds(own.points, usual.points, settings.own_points, settings.points_sharpness)
    won = scale_to_total(win, 1.0)
    placed = scale_to_total(podium, min(PODIUM, n), floor=won)
    scored = scale_to_total(points, min(TOP_TEN, n), floor=placed)
    return reweight(orders, won, placed, scored)


def _mixed_odds(own: Floats, usual: Floats, share: float, sharpness: float) -> Floats:
    """Probabilities between two, on the scale of log odds."""

    def log_odds(chance: Floats) -> Floats:
        bounded = np.clip(chance, 1e-3, 1 - 1e-3)
        return np.asarray(np.log(bounded / (1 - bounded)))

    mixed = sharpness * (share * log_odds(own) + (1.0 - share) * log_odds(usual))
    return np.asarray(1.0 / (1.0 + np.exp(-mixed)))
