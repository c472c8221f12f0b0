"""Boosted trees that say where a driver finishes, as a share of the field; the smaller part of the joint model's strength.

They are trained as :mod:`models.place_regression` says. The grid slot is constrained: a worse slot never moves a driver
forward.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.artifacts import RETRAIN, array_bytes, read_arrays
from models.place_regression import fit_places
from models.trees import TreeEnsemble
from warehouse.errors import ModelArtifactError

Floats = NDArray[np.float64]
Matrix = NDArray[np.float32]

NEVER_FORWARD = ("grid_position", "qualifying_position")
"""Features of which a larger value never improves the predicted place."""


@dataclass(frozen=True)
class PlaceTrees:
    """The trained trees.

    Attributes:
        trees: Predict the finishing position as a share of the field, (position - 0.5) / n.
        booster: The same in xgboost's own format (UBJSON), which explains itself.
    """

    trees: TreeEnsemble
    booster: bytes

    @classmethod
    def fit(
        cls, matrix: Matrix, names: Sequence[str], share: Floats, *, seed: int, threads: int
    ) -> PlaceTrees:
        """Trains on one row per starter; the order of rows matters to the drawing of samples."""
        directions = [1 if name in NEVER_FORWARD else 0 for name in names]
        return cls(*fit_places(matrix, share, seed=seed, threads=threads, directions=directions))

    def predict(self, matrix: Matrix) -> Floats:
        """Share of the field per row."""
        return self.trees.predict(matrix)

    def contributions(self, matrix: Matrix) -> Floats:
        """What every feature adds to the prediction (TreeSHAP): shape (rows, features); the common base is left out."""
        import xgboost

        booster = xgboost.Booster({"nthread": 1})
        booster.load_model(bytearray(self.booster))
        return np.asarray(
            booster.predict(xgboost.DMatrix(matrix), pred_contribs=True)[:, :-1], dtype=np.float64
        )

    def artifacts(self) -> dict[str, bytes]:
        """Files of the trees."""
        return {"places.npz": array_bytes(self.trees.arrays("places")), "places.ubj": self.booster}

    @classmethod
    def from_artifacts(cls, artifacts: Mapping[str, bytes], columns: int) -> PlaceTrees:
        """The inverse of ``artifacts``.

        Raises:
            ModelArtifactError: A file is missing or does not fit a matrix of ``columns`` features.
        """
        if "places.ubj" not in artifacts:
            raise ModelArtifactError("places.ubj is missing from the model", hint=RETRAIN)
        arrays = read_arrays(artifacts, "places.npz")
        return cls(TreeEnsemble.from_arrays(arrays, "places", columns), artifacts["places.ubj"])
