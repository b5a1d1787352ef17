"""Conditional information of symbols from counts: H(X,W) + H(Y,W) - H(X,Y,W) - H(W), each with its correction."""

from __future__ import annotations

import jax
import numpy as np

from capacity.estimators.checks import random_of
from capacity.estimators.counts.entropy import grassberger
from capacity.results.estimate import Estimate
from capacity.results.intervals import Z95

MAX_UNSEEN = 0.02  # of the probability may lie on symbols not seen yet
SHUFFLES = 4


def from_counts(key: jax.Array, x: np.ndarray, y: np.ndarray, w: np.ndarray) -> Estimate:
    """I(X;Y|W) in bits of symbols, int64 of shape (n, 1).

    The interval is made as that of `PlugIn`: the spread of the log ratio of counts, and what the corrections leave of
    the bias, which is tried where the truth is 0, on x permuted among rows of the same w.  Where (x, w) or (y, w) has
    more than 2 % of its probability on symbols not seen yet, the upper end is at least `limit`, the smaller of
    H(X|W) and H(Y|W) had every row a symbol of its own within its w: the estimate is `saturated`.

    Args:
        key: for the permutations.
        x, y, w: symbols, int64 of shape (n, 1).
    """
    x, y, w = x[:, 0], y[:, 0], w[:, 0]
    n, random = len(x), random_of(key)
    nats = counted_nats(x, y, w)
    chance = [counted_nats(permuted_within(random, x, w), y, w) for _ in range(SHUFFLES)]
    log_ratio, spare = _log_ratio(x, y, w)
    stderr = float(log_ratio.var() / n + spare / (2 * n**2)) ** 0.5
    rare = 0.5 * max(float(log_ratio.mean()) - nats, 0.0)
    low = nats - Z95 * stderr - max(*chance, rare, 0.0)
    high = nats + Z95 * stderr + max(-min(chance), 0.0)
    strata = np.bincount(w)
    limit = max(float((strata * np.log(strata)).sum() / n), nats)
    unseen = min(float((np.unique(_pairs(side, w), return_counts=True)[1] == 1).sum()) / n for side in (x, y))
    if unseen > MAX_UNSEEN:
        high = max(high, limit)
    return Estimate.from_nats(nats=nats, stderr=stderr, kind="point", n=n, limit=limit, low=low, high=high)


def permuted_within(random: np.random.Generator, x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Values (n, ...) put in random order among rows of the same symbol w (n,): exact where I(X;Y|W) = 0."""
    by_symbol = np.argsort(w, kind="stable")
    mixed = np.lexsort((random.uniform(size=len(w)), w))
    out = np.empty_like(x)
    out[by_symbol] = x[mixed]
    return out


def _pairs(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Numbers of the pairs (a, b) of symbols, from 0 without gaps."""
    return np.unique(a * (int(b.max()) + 1) + b, return_inverse=True)[1]


def counted_nats(x: np.ndarray, y: np.ndarray, w: np.ndarray) -> float:
    """I(X;Y|W) in nats of symbols (n,), with Grassberger's correction of the entropies."""
    xw, yw = _pairs(x, w), _pairs(y, w)
    xyw = _pairs(xw, y)
    return (
        grassberger(np.bincount(xw))
        + grassberger(np.bincount(yw))
        - grassberger(np.bincount(xyw))
        - grassberger(np.bincount(np.unique(w, return_inverse=True)[1]))
    )


def _log_ratio(x: np.ndarray, y: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, int]:
    """log n_xyw n_w / (n_xw n_yw) of every row, nats, and the degrees of freedom that occupied cells leave."""
    xw, yw = _pairs(x, w), _pairs(y, w)
    xyw, w = _pairs(xw, y), np.unique(w, return_inverse=True)[1]
    counts = [np.bincount(cells) for cells in (xyw, w, xw, yw)]
    logs = [np.log(count[cells]) for count, cells in zip(counts, (xyw, w, xw, yw), strict=True)]
    occupied = [len(count) for count in counts]
    return logs[0] + logs[1] - logs[2] - logs[3], max(occupied[0] + occupied[1] - occupied[2] - occupied[3], 1)
