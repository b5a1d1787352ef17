"""Capacity per weight in the limit of many weights, from finite sizes: alpha(n) = alpha + slope/n.

The leading correction of means over random patterns; weighted least squares through means with known errors.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class Limit(NamedTuple):
    """The value at 1/n = 0, its standard error, the slope in 1/n, and the line's chi-square per degree of freedom."""

    value: float
    stderr: float
    slope: float
    misfit: float


def many_weights(weights: ArrayLike, means: ArrayLike, stderrs: ArrayLike) -> Limit:
    """Extrapolate to infinitely many weights.

    Args:
        weights: (sizes,), how many weights.
        means, stderrs: (sizes,), patterns per weight, and the standard error of each, positive.

    Raises:
        ValueError: for fewer than three sizes, or an error that is not positive.
    """
    n, alpha, error = (np.asarray(values, np.float64) for values in (weights, means, stderrs))
    if not (n.ndim == 1 and n.size >= 3 and n.shape == alpha.shape == error.shape and (error > 0).all()):
        raise ValueError(f"Expected three sizes or more with positive errors; got sizes {n} and errors {error}.")
    design = np.column_stack([np.ones_like(n), 1 / n]) / error[:, None]
    covariance = np.linalg.inv(design.T @ design)
    value, slope = covariance @ design.T @ (alpha / error)
    misfit = float((((alpha - value - slope / n) / error) ** 2).sum() / (n.size - 2))
    return Limit(float(value), float(covariance[0, 0] ** 0.5), float(slope), misfit)
