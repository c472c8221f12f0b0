"""Who wins: a random forest and gradient boosting, averaged.

Both judge each driver alone; ``probabilities`` makes their answers those of one field. The forest weighs
winners as heavily as everybody else together ("balanced"), so its raw values are far too high: each
classifier's values are normalised over the field first and averaged then. Walk-forward over 2018-2021, on 17
features, that gave a win log loss of 1.63; averaging first 1.66, the forest alone 1.73, boosting alone 1.81.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import fsum

import numpy as np
from numpy.typing import NDArray

from models.artifacts import RETRAIN, array_bytes, read_arrays
from models.trees import TreeEnsemble, from_booster, from_forest
from warehouse.errors import ModelArtifactError

Floats = NDArray[np.float64]
Matrix = NDArray[np.float32]

FOREST_TREES = 100
FOREST_DEPTH = 10
BOOSTING_ROUNDS = 200
BOOSTING_RATE = 0.1
BOOSTING_DEPTH = 6


@dataclass(frozen=True)
class WinClassifiers:
    """The two trained classifiers.

    Attributes:
        medians: Training median of each feature, put in place of unknown values for the forest; 0 where a
            feature was never known. Boosting handles unknown values itself.
        forest: Predicts a probability.
        boosting: Predicts log odds.
        booster: The boosting model in xgboost's own format (UBJSON), for tools that explain it.
    """

    medians: NDArray[np.float32]
    forest: TreeEnsemble
    boosting: TreeEnsemble
    booster: bytes

    @classmethod
    def fit(cls, matrix: Matrix, is_winner: NDArray[np.bool_], *, seed: int, threads: int) -> WinClassifiers:
        """Train both; needs scikit-learn and xgboost, which prediction does not."""
        import xgboost
        from sklearn.ensemble import RandomForestClassifier

        target = is_winner.astype(np.int64)
        medians = column_medians(matrix)
        forest = RandomForestClassifier(
            n_estimators=FOREST_TREES,
            max_depth=FOREST_DEPTH,
            class_weight="balanced",
            random_state=seed,
            n_jobs=threads,
        ).fit(imputed(matrix, medians), target)
        booster = xgboost.train(
            {
                "objective": "binary:logistic",
                "eta": BOOSTING_RATE,
                "max_depth": BOOSTING_DEPTH,
                "tree_method": "hist",
                "max_bin": 64,
                "seed": seed,
                "nthread": threads,
            },
            xgboost.DMatrix(matrix, label=target),
            num_boost_round=BOOSTING_ROUNDS,
        )
        return cls(
            medians=medians,
            forest=from_forest(forest),
            boosting=from_booster(booster, matrix[:50]),
            booster=bytes(booster.save_raw("ubj")),
        )

    def forest_probability(self, matrix: Matrix) -> Floats:
        """The forest's own value per row, not normalised."""
        return self.forest.predict(imputed(matrix, self.medians))

    def boosting_probability(self, matrix: Matrix) -> Floats:
        """Boosting's own value per row, not normalised."""
        return np.asarray(1.0 / (1.0 + np.exp(-self.boosting.predict(matrix))))

    def probabilities(self, matrix: Matrix) -> Floats:
        """Win probabilities of the drivers of one field; they sum to one."""
        forest, boosting = self.forest_probability(matrix), self.boosting_probability(matrix)
        # exact sums: the order of the rows must not show in the last digit
        forest_sum, boosting_sum = fsum(forest), fsum(boosting)
        if forest_sum <= 0:  # no tree sees a winner in anybody
            return np.asarray(boosting / boosting_sum)
        return np.asarray((forest / forest_sum + boosting / boosting_sum) / 2)

    def artifacts(self) -> dict[str, bytes]:
        """Files of both classifiers."""
        return {
            "winner.npz": array_bytes(
                {"medians": self.medians, **self.forest.arrays("forest"), **self.boosting.arrays("boosting")}
            ),
            "winner.ubj": self.booster,
        }

    @classmethod
    def from_artifacts(cls, artifacts: Mapping[str, bytes], columns: int) -> WinClassifiers:
        """The inverse of ``artifacts``.

        Raises:
            ModelArtifactError: A file is missing or does not fit a matrix of ``columns`` features.
        """
        arrays = read_arrays(artifacts, "winner.npz")
        medians = arrays.get("medians")
        if medians is None or medians.shape != (columns,) or "winner.ubj" not in artifacts:
            raise ModelArtifactError("the files of the win classifiers do not belong together", hint=RETRAIN)
        return cls(
            medians=medians.astype(np.float32),
            forest=TreeEnsemble.from_arrays(arrays, "forest", columns),
            boosting=TreeEnsemble.from_arrays(arrays, "boosting", columns),
            booster=artifacts["winner.ubj"],
        )


def column_medians(matrix: Matrix) -> NDArray[np.float32]:
    """Median of the known values of each column; 0 for a column without any."""
    medians = np.zeros(matrix.shape[1], dtype=np.float32)
    for column in range(matrix.shape[1]):
        known = matrix[:, column][~np.isnan(matrix[:, column])]
        if len(known):
            medians[column] = np.median(known)
    return medians


def imputed(matrix: Matrix, medians: NDArray[np.float32]) -> Matrix:
    """``matrix`` with unknown values replaced by ``medians``."""
    return np.where(np.isnan(matrix), medians[None, :], matrix)
