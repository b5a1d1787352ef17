"""Estimators with the manners of scikit-learn: a score function for its feature selection."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from capacity.estimators.by_name import by_name
from capacity.estimators.estimator import Estimator
from capacity.runtime.keys import Seed, as_key
from capacity.runtime.tables.columns import column_of, split_columns
from capacity.runtime.tables.foreign import Tabular
from capacity.runtime.tables.sides import TableSide, side_of


def information_scorer(key: Seed, method: str | Estimator = "auto") -> Callable[[Tabular, Tabular], np.ndarray]:
    """A `score_func(X, y)` for `sklearn.feature_selection.SelectKBest` and its kin: bits between each column and y.

    Args:
        key: a key or a seed; decides every random number; all columns share it, so that equal columns score alike.
        method: as in `estimate`.

    Returns:
        A function of X (n, features) and y (n,) that returns scores (features,), in bits; X may be sparse or a frame.
        A column that never changes scores 0.
    """
    estimator, key = by_name(method), as_key(key)

    def score(features: Tabular, target: Tabular) -> np.ndarray:
        scores, other = [], side_of(target, "y")
        for name, lazy in split_columns(features):
            column = column_of(lazy(), f"X, column {name!r}")
            changes = bool((column.present != column.present[:1]).any())
            side = TableSide.of(column, name)
            scores.append(float(estimator(key, side, other).bits) if changes or side.missing is not None else 0.0)
        return np.array(scores)

    return score
