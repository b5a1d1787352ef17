"""A measured figure that is no bits: a curvature, a cosine, a ratio, with its 95 % interval."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float
from scipy import stats


class MeanInterval(NamedTuple):
    """Mean of independent values, its standard error and Student's 95 % interval; arrays where lanes are stacked."""

    value: jax.Array
    stderr: jax.Array
    low: jax.Array
    high: jax.Array


def student_interval(values: Float[Array, "n ..."]) -> MeanInterval:
    """The mean over the leading axis of independent values (n, ...), with Student's t interval (Student 1908).

    It covers at its rate for normal values at any n >= 2, and for others once n is large.

    Raises:
        ValueError: for fewer than two values.
    """
    if values.ndim < 1 or values.shape[0] < 2:
        raise ValueError(f"Expected at least two independent values; got shape {values.shape}.")
    n = values.shape[0]
    value, stderr = values.mean(0), values.std(0, ddof=1) / jnp.sqrt(jnp.asarray(n, values.dtype))
    reach = float(stats.t.ppf(0.975, n - 1)) * stderr
    return MeanInterval(value, stderr, value - reach, value + reach)
