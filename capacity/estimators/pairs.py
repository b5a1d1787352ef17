"""Nearest neighbours by comparing every pair in the maximum norm: the fastest for some thousand points in many columns.

XLA makes one loop of all columns, several times as fast as NumPy's column by column; float64 throughout.  The k
smallest of a row come from minima over groups of it: the k-th smallest minimum bounds them, and few distances are
below it.  This runs on the processor's cores, since the search for the smallest is NumPy's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import jax
import jax.numpy as jnp
import numpy as np

from capacity.estimators.boxes import in_threads

ROWS = 128
WIDTH = 256  # points are filled up to a multiple, so that few shapes are compiled
GROUP = 16


def nearest_by_pairs(points: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest other points of each point, float64 of shape (n, d), nearest first.

    Returns:
        distances, float64, and indices, int, each of shape (n, k), n > k.
    """
    n, d = points.shape
    columns = np.full((d, -(-n // WIDTH) * WIDTH), np.inf)
    columns[:, :n] = points.T
    distances, indices = np.empty((n, k)), np.empty((n, k), np.intp)
    with _float64():
        others = jnp.asarray(columns)

    def work(rows: slice) -> None:
        own = points[np.minimum(np.arange(rows.start, rows.start + ROWS), n - 1)].T
        with _float64():
            found = np.asarray(_distances(jnp.asarray(own), others))[: rows.stop - rows.start]
        distances[rows], indices[rows] = _smallest(found, rows, k)

    in_threads(work, n, ROWS)
    return distances, indices


def _smallest(found: np.ndarray, rows: slice, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k smallest distances of each row, its own left out, and their columns."""
    m, width = found.shape
    groups = found.reshape(m, GROUP, -1).min(axis=1) if width > 4 * GROUP * (k + 1) else found
    bound = np.partition(groups, k, axis=1)[:, k, None]  # k others, and itself, are no farther
    row, column = np.divmod(np.flatnonzero(found <= bound), width)
    other = column != row + rows.start
    row, column = row[other], column[other]
    distance = found[row, column]
    order = np.lexsort((distance, row))
    chosen = order[np.searchsorted(row, np.arange(m))[:, None] + np.arange(k)]
    return distance[chosen], column[chosen]


@jax.jit
def _distances(own: jax.Array, others: jax.Array) -> jax.Array:
    """All distances of two sets of points, columns first, (d, m) and (d, n): (m, n)."""
    total = jnp.zeros((own.shape[1], others.shape[1]), own.dtype)
    for a, b in zip(own, others, strict=True):
        step = jnp.abs(a[:, None] - b[None, :])
        total = jnp.where(step > total, step, total)  # maximum() also looks for NaN, and takes half as long again
    return total


@contextmanager
def _float64() -> Iterator[None]:
    """Float64 on the processor, for this thread alone."""
    with jax.enable_x64(True), jax.default_device(jax.local_devices(backend="cpu")[0]):
        yield
