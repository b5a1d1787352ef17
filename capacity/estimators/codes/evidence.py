"""From held-out log q(y | x) of codes to a lower bound on I(X;Y), by three ways to know what must be known of H(Y).

    counts        H(Y) from counts with their bias taken off (Grassberger 2003), where every symbol came often
    coincidences  H(Y) >= -E log r(Y) - log sum_y p(y)^2 / r(y) for any r: by Jensen's inequality, the gap of r being a
                  relative entropy, which is at most log(1 + chi-squared) (Gibbs & Su 2002).  The sum is the mean of
                  1/r over pairs of rows that are equal (coincidences; Ma 1981), which n rows show up to 2 log2 n bits
    contrast      E[log q(y|x) - log 1/K sum_i q(y|x_i)] over K held-out rows, at most log K (van den Oord et al. 2018)

The first two add E log q(y|x), which is at most -H(Y|X) whatever q is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from capacity.estimators.counts.entropy import MAX_SINGLETONS, grassberger
from capacity.results.estimate import NATS_PER_BIT, Estimate
from capacity.results.intervals import rule_of_three_bits

ROWS_PER_SYMBOL = 5  # from which counts are believed
MIN_COINCIDENCES = 30  # pairs of equal rows, from which their mean is believed


def counts_tell(symbols: Int[np.ndarray, " n"]) -> bool:
    """Whether symbols came so often that counts of them tell their entropy."""
    counts = np.bincount(symbols)
    return len(counts) * ROWS_PER_SYMBOL <= len(symbols) and (counts == 1).sum() <= MAX_SINGLETONS * len(symbols)


def by_counts(given: Float[np.ndarray, " n"], symbols: Int[np.ndarray, " n"]) -> Estimate | None:
    """The bound with H(Y) from counts; None where too many symbols came too seldom.

    Args:
        given: held-out log q(y | x) of each row, nats.
        symbols: the number of each row's symbol.
    """
    if not counts_tell(symbols):
        return None
    n, counts = len(symbols), np.bincount(symbols)
    entropy = grassberger(counts)
    # Both are means over the same rows, and err together.
    values = given + np.log(n / counts[symbols])
    return _estimate(values, float(given.mean()) + entropy, entropy)


def by_coincidences(
    given: Float[np.ndarray, " n"], alone: Float[np.ndarray, " n"], symbols: Int[np.ndarray, " n"], folds: int
) -> Estimate | None:
    """The bound with H(Y) from equal rows; None where these are too few.

    Args:
        given, alone: held-out log q(y | x) and log r(y) of each row, nats; fold after fold, of equal lengths.
        symbols: the number of each row's symbol.
        folds: how many parts there are with a model each.
    """
    parts = symbols.reshape(folds, -1)
    equal = np.concatenate([np.bincount(part)[part] for part in parts]) - 1.0
    if equal.sum() < 2 * MIN_COINCIDENCES:
        return None
    ratio = equal / (parts.shape[1] - 1) * np.exp(-alone)
    mean = float(ratio.mean())
    gap = np.log(mean)
    nats = float((given - alone).mean() - gap)
    # A row has part in the mean of pairs twice.
    values = given - alone - 2 * (ratio / mean - 1) - gap
    return _estimate(values, nats, float(-alone.mean() - gap))


def by_contrast(log_prob: Callable[[np.ndarray, np.ndarray, int], np.ndarray], blocks: list[np.ndarray]) -> Estimate:
    """The bound by which x of its block each y belongs to.

    Args:
        log_prob: log q(y | x), nats, of row numbers of x and of y and of the fold whose model it is.
        blocks: held-out row numbers of each fold, of equal lengths.
    """
    size, values = len(blocks[0]), []
    for fold, rows in enumerate(blocks):
        pairs = np.repeat(rows, size), np.tile(rows, size)
        scores = log_prob(*pairs, fold).reshape(size, size)  # x down, y across
        top = scores.max(axis=0)
        weights = np.exp(scores - top)
        total = weights.mean(axis=0)
        shares = (weights / total).mean(axis=1)  # each x has part in the normalisers of all y
        values.append(np.diagonal(scores) - top - np.log(total) - (shares - 1))
    found = np.concatenate(values)
    return _estimate(found, float(found.mean()), float(np.log(size)))


def _estimate(values: np.ndarray, nats: float, limit: float) -> Estimate:
    """A lower bound of this figure, whose rows' parts spread as these values."""
    found = Estimate.from_samples(nats=jnp.asarray(values, jnp.float32), kind="lower")
    bits, middle = nats / NATS_PER_BIT, float(found.bits)
    most, n = max(limit / NATS_PER_BIT, bits), len(values)
    # Where all rows were told, one that is not is so rare that none came: it would cost up to log2 n beside its symbol.
    unseen = float(rule_of_three_bits(most + np.log2(n), n))
    unseen *= most - bits < unseen
    low, high = bits - (middle - float(found.low)) - unseen, bits + (float(found.high) - middle) + unseen
    # Information is not negative: a lower bound that is says nothing against 0.
    return replace(
        found,
        bits=bits,
        stderr=float(found.stderr),
        low=min(low, bits),
        high=max(min(high, most), bits, 0.0),
        limit=most,
        n=n,
    )
