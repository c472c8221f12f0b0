"""Decision-tree ensembles as plain arrays, and their prediction in numpy.

Stored forests must be readable without pickle, and a prediction should not pay for importing scikit-learn and
xgboost (about 150 MB and two seconds): both libraries are used for fitting only.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from warehouse.errors import ModelArtifactError

if TYPE_CHECKING:
    import xgboost
    from sklearn.ensemble import RandomForestClassifier

_ARRAYS = ("roots", "left", "right", "feature", "threshold", "default_left", "value", "base")


@dataclass(frozen=True)
class TreeEnsemble:
    """All nodes of all trees, end to end; the answer is ``base`` plus the sum of the leaves reached.

    Attributes:
        roots: First node of each tree.
        left: Child for ``x < threshold``; a leaf is its own child.
        right: The other child.
        feature: Column a node looks at; 0 in leaves.
        threshold: float64.
        default_left: Whether an unknown value (NaN) goes left.
        value: Contribution of a leaf; 0 in inner nodes.
        base: One number, the answer of no trees.
    """

    roots: NDArray[np.int32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    feature: NDArray[np.int32]
    threshold: NDArray[np.float64]
    default_left: NDArray[np.bool_]
    value: NDArray[np.float64]
    base: NDArray[np.float64]

    def leaves(self, matrix: NDArray[np.float32]) -> NDArray[np.int32]:
        """Node of the leaf each row falls into: shape (trees, rows)."""
        node = np.repeat(self.roots[:, None], len(matrix), axis=1)
        rows = np.arange(len(matrix))[None, :]
        while True:
            x = matrix[rows, self.feature[node]]
            goes_left = np.where(np.isnan(x), self.default_left[node], x < self.threshold[node])
            following = np.where(goes_left, self.left[node], self.right[node])
            if np.array_equal(following, node):
                return node
            node = following

    def predict(self, matrix: NDArray[np.float32]) -> NDArray[np.float64]:
        """One number per row."""
        if len(matrix) == 0:
            return np.empty(0)
        return np.asarray(self.base[0] + self.value[self.leaves(matrix)].sum(axis=0))

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """The parts under ``<prefix>_<part>``, to be stored in one file with others."""
        return {f"{prefix}_{part}": getattr(self, part) for part in _ARRAYS}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]], prefix: str, columns: int) -> TreeEnsemble:
        """The inverse of ``arrays``; ``columns`` is the width of the matrix the trees will see.

        Raises:
            ModelArtifactError: Parts are missing, or the nodes do not form trees over ``columns`` features.
        """
        missing = [part for part in _ARRAYS if f"{prefix}_{part}" not in arrays]
        if missing:
            raise ModelArtifactError(f"the trees of {prefix} lack {', '.join(missing)}", hint="Train again.")
        trees = cls(**{part: arrays[f"{prefix}_{part}"] for part in _ARRAYS})
        n = len(trees.left)
        here = np.arange(n)
        # children lie behind their parent, so a descent always ends
        forward = all(len(c) == n and bool(np.all((c >= here) & (c < n))) for c in (trees.left, trees.right))
        if not forward or n == 0 or trees.feature.max() >= columns or trees.feature.min() < 0:
            raise ModelArtifactError(f"the nodes of {prefix} do not form trees", hint="Train again.")
        return trees


def from_forest(forest: RandomForestClassifier) -> TreeEnsemble:
    """A fitted two-class forest; predicts the mean probability of the second class."""
    parts: list[dict[str, NDArray[Any]]] = []
    positive = list(forest.classes_).index(1)
    for estimator in forest.estimators_:
        tree = estimator.tree_
        leaf = tree.children_left < 0
        shares = tree.value[:, 0, :] / tree.value[:, 0, :].sum(axis=1, keepdims=True)
        parts.append(
            {
                "left": tree.children_left,
                "right": tree.children_right,
                "feature": tree.feature,
                # scikit-learn goes left on x <= threshold: the same as x < the next larger number
                "threshold": np.nextafter(tree.threshold, np.inf),
                "default_left": np.zeros(len(leaf), dtype=np.bool_),
                "value": shares[:, positive] / len(forest.estimators_),
                "leaf": leaf,
            }
        )
    return _joined(parts, 0.0)


def from_booster(booster: xgboost.Booster, probe: NDArray[np.float32]) -> TreeEnsemble:
    """A fitted booster of numeric splits; predicts the margin (before any link function).

    Args:
        booster: With one output.
        probe: A few rows of the matrix it was fitted on, to find the margin of no trees: its place and form
            in xgboost's own files differ by version and objective.
    """
    import xgboost

    stored = json.loads(bytes(booster.save_raw("json")))
    parts: list[dict[str, NDArray[Any]]] = []
    for tree in stored["learner"]["gradient_booster"]["model"]["trees"]:
        left = np.asarray(tree["left_children"], dtype=np.int32)
        condition = np.asarray(tree["split_conditions"], dtype=np.float32).astype(np.float64)
        leaf = left < 0
        parts.append(
            {
                "left": left,
                "right": np.asarray(tree["right_children"], dtype=np.int32),
                "feature": np.asarray(tree["split_indices"], dtype=np.int32),
                "threshold": condition,
                "default_left": np.asarray(tree["default_left"], dtype=np.bool_),
                "value": condition,
                "leaf": leaf,
            }
        )
    without_base = _joined(parts, 0.0)
    margin = booster.predict(xgboost.DMatrix(probe), output_margin=True)
    return _joined(parts, float(np.mean(margin - without_base.predict(probe))))


def _joined(parts: list[dict[str, NDArray[Any]]], base: float) -> TreeEnsemble:
    sizes = np.array([len(part["leaf"]) for part in parts])
    roots = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    offset = np.repeat(roots, sizes)
    leaf = np.concatenate([part["leaf"] for part in parts])
    here = np.arange(len(leaf))

    def joined(name: str) -> NDArray[Any]:
        return np.concatenate([part[name] for part in parts])

    return TreeEnsemble(
        roots=roots.astype(np.int32),
        left=np.where(leaf, here, joined("left") + offset).astype(np.int32),
        right=np.where(leaf, here, joined("right") + offset).astype(np.int32),
        feature=np.where(leaf, 0, joined("feature")).astype(np.int32),
        threshold=np.where(leaf, 0.0, joined("threshold")),
        default_left=np.where(leaf, False, joined("default_left")),
        value=np.where(leaf, joined("value"), 0.0),
        base=np.array([base]),
    )
