"""Correction for density that is not uniform within a ball (Gao, Ver Steeg and Galstyan 2015, AISTATS, section 4).

Where x and y depend strongly, the k neighbours of a point lie along a line or a sheet, and the box around them is
mostly empty.  A box along their principal axes, about the point, is smaller: where the ratio of the volumes is smaller
than it would be by chance for uniform points, its logarithm is what the local term misses (equation 14).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

CHANCE = 5e-3  # uniform points are corrected this often
TRIALS = 20_000
POINTS_AT_ONCE = 8192


def correction(points: np.ndarray, indices: np.ndarray, least: float) -> np.ndarray:
    """What to take from each local term, in nats: log of the ratio of volumes, or 0 where chance would do as much.

    Args:
        points: the joint sample, float64 of shape (n, d).
        indices: each point's k neighbours, shape (n, k), k > d.
        least: log of the ratio above which nothing is corrected, from `threshold`.
    """
    out = np.empty(len(points))
    for start in range(0, len(points), POINTS_AT_ONCE):
        rows = slice(start, start + POINTS_AT_ONCE)
        out[rows] = _log_ratio(points[indices[rows]] - points[rows, None])
    return np.where(out < least, out, 0.0)


@lru_cache(maxsize=64)
def threshold(k: int, dimensions: int) -> float:
    """Log of the ratio of volumes that k uniform points in a cube about a point fall below in `CHANCE` of all cases.

    Found by simulation (their section 4.3), always with the same random numbers: it is a constant of k and d.
    """
    offsets = np.random.default_rng((k, dimensions)).uniform(-1, 1, (TRIALS, k, dimensions))
    return float(np.quantile(_log_ratio(offsets), CHANCE))


def _log_ratio(offsets: np.ndarray) -> np.ndarray:
    """Log volume of the box along principal axes less that of the box along the columns, from offsets (m, k, d)."""
    axes = np.linalg.eigh(np.swapaxes(offsets, 1, 2) @ offsets)[1]
    along = np.log(np.abs(offsets @ axes).max(axis=1)).sum(axis=1)
    return np.asarray(along - np.log(np.abs(offsets).max(axis=1)).sum(axis=1))
