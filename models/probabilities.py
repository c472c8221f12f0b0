"""Probabilities of one field that add up.

In a field of n drivers exactly min(k, n) finish in the first k, so the drivers' probabilities of it must sum
to that number, and nobody can be likelier to win than to reach the podium.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Smallest weight of a driver before normalising, so that every total can be reached.
WEIGHT_FLOOR = 1e-12


def scale_to_total(weights: Floats, total: float, floor: Floats | None = None) -> Floats:
    """The multiple of ``weights``, bounded by ``floor`` below and 1 above, whose sum is ``total``.

    Where no bound is met this is plain normalising. ``total`` must lie between ``floor.sum()`` and
    ``len(weights)``.

    Args:
        weights: Not negative, one per driver.
        total: The wanted sum.
        floor: Lower bound per driver; 0 if not given.
    """
    n = len(weights)
    low = np.zeros(n) if floor is None else np.minimum(floor, 1.0)
    if total >= n:
        return np.ones(n)
    safe = np.maximum(np.asarray(weights, dtype=np.float64), WEIGHT_FLOOR)
    if low.sum() >= total:
        return np.asarray(low * (total / low.sum()))
    # The sum grows with the factor and is linear between the factors at which a driver meets a bound,
    # so the right stretch is found first and the factor is then exact.
    knots = np.unique(np.concatenate([low / safe, 1.0 / safe]))
    sums = np.clip(knots[:, None] * safe, low, 1.0).sum(axis=1)
    upper = int(np.clip(np.searchsorted(sums, total), 1, len(knots) - 1))
    span = sums[upper] - sums[upper - 1]
    share = 0.0 if span <= 0 else (total - sums[upper - 1]) / span
    factor = knots[upper - 1] + share * (knots[upper] - knots[upper - 1])
    return np.asarray(np.clip(factor * safe, low, 1.0))


def coherent(win: Floats, podium: Floats, points: Floats) -> tuple[Floats, Floats, Floats]:
    """Scale the three to their totals, podium never below win and points never below podium."""
    n = len(win)
    won = scale_to_total(win, min(1, n))
    placed = scale_to_total(podium, min(3, n), floor=won)
    scored = scale_to_total(points, min(10, n), floor=placed)
    return won, placed, scored


def softmax(scores: Floats) -> Floats:
    """Shares proportional to ``exp(scores)``."""
    shifted = np.exp(scores - scores.max())
    return np.asarray(shifted / shifted.sum())
