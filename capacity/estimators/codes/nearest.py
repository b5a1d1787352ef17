"""Classes by the nearest rows and by boosted trees: models of one column for what no line or product tells."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import TypeAlias

import numpy as np
from jaxtyping import Float, Int
from scipy.spatial import cKDTree

LogProb: TypeAlias = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""log q(y_j | x, y_<j) in nats, (n, columns), of inputs (n, f) and class numbers (n, columns)."""

MAX_INPUTS = 8  # beyond, neighbours lie too wide apart
SHRINKAGE = 2.0  # how many rows the frequencies count for beside the neighbours
LEARNING_RATE = 0.1
ITERATIONS = 80
LEAF = 10  # rows at least
LEAVES = 15


def fit_frequencies(targets: Int[np.ndarray, "n columns"], counts: tuple[int, ...]) -> LogProb:
    """How often each class came, with half a row added to each."""
    tables = [
        np.log((np.bincount(column, minlength=count) + 0.5) / (len(column) + 0.5 * count))
        for column, count in zip(targets.T, counts, strict=True)
    ]
    return lambda _, new: np.stack([table[column] for table, column in zip(tables, new.T, strict=True)], axis=1)


def fit_nearest(inputs: Float[np.ndarray, "n f"], targets: np.ndarray, count: int, k: int) -> LogProb:
    """Classes of the k nearest rows, drawn towards the frequencies (Cover & Hart 1967).

    Args:
        inputs: at most `MAX_INPUTS` columns of like scale.
        targets: class numbers (n, 1).
        count: how many classes there are.
        k: how many neighbours.
    """
    k, tree, labels = min(k, len(inputs)), cKDTree(inputs), targets[:, 0]
    shares = (np.bincount(labels, minlength=count) + 0.5) / (len(labels) + 0.5 * count)

    def log_prob(new_inputs: np.ndarray, new: np.ndarray) -> np.ndarray:
        nearest = tree.query(new_inputs, k=range(1, k + 1))[1]
        agreeing = (labels[nearest] == new).sum(axis=1)
        return np.asarray(np.log((agreeing + SHRINKAGE * shares[new[:, 0]]) / (k + SHRINKAGE))[:, None])

    return log_prob


def fit_trees(
    inputs: np.ndarray, targets: np.ndarray, count: int, validation: tuple[np.ndarray, np.ndarray]
) -> LogProb:
    """Gradient-boosted trees (Friedman 2001), as many as tell the validation rows best.

    Args:
        inputs: (n, f).
        targets: class numbers (n, 1), of two classes at least.
        count: how many classes there are.
        validation: inputs and class numbers of other rows.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    rounds = max(ITERATIONS // max(count - 1, 1), 20) if count > 2 else ITERATIONS
    trees = HistGradientBoostingClassifier(
        learning_rate=LEARNING_RATE * ITERATIONS / rounds if count > 2 else LEARNING_RATE,
        max_iter=rounds,
        min_samples_leaf=LEAF,
        max_leaf_nodes=LEAVES,
        early_stopping=False,
        random_state=0,
    )
    with threadpool_limits(1):  # threads that wait for each other cost more than they save on so few rows
        trees.fit(inputs, targets[:, 0])
    known = np.full(count, -1)
    known[trees.classes_] = np.arange(len(trees.classes_))

    def of_class(shares: np.ndarray, new: np.ndarray) -> np.ndarray:
        column = known[new[:, 0]]
        chosen = np.where(column >= 0, shares[np.arange(len(new)), column], 0.0)
        return np.log(np.maximum(chosen, 1e-6))

    with threadpool_limits(1):
        scores = [of_class(shares, validation[1]).mean() for shares in trees.staged_predict_proba(validation[0])]
    best = int(np.argmax(scores))

    def log_prob(new_inputs: np.ndarray, new: np.ndarray) -> np.ndarray:
        with threadpool_limits(1):
            shares = next(islice(trees.staged_predict_proba(new_inputs), best, None))
        return of_class(shares, new)[:, None]

    return log_prob
