"""Conditional information as a difference of two: I(X;Y|W) = I(X;(Y,W)) - I(X;W), both by one method."""

from __future__ import annotations

import jax
import numpy as np
from scipy.special import stdtrit

from capacity.estimators.checks import random_of
from capacity.estimators.estimator import Estimator
from capacity.results.estimate import Estimate
from capacity.runtime.threefry import parts_of

MAX_PARTS, MIN_PARTS = 10, 4
SPARE_ROWS = 4  # of a part, for every column


def from_difference(key: jax.Array, x: np.ndarray, y: np.ndarray, w: np.ndarray, estimator: Estimator) -> Estimate:
    """I(X;Y|W) in bits by the chain rule.

    The two figures err alike, which neither of their intervals knows: the interval is from differences on disjoint
    parts of the sample, their variance divided by their number, with Student's quantile.  With too few rows for four
    parts it is the sum of the two intervals.

    Args:
        key: for the parts, and what the estimator draws: both figures draw alike.
        x, y, w: all real, float64 of shape (n, d), or all symbols, int64 of shape (n, 1).
        estimator: the method of both.

    Raises:
        ValueError: for sides of different types, which one side cannot hold together.
    """
    if y.dtype.kind != w.dtype.kind:
        raise ValueError(
            f"Expected y and given both real numbers or both symbols for the chain rule with {estimator.name}; got "
            f'{y.dtype} and {w.dtype}. method="neighbours" takes any types.'
        )
    both = np.hstack([y, w]) if y.dtype.kind == "f" else y * (int(w.max()) + 1) + w
    key_order, key_method = parts_of(key, 2)
    first, second = estimator(key_method, x, both), estimator(key_method, x, w)
    bits = float(first.bits - second.bits)
    least = max(estimator.min_pairs, SPARE_ROWS * (x.shape[1] + both.shape[1]))
    number = min(MAX_PARTS, len(x) // least)
    parts = np.array_split(random_of(key_order).permutation(len(x)), max(number, 1))
    found = np.array([_difference(estimator, key_method, x[part], both[part], w[part]) for part in parts])
    found = found[np.isfinite(found)]
    if len(found) < MIN_PARTS:
        half_width = float(max(first.high - first.bits, first.bits - first.low))
        half_width += float(max(second.high - second.bits, second.bits - second.low))
    else:
        half_width = float(stdtrit(len(found) - 1, 0.975) * found.std(ddof=1) / len(found) ** 0.5)
    return Estimate(
        bits, half_width / 2, bits - half_width, max(bits + half_width, 0.0), float(first.limit), len(x), kind="point"
    )


def _difference(estimator: Estimator, key: jax.Array, x: np.ndarray, both: np.ndarray, w: np.ndarray) -> float:
    """On a part; NaN where it cannot be answered for, such as one in which a side never changes."""
    try:
        return float(estimator(key, x, both).bits - estimator(key, x, w).bits)
    except ValueError:
        return float("nan")
