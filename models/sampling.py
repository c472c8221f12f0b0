"""Sampled finishing orders of one field, and what follows from them.

The winner is drawn from the model's own win probabilities; everybody else is ranked by a noisy score. All
probabilities then come from the same orders, so a podium is never less likely than a win and the sums are
right by construction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.forecast import shortest_interval

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SAMPLES = 4_000
"""Orders per event: the standard error of a probability is then at most 0.008."""


@dataclass(frozen=True)
class OrderSummary:
    """What the sampled orders say of each driver (one value per driver)."""

    expected: Floats
    median: Floats
    low: Ints
    high: Ints
    podium: Floats
    points: Floats


def draw_winners(win: Floats, samples: int, rng: np.random.Generator) -> Ints:
    """Winner of each sample; stratified, so that every driver wins his share of samples to within one."""
    levels = (rng.permutation(samples) + 0.5) / samples
    # the last level is set to one against rounding: no sample may fall behind the last driver
    bounds = np.cumsum(win)
    bounds[-1] = 1.0
    return np.searchsorted(bounds, levels, side="right").astype(np.int64).clip(0, len(win) - 1)


def sample_orders(win: Floats, scores: Floats, rng: np.random.Generator) -> Ints:
    """Finishing positions 1..n: shape (samples, drivers).

    Args:
        win: Probability of winning per driver; sums to one.
        scores: Shape (samples, drivers); the smallest score is the best place.
        rng: Where chance comes from.
    """
    samples, n = scores.shape
    raced = scores.copy()
    raced[np.arange(samples), draw_winners(win, samples, rng)] = -np.inf
    order = np.argsort(raced, axis=1, kind="stable")
    positions = np.empty((samples, n), dtype=np.int64)
    np.put_along_axis(positions, order, np.arange(1, n + 1)[None, :], axis=1)
    return positions


def summarise(positions: Ints) -> OrderSummary:
    """Means, medians, intervals and frequencies per driver of ``positions`` (samples, drivers)."""
    samples, n = positions.shape
    counts = np.zeros((n, n))
    np.add.at(counts, (np.arange(n)[None, :], positions - 1), 1.0)
    distribution = counts / samples
    cumulative = np.cumsum(distribution, axis=1)
    low, high = shortest_interval(distribution)
    return OrderSummary(
        expected=distribution @ np.arange(1.0, n + 1.0),
        median=(cumulative >= 0.5 - 1e-9).argmax(axis=1) + 1.0,
        low=low,
        high=high,
        podium=cumulative[:, min(3, n) - 1],
        points=cumulative[:, min(10, n) - 1],
    )
