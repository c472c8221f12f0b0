"""The regression of a finishing place: how the trees of both learned models are trained.

The target is the position as a share of the field, (position - 0.5) / n, so that fields of 20 and 24 cars teach the same
thing. The loss is the absolute error: the answer is a median, which is what the raw error is judged by. Trees are shallow
and strongly regularised: a season has few races and retirements are noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.trees import TreeEnsemble, from_booster

Floats = NDArray[np.float64]
Matrix = NDArray[np.float32]

ROUNDS = 300
PARAMETERS: dict[str, Any] = {
    "objective": "reg:absoluteerror",
    "eta": 0.05,
    "max_depth": 3,
    "min_child_weight": 20,
    "subsample": 0.7,
    "colsample_bytree": 0.5,
    "lambda": 5.0,
    "tree_method": "hist",
    "max_bin": 64,
}


def fit_places(
    matrix: Matrix, share: Floats, *, seed: int, threads: int, directions: Sequence[int] = ()
) -> tuple[TreeEnsemble, bytes]:
    """Trains on one row per starter; the order of rows matters to the drawing of samples.

    Args:
        matrix: Features of each starter.
        share: His finishing position as a share of the field.
        seed: Of the row and column sampling.
        threads: xgboost's threads.
        directions: Per column 1 where a larger value never improves the place, else 0; empty for no such column.

    Returns:
        The trees, and the same in xgboost's own format (UBJSON).
    """
    import xgboost

    bound = {"monotone_constraints": str(tuple(directions))} if directions else {}
    booster = xgboost.train(
        {**PARAMETERS, **bound, "seed": seed, "nthread": threads},
        xgboost.DMatrix(matrix, label=share),
        num_boost_round=ROUNDS,
    )
    return from_booster(booster, matrix[:50]), bytes(booster.save_raw("ubj"))
