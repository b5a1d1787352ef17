"""Nearest neighbours by comparing every pair in the maximum norm: the fastest for some thousand points in many columns.

XLA makes one loop of all columns, several times as fast as NumPy's column by column; float64 throughout.  The k
smallest of a row come from minima over groups of it: they lie in the k groups with the smallest minima.
This runs on the processor's cores, since the search for the smallest is NumPy's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import reduce

import jax
import jax.numpy as jnp
import numpy as np

from capacity.estimators.neighbours.boxes import in_threads

BLOCK_DISTANCES = 1 << 18  # of a block, two megabytes
LINE = 8  # float64 in a line of the cache
GROUP = 16


def nearest_by_pairs(points: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k nearest other points of each point, float64 of shape (n, d), nearest first.

    Returns:
        distances, float64, and indices, int, each of shape (n, k), n > k.
    """
    n, others = len(points), _groups(points)
    size, width = _rows(others), others.shape[2]
    own = np.arange(size)[:, None]
    distances, indices = np.empty((n, k)), np.empty((n, k), np.intp)

    def work(rows: slice) -> None:
        own_rows = np.minimum(np.arange(rows.start, rows.start + size), n - 1)
        with _float64():
            apart = np.asarray(_distances(points[own_rows].T, others))
        columns = np.argpartition(apart.min(axis=0), min(k, width - 1), axis=1)[:, : k + 1]  # its own among them
        index = columns + width * np.arange(GROUP)[:, None, None]
        apart = np.where(index == own_rows[:, None], np.inf, apart[:, own, columns])
        apart, index = (a.swapaxes(0, 1).reshape(size, -1) for a in (apart, index))
        order = np.argsort(apart, axis=1)[: rows.stop - rows.start, :k]
        distances[rows], indices[rows] = (a[own[: len(order)], order] for a in (apart, index))

    in_threads(work, n, size)
    return distances, indices


def count_by_pairs(points: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """How many points lie strictly within each point's radius > 0, itself among them.

    Args:
        points, radii: float64, shapes (n, d) and (n,).

    Returns:
        Counts, int64, shape (n,).
    """
    n, others = len(points), _groups(points)
    size, counts = _rows(others), np.empty(n, np.int64)

    def work(rows: slice) -> None:
        own_rows = np.minimum(np.arange(rows.start, rows.start + size), n - 1)
        with _float64():
            counts[rows] = np.asarray(_count(points[own_rows].T, others, radii[own_rows]))[: rows.stop - rows.start]

    in_threads(work, n, size)
    return counts


def _groups(points: np.ndarray) -> jax.Array:
    """Columns of points cut in groups, filled up with infinity: (groups, d, width).

    The width is an odd number of the cache's lines, so that columns do not crowd one another out of it: with a power of
    2 the loop over 20 columns takes three times as long.
    """
    n, d = points.shape
    width = LINE * (-(-n // (GROUP * LINE)) // 2 * 2 + 1)
    columns = np.full((d, GROUP * width), np.inf)
    columns[:, :n] = points.T
    with _float64():
        return jnp.asarray(columns.reshape(d, GROUP, width).swapaxes(0, 1))


def _rows(others: jax.Array) -> int:
    return max(1, BLOCK_DISTANCES // (GROUP * others.shape[2]))


@jax.jit
def _distances(own: jax.Array, others: jax.Array) -> jax.Array:
    """Distances of points, columns first, (d, m), to all others, (groups, d, width): (groups, m, width)."""
    steps = (jnp.abs(a[None, :, None] - others[:, column, None]) for column, a in enumerate(own))
    return reduce(_larger, steps)


@jax.jit
def _count(own: jax.Array, others: jax.Array, radii: jax.Array) -> jax.Array:
    """How many of the others are within each radius: (m,), in float64, which needs no change of width on the way."""
    return jnp.where(_distances(own, others) < radii[None, :, None], 1.0, 0.0).sum(axis=(0, 2))


def _larger(a: jax.Array, b: jax.Array) -> jax.Array:
    return jnp.where(a > b, a, b)  # maximum() also looks for NaN, and takes half as long again


@contextmanager
def _float64() -> Iterator[None]:
    """Float64 on the processor, for this thread alone."""
    with jax.enable_x64(True), jax.default_device(jax.local_devices(backend="cpu")[0]):
        yield
