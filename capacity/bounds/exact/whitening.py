"""Whitening of Z by its exact covariance, without LAPACK."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

SINGULAR_TOLERANCE = 1e-5  # of a unit's variance
RIDGE = 1e-2  # of the mean variance of the units
VARIANCE_TOLERANCE = 1e-10  # of the squared mean: a variance below it is the rounding of a unit that does not move


def whitening(mean: Float[Array, " units"], covariance: Float[Array, "units units"]) -> Float[Array, "units units"]:
    """W, lower triangular: W (z - mean) has variance 1 by unit and no covariance, but for rounding or a ridge."""
    variance = jnp.diagonal(covariance)
    whitener, left = _inverse_factor(covariance)
    # What is left of a unit's variance given those before: near 0 it is rounding error and no whitening.
    regular = (left > SINGULAR_TOLERANCE * variance).all()
    least = float(np.finfo(variance.dtype).tiny) ** 0.5
    ridge = RIDGE * variance.mean() + VARIANCE_TOLERANCE * jnp.square(mean).max() + least
    ridged, _ = _inverse_factor(covariance + ridge * jnp.eye(len(variance), dtype=variance.dtype))
    return jnp.where(regular, whitener, ridged)


def _inverse_factor(covariance: jax.Array) -> tuple[jax.Array, jax.Array]:
    """L^-1 of the Cholesky factor L of a covariance, and the variance left of each unit given those before.

    By elimination, row after row.  No LAPACK: its batched calls, made by lanes on several CPU devices at once, were
    seen to wait for each other forever.
    """
    rows = jnp.arange(len(covariance))

    def eliminate(k: jax.Array, held: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        left, inverse = held
        pivot = left[k, k]
        part = jnp.where(rows > k, left[:, k] / jnp.where(pivot > 0, pivot, 1.0), 0.0)
        return left - jnp.outer(part, left[k]), inverse - jnp.outer(part, inverse[k])

    start = covariance, jnp.eye(len(covariance), dtype=covariance.dtype)
    left, inverse = jax.lax.fori_loop(0, len(covariance), eliminate, start)
    pivots = jnp.diagonal(left)
    return inverse / jnp.sqrt(jnp.where(pivots > 0, pivots, 1.0))[:, None], pivots
