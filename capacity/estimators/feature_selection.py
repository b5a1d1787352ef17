"""Estimators with the manners of scikit-learn: a score function for its feature selection."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from capacity.estimators.arrays import named
from capacity.estimators.estimator import Estimator
from capacity.runtime.keys import Seed, as_key


def information_scorer(key: Seed, method: str | Estimator = "auto") -> Callable[[ArrayLike, ArrayLike], np.ndarray]:
    """A `score_func(X, y)` for `sklearn.feature_selection.SelectKBest` and its kin: bits between each column and y.

    Args:
        key: a key or a seed; decides every random number; all columns share it, so that equal columns score alike.
        method: as in `estimate`.

    Returns:
        A function of X (n, features) and y (n,) that returns scores (features,), in bits.
    """
    estimator, key = named(method), as_key(key)

    def score(features: ArrayLike, target: ArrayLike) -> np.ndarray:
        return np.array([float(estimator(key, column, target).bits) for column in np.asarray(features).T])

    return score
