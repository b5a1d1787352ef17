"""Densities that depend on a vector z through z^T M^-1 z alone: what normal and Student-t pairs share."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

RadialLogDensity: TypeAlias = Callable[[int, float, np.ndarray], np.ndarray]
"""Log density in nats from the dimension, log det M and the squares z^T M^-1 z, shape (n,)."""


def checked_dispersion(matrix: np.ndarray, dim_x: int) -> np.ndarray:
    """The matrix (dim_x + dim_y, dim_x + dim_y) as float64, once it is known to be one.

    Raises:
        ValueError: not square, no room for Y beside X, not symmetric, or not positive definite.
    """
    matrix = np.asarray(matrix, np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not 1 <= dim_x < len(matrix):
        raise ValueError(f"Expected a square matrix of more than dim_x = {dim_x} >= 1 rows; got shape {matrix.shape}.")
    lowest = float(np.linalg.eigvalsh(matrix)[0])
    if not np.array_equal(matrix, matrix.T) or not lowest > 0:
        raise ValueError(
            f"Expected a symmetric, positive definite matrix; got one with the lowest eigenvalue {lowest:.3g}."
        )
    return matrix


def normal_bits(matrix: np.ndarray, dim_x: int) -> float:
    """Bits 1/2 log2(det M_x det M_y / det M) of a normal pair (Cover & Thomas 2006, theorem 8.4.1)."""
    parts = (matrix[:dim_x, :dim_x], matrix[dim_x:, dim_x:], matrix)
    log_x, log_y, log_xy = (float(np.linalg.slogdet(part)[1]) for part in parts)
    return 0.5 * (log_x + log_y - log_xy) / math.log(2.0)


def information_density(log_density: RadialLogDensity, matrix: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Bits log2 p(x, y) / (p(x) p(y)), shape (n,), where both marginals are of the joint's family.

    Args:
        log_density: of the family.
        matrix: M of the joint, (dim_x + dim_y, dim_x + dim_y).
        x, y: points (n, dim_x) and (n, dim_y).
    """
    dim_x = x.shape[1]
    parts = (
        (np.hstack([x, y]), matrix),
        (x, matrix[:dim_x, :dim_x]),
        (y, matrix[dim_x:, dim_x:]),
    )
    joint, left, right = (
        log_density(len(part), float(np.linalg.slogdet(part)[1]), _squares(points, part)) for points, part in parts
    )
    return np.asarray((joint - left - right) / math.log(2.0))


def _squares(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """z^T M^-1 z for each row z, shape (n,)."""
    return np.asarray((np.linalg.solve(np.linalg.cholesky(matrix), points.T) ** 2).sum(axis=0))
