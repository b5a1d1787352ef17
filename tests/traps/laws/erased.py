"""Rows of which a side is gone, seen to be so, whatever the values: sentinels, zeros, missing measurements.

What is gone is NaN here; tasks show it as another value.  The pattern and the values are independent, so
I(X;Y) = I(pattern) + P(neither side gone) I(values).
"""

from __future__ import annotations

import numpy as np

from tests.traps.laws.grids import information
from tests.traps.laws.law import Law, Truth


def erased(law: Law, pattern: np.ndarray) -> Law:
    """`pattern` (2, 2): probabilities by whether x is gone (rows: no, yes) and whether y is (columns)."""
    pattern = np.asarray(pattern, np.float64)

    def draw(random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        x, y = law.draw(random, n)
        gone = random.choice(4, size=n, p=pattern.ravel())
        return np.where((gone >= 2)[:, None], np.nan, x), np.where((gone % 2 == 1)[:, None], np.nan, y)

    def density(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        gone_x, gone_y = np.isnan(x[:, 0]).astype(int), np.isnan(y[:, 0]).astype(int)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.log2(pattern / np.outer(pattern.sum(axis=1), pattern.sum(axis=0)))
        seen = (gone_x + gone_y) == 0
        values = ratio[gone_x, gone_y]
        values[seen] += law.density(x[seen], y[seen])
        return values

    def truth() -> Truth:
        inner = law.truth()
        return Truth(information(pattern) + pattern[0, 0] * inner.bits, pattern[0, 0] * inner.stderr, inner.how)

    return Law(draw, density, truth)


def apart(gone_x: float, gone_y: float) -> np.ndarray:
    """Either side gone at its own chance, independently."""
    return np.outer([1.0 - gone_x, gone_x], [1.0 - gone_y, gone_y])


def together(gone: float) -> np.ndarray:
    """Both sides gone in the same rows."""
    return np.diag([1.0 - gone, gone])
