"""Plackett–Luce: a finishing order as a chain of choices, the best of those left being chosen each time.

The strength of a driver is linear in his terms; the likelihood of an order is the product, place by place, of the chosen
one's share of what is left: exp(strength) over the sum of exp(strength). Cars that retired say little about pace, so only
those that ``counts`` are part of the chain. Fitted by Newton's method: the function is concave, and ridge keeps it bounded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

ITERATIONS = 30
TOLERANCE = 1e-7


@dataclass(frozen=True)
class OrderedFields:
    """Past finishing orders, padded to the largest field.

    Attributes:
        terms: Shape (races, places, terms); cars in finishing order, zeros beyond.
        counts: Shape (races, places): whether there is a car here that counts.
    """

    terms: Floats
    counts: Mask

    @classmethod
    def of(cls, terms: Floats, starts: Ints, positions: Ints, counts: Mask) -> OrderedFields:
        """Sorts the rows of each race.

        Args:
            terms: One row per starter, rows of one race together.
            starts: First row of each race, plus the total.
            positions: Finishing position.
            counts: Whether the starter is part of the chain.
        """
        sizes = np.diff(starts)
        race = np.repeat(np.arange(len(sizes)), sizes)
        # those that do not count go to the back, where the chain has ended
        order = np.lexsort((positions, ~counts, race))
        place = np.arange(len(race)) - np.repeat(starts[:-1], sizes)
        shape = (len(sizes), int(sizes.max(initial=0)))
        padded = np.zeros((*shape, terms.shape[1]))
        counted = np.zeros(shape, dtype=np.bool_)
        padded[race, place] = terms[order]
        counted[race, place] = counts[order]
        return cls(padded, counted)


def fit_plackett_luce(fields: OrderedFields, weights: Floats, ridge: float) -> Floats:
    """Coefficients of the terms.

    Args:
        fields: The orders.
        weights: How much each race counts.
        ridge: Penalty on half the squared coefficients.
    """
    size = fields.terms.shape[2]
    coefficients = np.zeros(size)
    value = _likelihood(fields, weights, ridge, coefficients)
    for _ in range(ITERATIONS):
        gradient, curvature = _derivatives(fields, weights, ridge, coefficients)
        step = np.linalg.solve(curvature, gradient)
        share = 1.0
        while True:
            tried = coefficients + share * step
            reached = _likelihood(fields, weights, ridge, tried)
            if reached >= value - 1e-10 or share < 1e-6:
                break
            share /= 2
        coefficients, value = tried, reached
        if np.abs(share * step).max(initial=0.0) < TOLERANCE:
            break
    return coefficients


def _chain(fields: OrderedFields, coefficients: Floats) -> tuple[Floats, Floats, Floats]:
    """Logarithm and size of each car's weight, and the sum over those not yet placed (1 where nobody is)."""
    strength = np.where(fields.counts, fields.terms @ coefficients, -np.inf)
    highest = strength.max(axis=1, keepdims=True, initial=-1e300)
    weight = np.exp(strength - highest)
    left = np.cumsum(weight[:, ::-1], axis=1)[:, ::-1]
    return strength - highest, weight, np.where(fields.counts, left, 1.0)


def _likelihood(fields: OrderedFields, weights: Floats, ridge: float, coefficients: Floats) -> float:
    log_weight, _, left = _chain(fields, coefficients)
    terms = np.where(fields.counts, log_weight - np.log(left), 0.0)
    return float((weights[:, None] * terms).sum() - 0.5 * ridge * (coefficients**2).sum())


def _derivatives(
    fields: OrderedFields, weights: Floats, ridge: float, coefficients: Floats
) -> tuple[Floats, Floats]:
    """Gradient, and the negative matrix of second derivatives."""
    _, weight, left = _chain(fields, coefficients)
    step = np.where(fields.counts, weights[:, None], 0.0)
    sums = np.cumsum((weight[:, :, None] * fields.terms)[:, ::-1], axis=1)[:, ::-1]
    mean = sums / left[:, :, None]
    gradient = np.einsum("rp,rpk->k", step, fields.terms - mean) - ridge * coefficients
    # a car is among those left at its own place and at all before it
    present = weight * np.cumsum(step / left, axis=1)
    size = len(coefficients)
    rows = fields.terms.reshape(-1, size)
    means = mean.reshape(-1, size)
    curvature = (rows * present.reshape(-1, 1)).T @ rows - (means * step.reshape(-1, 1)).T @ means
    return gradient, curvature + ridge * np.eye(size)
