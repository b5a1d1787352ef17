"""Few directions of many columns first, then products of high degree among those alone.

The directions are those along which variates of a first, coarse library change: the leading eigenvectors of the mean
outer product of their gradients (Xia, Tong, Li & Zhu 2002, J. R. Stat. Soc. B 64).
"""

from __future__ import annotations

import numpy as np

from capacity.estimators.features.maps import Library, Map, columns, monomials, multiply
from capacity.estimators.features.variates import variates

_FROM = 6  # columns; with fewer, products of all of them are few enough
_ROWS = 400
_STEP = 0.1


def directed(first: Library, pairs: int, keep: int, degree: int) -> Library:
    """Products up to `degree` of the directions that matter and of the squared radius.

    Args:
        first: the coarse library.
        pairs: how many of its pairs of variates are looked at.
        keep: how many directions of each side, at most.
        degree: of the products.
    """

    def both(x: np.ndarray, y: np.ndarray, random: np.random.Generator) -> tuple[Map, Map] | None:
        maps = first(x, y, random) if max(x.shape[1], y.shape[1]) >= _FROM else None
        if maps is None:
            return None
        fitted = variates(x, y, maps, pairs)
        return _among(x, fitted.of_x, keep, degree), _among(y, fitted.of_y, keep, degree)

    return both


def _among(rows: np.ndarray, variate: Map, keep: int, degree: int) -> Map:
    base, width = columns(rows), rows.std(axis=0)
    axes = _gradient_axes(rows[:_ROWS], variate, width)[:, :keep]
    radius = (base(rows) ** 2).sum(axis=1)
    factors = monomials(axes.shape[1] + 1, degree)

    def features(new: np.ndarray) -> np.ndarray:
        values = base(new)
        length = np.clip(((values**2).sum(axis=1) - radius.mean()) / radius.std(), -4.0, 4.0)
        return np.hstack([values, multiply(np.column_stack([values @ axes, length]), factors)])

    return features


def _gradient_axes(rows: np.ndarray, variate: Map, width: np.ndarray) -> np.ndarray:
    """Axes (d, d) in standardised columns, from the one along which the variates change most."""
    steps = [np.eye(len(width))[i] * width * _STEP for i in range(len(width))]
    slopes = np.stack([(variate(rows + step) - variate(rows - step)) / (2 * _STEP) for step in steps])
    return np.linalg.eigh(np.einsum("inm,jnm->ij", slopes, slopes))[1][:, ::-1]
