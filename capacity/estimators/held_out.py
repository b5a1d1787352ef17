"""A bound on held-out pairs: how many bits a fitted log density ratio shows that it knows, by all pairs of a block.

For any function f, E[f(x_i, y_i) - log 1/K sum_j exp f(x_i, y_j)] over K independent pairs is at most I(X;Y) and at
most log K (van den Oord et al. 2018; Poole et al. 2019, equation 10).  On pairs that did not fit f it is a lower bound
in expectation whatever f is, so that of two methods the one with the higher figure knows more of the dependence.
"""

from __future__ import annotations

import numpy as np

from capacity.estimators.estimator import LogRatio

LARGEST = 1 << 24  # numbers in the columns of the pairs that are scored at once: 128 megabytes


def block_means(log_ratio: LogRatio, x: np.ndarray, y: np.ndarray, block: int) -> np.ndarray:
    """The bound on each block of K pairs, nats, shape (n // K,): independent draws, averaged with a standard error.

    Args:
        log_ratio: fitted on other pairs.
        x, y: held-out pairs (n, dx), (n, dy).
        block: K, how many pairs stand against each other; the bound cannot exceed log K.
    """
    values = []
    rows = max(1, LARGEST // (block * (x.shape[1] + y.shape[1])))
    for start in range(0, len(x) - block + 1, block):
        x_block, y_block = x[start : start + block], y[start : start + block]
        scores = np.vstack([_scores(log_ratio, part, y_block) for part in _parts(x_block, rows)])
        largest = scores.max(axis=1, keepdims=True)
        normaliser = largest[:, 0] + np.log(np.exp(scores - largest).mean(axis=1))
        values.append(float((np.diagonal(scores) - normaliser).mean()))
    return np.array(values)


def _parts(rows: np.ndarray, size: int) -> list[np.ndarray]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def _scores(log_ratio: LogRatio, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The log density ratio of every row of x with every row of y, shape (len(x), len(y))."""
    return log_ratio(np.repeat(x, len(y), axis=0), np.tile(y, (len(x), 1))).reshape(len(x), len(y))
