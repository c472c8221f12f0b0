"""The hazard of retiring: a logistic model around the rate of the last races."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.order_terms import FieldColumns

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

BASE_HALF_LIFE = 25.0
"""Races after which a race counts half for the base rate."""
RIDGE = 5.0
ITERATIONS = 25
USUAL_RATE = 0.15
"""Stands in for an unknown rate: about that of 2010–2021."""
NAMES = (
    "constant",
    "slot",
    "driver",
    "constructor",
    "circuit",
    "inexperience",
    "street_circuit",
    "first_race",
)


@dataclass(frozen=True)
class RetirementHazard:
    """Log odds of retiring: those of the base rate plus a linear part.

    Attributes:
        base: Share of starters that retired in the last races, newer ones counting more.
        coefficients: One for each of ``NAMES``.
    """

    base: float
    coefficients: Floats

    @classmethod
    def fit(
        cls, columns: FieldColumns, retired: Mask, counts: Mask, weights: Floats, starts: Ints
    ) -> RetirementHazard:
        """Learns from past races, oldest first.

        Args:
            columns: Features of the starters.
            retired: Whether each retired or was not classified.
            counts: Whether what became of him is known.
            weights: How much each row counts.
            starts: First row of each race, plus the total.
        """
        rates = np.array(
            [
                retired[a:b][counts[a:b]].mean() if counts[a:b].any() else USUAL_RATE
                for a, b in pairwise(starts)
            ]
        )
        bases = _running_base(rates)
        matrix = _matrix(columns)
        offset = _log_odds(np.repeat(bases[:-1], np.diff(starts)))
        coefficients = np.zeros(len(NAMES))
        used = weights * counts
        for _ in range(ITERATIONS):
            chance = _logistic(matrix @ coefficients + offset)
            gradient = matrix.T @ (used * (retired - chance)) - RIDGE * coefficients
            curvature = (matrix * (used * chance * (1 - chance))[:, None]).T @ matrix
            step = np.linalg.solve(curvature + RIDGE * np.eye(len(NAMES)), gradient)
            coefficients = coefficients + step
            if np.abs(step).max() < 1e-8:
                break
        return cls(float(bases[-1]), coefficients)

    def probabilities(self, columns: FieldColumns) -> Floats:
        """Probability of retiring, per row."""
        return _logistic(_matrix(columns) @ self.coefficients + _log_odds(np.array([self.base])))


def _running_base(rates: Floats) -> Floats:
    """The base rate before each race, and after the last; the usual rate counts like three races."""
    decay = 0.5 ** (1.0 / BASE_HALF_LIFE)
    weight, total = 3.0, 3.0 * USUAL_RATE
    bases = np.empty(len(rates) + 1)
    for race, rate in enumerate(rates):
        bases[race] = total / weight
        weight, total = weight * decay + 1.0, total * decay + rate
    bases[-1] = total / weight
    return bases


def _matrix(columns: FieldColumns) -> Floats:
    def known(name: str, otherwise: float) -> Floats:
        values = columns.column(name)
        return np.where(np.isnan(values), otherwise, values)

    slots = columns.slots
    starts = known("career_starts", 0.0)
    return np.column_stack(
        [
            np.ones(len(slots)),
            np.where(np.isnan(slots), 10.0, slots) / 20.0 - 0.5,
            known("dnf_rate_30", USUAL_RATE) - USUAL_RATE,
            known("constructor_dnf_rate_10", USUAL_RATE) - USUAL_RATE,
            known("circuit_dnf_rate", USUAL_RATE) - USUAL_RATE,
            np.exp(-starts / 20.0),
            known("is_street_circuit", 0.0),
            (known("season_starts", 1.0) == 0).astype(np.float64),
        ]
    )


def _log_odds(chance: Floats) -> Floats:
    bounded = np.clip(chance, 1e-3, 1 - 1e-3)
    return np.asarray(np.log(bounded / (1 - bounded)))


def _logistic(log_odds: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(log_odds, -30.0, 30.0))))
