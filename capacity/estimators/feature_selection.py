"""Estimators with the manners of scikit-learn: a score function for its feature selection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from capacity.estimators.arrays import named
from capacity.estimators.estimator import Estimator


def information_scorer(key: jax.Array, method: str | Estimator = "auto") -> Callable[[Any, Any], np.ndarray]:
    """A `score_func(X, y)` for `sklearn.feature_selection.SelectKBest` and its kin: bits between each column and y.

    Args:
        key: decides every random number; all columns share it, so that equal columns score alike.
        method: as in `estimate`.

    Returns:
        A function of X (n, features) and y (n,) that returns scores (features,), in bits.
    """
    estimator = named(method)

    def score(features: Any, target: Any) -> np.ndarray:
        return np.array([float(estimator(key, column, target).bits) for column in np.asarray(features).T])

    return score
