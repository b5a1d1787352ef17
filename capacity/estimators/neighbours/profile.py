"""How an estimate from neighbours moves with k and with the sample's size, and the interval that follows.

The information from neighbours is a mean of local terms t_i, and it errs twice.

*Spread.*  Terms of neighbours depend on one another, so that std(t)/sqrt(n) is too small; the spread of estimates from
disjoint parts of the sample, divided by the square root of their number, is the other figure, since the variance goes
as 1/n (Holmes and Nemenman 2019, Phys. Rev. E 100, 022404).  The larger of the two is taken, with Student's quantile.
Drawing with replacement would make duplicates, at distance 0.

*Bias.*  The balls are not small: the bias goes as (k/n)^p, where p is not known but at least 1/d in d columns where
the density has edges, and larger where it is smooth.  Estimates at k, 2k and 4k are three grids, and Richardson's
extrapolation with the observed p and a safety factor of 1.25 is their error band (Roache 1994, J. Fluids Eng. 116,
405).  The interval holds the estimate and the far end of that band, widened by the spread.

Symbols against numbers have two biases of opposite sign, of the balls among one symbol's points and of those among
all: the estimates may fall with k and lie above the truth.  There the band is taken both ways.

It is wrong where the profile is flat and far from the truth: unrelated directions with heavy tails in three and more
columns a side (Student's t) look settled at half of their information or less.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import jax
import numpy as np
from scipy.special import stdtrit

from capacity.estimators.checks import random_of
from capacity.results.estimate import NATS_PER_BIT, Estimate
from capacity.runtime.keys import Seed, as_key

Terms: TypeAlias = Callable[[np.ndarray, np.ndarray, Sequence[int]], np.ndarray]
"""From x (n, dx), y (n, dy) and several k to local terms in nats, shape (len(ks), n)."""

MAX_PARTS, SHUFFLES = 10, 2
SAFETY = 1.25


@dataclass(frozen=True)
class Profile:
    """Estimates against k and size.

    Attributes:
        ks: shape (a,).
        sizes: shape (b,), in pairs.
        bits: shape (a, b): means over disjoint subsamples of that size.
        stderr: shape (a, b), their standard errors; NaN where there was one subsample.
    """

    ks: np.ndarray
    sizes: np.ndarray
    bits: np.ndarray
    stderr: np.ndarray


def profile(
    key: Seed,
    terms: Terms,
    x: np.ndarray,
    y: np.ndarray,
    ks: Sequence[int] = (3, 5, 10, 20, 40),
    halvings: int = 4,
) -> Profile:
    """Estimates at several k and at n, n/2, n/4, ... pairs, to see the bias.

    Args:
        key: a key or a seed, for the order in which the sample is cut.
        terms: local terms from (x, y, ks), such as `KSG().terms`; x and y are used as they are.
        x, y: float64, shapes (n, dx) and (n, dy).
        ks: how many neighbours; those that do not fit the smallest subsample are refused.
        halvings: how many times the sample is halved.

    Raises:
        ValueError: if the smallest subsample is too small for the largest k.
    """
    n, smallest = len(x), len(x) >> halvings
    if smallest <= max(ks):
        raise ValueError(f"Expected subsamples larger than k = {max(ks)}; got {smallest} of {n} pairs in the smallest.")
    order = random_of(as_key(key)).permutation(n)
    sizes = n >> np.arange(halvings + 1)
    bits, stderr = np.empty((2, len(ks), len(sizes)))
    for j, size in enumerate(sizes):
        parts = order[: n // size * size].reshape(-1, size)
        values = np.stack([terms(x[part], y[part], ks).mean(axis=1) for part in parts], axis=1) / NATS_PER_BIT
        bits[:, j] = values.mean(axis=1)
        stderr[:, j] = values.std(axis=1, ddof=1) / len(parts) ** 0.5 if len(parts) > 1 else np.nan
    return Profile(np.asarray(ks), sizes, bits, stderr)


def estimate_from_terms(
    key: jax.Array,
    terms: Terms,
    x: np.ndarray,
    y: np.ndarray,
    k: int,
    dimensions: float,
    limit: float,
    both_ways: bool = False,
) -> Estimate:
    """The mean of the local terms at k, with an interval for its spread and its bias.

    Args:
        key: for the parts of the sample.
        terms: local terms from (x, y, ks), in nats.
        x, y: shapes (n, dx) and (n, dy), n > k.
        k: how many neighbours.
        dimensions: of the set on which points lie, for the slowest rate of the bias.
        limit: the most that the terms' mean could be, in nats.
        both_ways: whether the bias may also lie against the way in which the estimates move with k.
    """
    n = len(x)
    ks = [c for c in (k, 2 * k, 4 * k) if c < n // 2] or [k]
    local = terms(x, y, ks)
    nats = float(local[0].mean())
    stderr, width = _spread(key, terms, x, y, k, local[0])
    bias = _band(local, dimensions)
    down, up = (abs(bias), abs(bias)) if both_ways else (max(-bias, 0.0), max(bias, 0.0))
    low, high = nats - down - width, nats + up + width
    return Estimate.from_nats(nats=nats, stderr=stderr, kind="point", n=n, limit=limit, low=low, high=high)


def _spread(
    key: jax.Array, terms: Terms, x: np.ndarray, y: np.ndarray, k: int, local: np.ndarray
) -> tuple[float, float]:
    """Standard error and half the width of a 95 % interval, in nats: the larger of two methods."""
    n = len(x)
    naive = float(local.std(ddof=1)) / n**0.5
    number = min(MAX_PARTS, n // (4 * (k + 1)))
    if number < 3:
        return naive, float(stdtrit(n - 1, 0.975)) * naive
    random, size, variances = random_of(key), n // number, []
    for _ in range(SHUFFLES):
        parts = random.permutation(n)[: number * size].reshape(number, size)
        of_parts = [terms(x[part], y[part], [k]) for part in parts]
        if not all(some.size for some in of_parts):  # no symbol occurs twice in a part
            return naive, float(stdtrit(n - 1, 0.975)) * naive
        variances.append(np.var([some.mean() for some in of_parts], ddof=1) / number)
    stderr = float(np.mean(variances)) ** 0.5
    # values of one shuffle are independent; two shuffles share their points, so that their freedom is not added
    width = max(float(stdtrit(number - 1, 0.975)) * stderr, float(stdtrit(n - 1, 0.975)) * naive)
    return max(stderr, naive), width


def _band(local: np.ndarray, dimensions: float) -> float:
    """How far beyond the estimate at the smallest k the truth may lie, in nats, signed, from terms at k, 2k and 4k.

    Both grids' differences enter, coarse + fine = c k^p (4^p - 1), and the rate is the lowest that they allow within
    two standard errors: a rate taken too high promises more than the profile knows.
    """
    if len(local) < 3:
        return 0.0
    noise = 2 * float((local[0] - local[1]).std()) / local.shape[1] ** 0.5
    values = local.mean(axis=1)
    total = values[0] - values[2]
    fine, coarse = np.sign(total) * (values[0] - values[1]) + noise, np.sign(total) * (values[1] - values[2]) - noise
    rate = np.log2(coarse / fine) if coarse > 0 and fine > 0 else 0.0
    return float(SAFETY * total / (4.0 ** np.clip(rate, 1 / dimensions, 1.0) - 1))
