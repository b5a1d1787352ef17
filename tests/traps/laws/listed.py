"""Finite joint distributions: every pair of symbols or codes listed, information by enumeration."""

from __future__ import annotations

import numpy as np

from tests.traps.laws.grids import information
from tests.traps.laws.law import Law, Truth


def listed(masses: np.ndarray, shown_x: np.ndarray | None = None, shown_y: np.ndarray | None = None) -> Law:
    """Row i of `shown_x` (a, dx) with row j of `shown_y` (b, dy) at `masses[i, j]`; numbers 0, 1, ... if None.

    Rows of either list differ from one another.
    """
    masses = np.asarray(masses, np.float64)
    x_of = np.arange(masses.shape[0])[:, None] if shown_x is None else np.asarray(shown_x)
    y_of = np.arange(masses.shape[1])[:, None] if shown_y is None else np.asarray(shown_y)
    edges = masses.cumsum()

    def draw(random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        places = np.minimum(np.searchsorted(edges, random.uniform(size=n) * edges[-1]), masses.size - 1)
        return x_of[places // masses.shape[1]], y_of[places % masses.shape[1]]

    def density(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        i, j = _places(x_of, x), _places(y_of, y)
        rows, columns = masses.sum(axis=1), masses.sum(axis=0)
        with np.errstate(divide="ignore"):
            return np.log2(masses[i, j]) - np.log2(rows[i]) - np.log2(columns[j])

    return Law(draw, density, lambda: Truth(information(masses), 0.0, "enumeration"))


def _places(listed_rows: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Where each row stands in the list."""
    place = {row.tobytes(): i for i, row in enumerate(listed_rows)}
    return np.array([place[row.tobytes()] for row in np.ascontiguousarray(rows, listed_rows.dtype)])


def codewords(bits: int) -> np.ndarray:
    """All words of so many bits, shape (2^bits, bits), of 0 and 1."""
    return (np.arange(2**bits)[:, None] >> np.arange(bits)) & 1


def flipped(codes: np.ndarray, chances: np.ndarray | float) -> np.ndarray:
    """p(received word | sent code), shape (codes, 2^width): each bit flipped at its own chance."""
    width = codes.shape[1]
    chances = np.broadcast_to(np.asarray(chances, np.float64), (width,))
    given = np.ones((len(codes), 1))
    for bit in reversed(range(width)):
        one = np.where(codes[:, bit] == 1, 1.0 - chances[bit], chances[bit])
        given = (given[:, :, None] * np.stack([1.0 - one, one], axis=1)[:, None, :]).reshape(len(codes), -1)
    return given
