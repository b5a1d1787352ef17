"""Quadrature: nodes and weights, and the information of a table of masses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats


def legendre(edges: Sequence[float] | np.ndarray, order: int = 16) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre nodes and weights, `order` of them between every two edges."""
    nodes, weights = np.polynomial.legendre.leggauss(order)
    low, high = np.asarray(edges[:-1], np.float64)[:, None], np.asarray(edges[1:], np.float64)[:, None]
    half = 0.5 * (high - low)
    return (0.5 * (low + high) + half * nodes).ravel(), (half * weights).ravel()


def normal_nodes(count: int = 600, reach: float = 8.5) -> tuple[np.ndarray, np.ndarray]:
    """Nodes of the trapezoid rule, and the standard normal's masses at them."""
    nodes = np.linspace(-reach, reach, count)
    masses = stats.norm.pdf(nodes)
    return nodes, masses / masses.sum()


def uniform_nodes(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Midpoints of [0, 1], each of the same mass: exact to rounding for a smooth periodic integrand."""
    return (np.arange(count) + 0.5) / count, np.full(count, 1.0 / count)


def information(masses: np.ndarray, rows: np.ndarray | None = None, columns: np.ndarray | None = None) -> float:
    """Bits of a table of joint masses: sum of p log2 p / (rows columns), margins its own sums if not given."""
    rows = masses.sum(axis=1) if rows is None else rows
    columns = masses.sum(axis=0) if columns is None else columns
    kept = masses > 1e-300
    log_alone = np.log2(np.maximum(rows, 1e-320))[:, None] + np.log2(np.maximum(columns, 1e-320))[None, :]
    return float((masses[kept] * (np.log2(masses[kept]) - log_alone[kept])).sum())
