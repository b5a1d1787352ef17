"""A bound on held-out pairs: how many bits a fitted log density ratio shows that it knows, by all pairs of a block.

For any function f, E[f(x_i, y_i) - log 1/K sum_j exp f(x_i, y_j)] over K independent pairs is at most I(X;Y) and at
most log K (van den Oord et al. 2018; Poole et al. 2019, equation 10).  On pairs that did not fit f it is a lower bound
in expectation whatever f is, so that of two methods the one with the higher figure knows more of the dependence.
"""

from __future__ import annotations

import numpy as np

from capacity.estimators.estimator import LogRatio


def block_means(log_ratio: LogRatio, x: np.ndarray, y: np.ndarray, block: int) -> np.ndarray:
    """The bound on each block of K pairs, nats, shape (n // K,): independent draws, averaged with a standard error.

    Args:
        log_ratio: fitted on other pairs.
        x, y: held-out pairs (n, dx), (n, dy).
        block: K, how many pairs stand against each other; the bound cannot exceed log K.
    """
    values = []
    for start in range(0, len(x) - block + 1, block):
        x_block, y_block = x[start : start + block], y[start : start + block]
        scores = log_ratio(np.repeat(x_block, block, axis=0), np.tile(y_block, (block, 1))).reshape(block, block)
        largest = scores.max(axis=1, keepdims=True)
        normaliser = largest[:, 0] + np.log(np.exp(scores - largest).mean(axis=1))
        values.append(float((np.diagonal(scores) - normaliser).mean()))
    return np.array(values)
