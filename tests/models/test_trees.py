from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import xgboost
from sklearn.ensemble import RandomForestClassifier

from models.artifacts import array_bytes, read_arrays
from models.trees import TreeEnsemble, from_booster, from_forest
from models.win_classifiers import WinClassifiers, column_medians, imputed
from warehouse.errors import ModelArtifactError


def data(rows: int = 400, columns: int = 6, missing: float = 0.15) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(4)
    # few distinct values put many rows exactly on a threshold, where < and <= differ
    matrix = rng.integers(0, 8, (rows, columns)).astype(np.float32)
    target = (matrix[:, 0] + matrix[:, 1] + rng.normal(0, 2, rows) > 9).astype(int)
    matrix[rng.random(matrix.shape) < missing] = np.nan
    return matrix, target


def test_forest_arrays_equal_scikit_learn() -> None:
    matrix, target = data()
    whole = imputed(matrix, column_medians(matrix))
    forest = RandomForestClassifier(30, max_depth=10, class_weight="balanced", random_state=1).fit(
        whole, target
    )
    # thresholds lie between values, so values between them are asked for as well
    asked = np.concatenate([whole, whole + 0.5])
    np.testing.assert_allclose(
        from_forest(forest).predict(asked), forest.predict_proba(asked)[:, 1], rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("objective", ["binary:logistic", "reg:absoluteerror", "reg:squarederror"])
def test_booster_arrays_equal_xgboost(objective: str) -> None:
    matrix, target = data()
    booster = xgboost.train(
        {"objective": objective, "max_depth": 5, "seed": 1, "nthread": 1}, xgboost.DMatrix(matrix, target), 40
    )
    expected = booster.predict(xgboost.DMatrix(matrix), output_margin=True)
    np.testing.assert_allclose(from_booster(booster, matrix[:20]).predict(matrix), expected, atol=2e-5)


def test_win_classifiers_agree_with_their_stored_booster() -> None:
    matrix, target = data()
    model = WinClassifiers.fit(matrix, target == 1, seed=0, threads=1)
    booster = xgboost.Booster()
    booster.load_model(bytearray(model.booster))
    np.testing.assert_allclose(
        model.boosting_probability(matrix), booster.predict(xgboost.DMatrix(matrix)), atol=1e-5
    )


def test_trees_survive_the_way_through_bytes() -> None:
    matrix, target = data()
    forest = from_forest(RandomForestClassifier(5, random_state=0).fit(np.nan_to_num(matrix), target))
    stored = array_bytes(forest.arrays("forest"))
    back = TreeEnsemble.from_arrays(read_arrays({"t.npz": stored}, "t.npz"), "forest", matrix.shape[1])
    np.testing.assert_array_equal(back.predict(np.nan_to_num(matrix)), forest.predict(np.nan_to_num(matrix)))
    assert array_bytes(back.arrays("forest")) == stored


@pytest.mark.parametrize("part", ["left", "right", "feature"])
def test_nodes_that_form_no_tree_are_refused(part: str) -> None:
    matrix, target = data()
    arrays = from_forest(RandomForestClassifier(2, random_state=0).fit(np.nan_to_num(matrix), target)).arrays(
        "f"
    )
    # a child in front of its parent would make the descent endless
    arrays[f"f_{part}"] = arrays[f"f_{part}"].copy()
    arrays[f"f_{part}"][-1] = -1
    with pytest.raises(ModelArtifactError, match="do not form trees"):
        TreeEnsemble.from_arrays(arrays, "f", matrix.shape[1])


def test_pickled_arrays_are_refused() -> None:
    with pytest.raises(ModelArtifactError, match=r"t\.npz"):
        read_arrays({"t.npz": array_bytes({"a": np.array([{}], dtype=object)})}, "t.npz")


def test_predicting_imports_neither_scikit_learn_nor_xgboost() -> None:
    code = "import sys, models.catalogue; print({'sklearn', 'xgboost', 'pandas', 'scipy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
