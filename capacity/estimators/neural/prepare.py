"""What networks are fed: each column standardised against its tails, by rank, and the radius of the whole side.

Every map here is made from reference rows alone (those that a network was trained on), so that the rows it is later
judged on have had no part in it.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtri

REACH = 3.0  # deviations up to which a column is left as it is; beyond, it goes on as a logarithm
IQR_TO_STD = 0.7412898  # 1 / (2 ndtri(3/4)): a normal column's deviation from its interquartile range


def to_units(rows: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """The map of rows (n, d) to float32 that moves and scales columns, in float64, as far as these rows need it."""
    low, middle, high = np.quantile(rows, (0.25, 0.5, 0.75), axis=0)
    spread = np.where(high > low, high - low, np.abs(rows - middle).mean(axis=0))
    return lambda new: np.clip((new - middle) / spread, -1e30, 1e30).astype(np.float32)


def to_float32(rows: np.ndarray) -> np.ndarray:
    """Columns (n, d) in units that float32 resolves; which they are does not matter afterwards."""
    return to_units(rows)(rows)


def features(rows: jax.Array, reference: jax.Array) -> jax.Array:
    """Inputs for a network from rows (n, d), standardised by reference rows (m, d): shape (n, 2 d + 2), float32.

    Columns: robust standard scores with logarithmic tails (a heavy tail else drives a network by its outliers); normal
    scores of the ranks among the reference; log(1 + r^2) and r^2 with r the length of the robust scores, which laws
    with a common scale or a turn by the radius depend on and which a small network is slow to learn.
    """
    scores = guarded(rows, reference)
    squares = jnp.square(scores).sum(1, keepdims=True)
    known = jnp.square(guarded(reference, reference)).sum(1, keepdims=True)
    radius, known = (jnp.concatenate([jnp.log1p(s), s], axis=1) for s in (squares, known))
    radius = (radius - known.mean(0, keepdims=True)) / jnp.maximum(known.std(0, keepdims=True), 1e-6)
    return jnp.concatenate([scores, reference_scores(rows, reference), radius], axis=1)


def guarded(rows: jax.Array, reference: jax.Array) -> jax.Array:
    """Standard scores by median and interquartile range, |z| > 3 replaced by 3 + log(|z| - 2): increasing, smooth."""
    low, middle, high = jnp.quantile(reference, jnp.array([0.25, 0.5, 0.75]), axis=0)[:, None]
    # Two-valued columns can have an interquartile range of 0.
    spread = jnp.where(high > low, (high - low) * IQR_TO_STD, jnp.abs(reference - middle).mean(0, keepdims=True))
    z = (rows - middle) / jnp.maximum(spread, 1e-30)
    tail = REACH + jnp.log1p(jnp.maximum(jnp.abs(z) - REACH, 0.0))
    return jnp.where(jnp.abs(z) > REACH, jnp.sign(z) * tail, z)


def reference_scores(rows: jax.Array, reference: jax.Array) -> jax.Array:
    """Normal quantiles of the mid-ranks of rows (n, d) among the reference (m, d), half a rank inside at the ends."""
    count = reference.shape[0]

    def column(values: jax.Array, known: jax.Array) -> jax.Array:
        known = jnp.sort(known)
        below, upto = (jnp.searchsorted(known, values, side=side) for side in ("left", "right"))
        rank = 0.5 * (below + upto).astype(jnp.float32) / count
        return ndtri(jnp.clip(rank, 0.5 / count, 1 - 0.5 / count))

    return jax.vmap(column, (1, 1), 1)(rows, reference)
