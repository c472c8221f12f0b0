"""Where a driver finishes: a regression of the median (:mod:`models.place_regression`), and how far off it usually is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.artifacts import RETRAIN, array_bytes, read_arrays
from models.place_regression import fit_places
from models.trees import TreeEnsemble
from warehouse.errors import ModelArtifactError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Matrix = NDArray[np.float32]

HOLD_OUT_SEASONS = 3
"""Most recent seasons whose errors are measured by a model of earlier seasons only."""

BAND_CENTRES = np.array([0.05, 0.15, 0.30, 0.50, 0.70, 0.90])
"""Places in the field, as a share of it, around which errors are collected."""

LEVELS = np.linspace(0.0, 1.0, 41)
"""Quantile levels at which the errors of a band are kept."""

MINIMUM_BAND = 30
"""Errors a band needs; with fewer it takes those of the whole field."""


@dataclass(frozen=True)
class PositionModel:
    """The trained regression and the distribution of its errors.

    Attributes:
        trees: Predict the share of the field.
        booster: The same model in xgboost's own format (UBJSON).
        errors: Quantiles (``LEVELS``) of actual minus predicted share, one row per band of ``BAND_CENTRES``;
            from out-of-fold predictions by time. Errors are far from normal (retirements reach to the back),
            so their quantiles are kept and not one standard deviation.
    """

    trees: TreeEnsemble
    booster: bytes
    errors: Floats

    @classmethod
    def fit(
        cls,
        matrix: Matrix,
        positions: Ints,
        field_sizes: Ints,
        seasons: Ints,
        events: Ints,
        *,
        seed: int,
        threads: int,
    ) -> PositionModel:
        """Train on all rows, after measuring errors on held-out ones.

        Args:
            matrix: One row per starter.
            positions: His finishing position.
            field_sizes: Starters of his event.
            seasons: Season of his event.
            events: A number per event, equal for the rows of one event.
            seed: Of the row and column sampling.
            threads: xgboost's threads.
        """
        share = (positions - 0.5) / field_sizes
        predicted, actual = [], []
        for learn, held_out in _folds(seasons, events):
            trees, _ = fit_places(matrix[learn], share[learn], seed=seed, threads=threads)
            predicted.append(trees.predict(matrix[held_out]))
            actual.append(share[held_out])
        errors = _error_quantiles(np.concatenate(predicted), np.concatenate(actual))
        trees, booster = fit_places(matrix, share, seed=seed, threads=threads)
        return cls(trees, booster, errors)

    def predict(self, matrix: Matrix) -> Floats:
        """Median finishing position of each driver of one field, real-valued, within 1..n."""
        n = len(matrix)
        return np.asarray(np.clip(self.trees.predict(matrix) * n + 0.5, 1.0, n))

    def noisy_scores(self, positions: Floats, samples: int, rng: np.random.Generator) -> Floats:
        """Positions plus a random error each: shape (samples, drivers).

        Args:
            positions: Answer of ``predict``.
            samples: How many draws.
            rng: Where chance comes from.
        """
        n = len(positions)
        share = np.clip((positions - 0.5) / n, BAND_CENTRES[0], BAND_CENTRES[-1])
        upper = np.searchsorted(BAND_CENTRES, share).clip(1, len(BAND_CENTRES) - 1)
        weight = ((share - BAND_CENTRES[upper - 1]) / (BAND_CENTRES[upper] - BAND_CENTRES[upper - 1]))[
            :, None
        ]
        quantiles = (1 - weight) * self.errors[upper - 1] + weight * self.errors[upper]
        level = rng.random((samples, n)) * (len(LEVELS) - 1)
        below = np.minimum(level.astype(np.int64), len(LEVELS) - 2)
        rest = level - below
        driver = np.arange(n)[None, :]
        error = (1 - rest) * quantiles[driver, below] + rest * quantiles[driver, below + 1]
        return np.asarray(positions[None, :] + n * error)

    def artifacts(self) -> dict[str, bytes]:
        """Files of the regression and its errors."""
        return {
            "positions.npz": array_bytes({"errors": self.errors, **self.trees.arrays("positions")}),
            "positions.ubj": self.booster,
        }

    @classmethod
    def from_artifacts(cls, artifacts: Mapping[str, bytes], columns: int) -> PositionModel:
        """The inverse of ``artifacts``.

        Raises:
            ModelArtifactError: A file is missing or does not fit a matrix of ``columns`` features.
        """
        arrays = read_arrays(artifacts, "positions.npz")
        errors = arrays.get("errors")
        if (
            errors is None
            or errors.shape != (len(BAND_CENTRES), len(LEVELS))
            or "positions.ubj" not in artifacts
        ):
            raise ModelArtifactError("the files of the position model do not belong together", hint=RETRAIN)
        return cls(TreeEnsemble.from_arrays(arrays, "positions", columns), artifacts["positions.ubj"], errors)


def _folds(seasons: Ints, events: Ints) -> list[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """Rows to learn from and rows to judge by: each of the last seasons against all before it.

    With a single season its events are split in three instead; with a single event the errors are those of
    the fit itself, which is too kind, but better than none.
    """
    known = np.unique(seasons)
    if len(known) > 1:
        return [(seasons < last, seasons == last) for last in known[1:][-HOLD_OUT_SEASONS:]]
    part = np.unique(events, return_inverse=True)[1] % 3
    parts = np.unique(part)
    if len(parts) > 1:
        return [(part != held_out, part == held_out) for held_out in parts]
    everything = np.ones(len(seasons), dtype=np.bool_)
    return [(everything, everything)]


def _error_quantiles(predicted: Floats, actual: Floats) -> Floats:
    error = actual - predicted
    edges = np.concatenate([[-np.inf], (BAND_CENTRES[:-1] + BAND_CENTRES[1:]) / 2, [np.inf]])
    band = np.searchsorted(edges, predicted, side="right") - 1
    table = np.empty((len(BAND_CENTRES), len(LEVELS)))
    for row in range(len(BAND_CENTRES)):
        own = error[band == row]
        table[row] = np.quantile(own if len(own) >= MINIMUM_BAND else error, LEVELS)
    return table
