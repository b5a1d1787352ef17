"""Linear algebra over GF(2), for digits and their parities: a basis, coordinates in it, a right inverse."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int


class Basis(NamedTuple):
    """Independent rows, and what every row is of them.

    Attributes:
        rows: numbers of the rows that are the basis, in order (rank,).
        coordinates: (count, rank): row i is the sum of the basis rows where coordinates[i] is true.
    """

    rows: Int[np.ndarray, " rank"]
    coordinates: Bool[np.ndarray, "count rank"]


def basis_of(rows: Bool[np.ndarray, "count digits"]) -> Basis:
    """The first rows that are independent of those before them, by elimination."""
    count = len(rows)
    reduced: list[tuple[int, np.ndarray, np.ndarray]] = []  # pivot, row, which basis rows it is the sum of
    chosen: list[int] = []
    coordinates = np.zeros((count, min(rows.shape)), bool)
    for i, row in enumerate(rows):
        left, used = row.copy(), np.zeros(min(rows.shape), bool)
        for pivot, other, of_basis in reduced:
            if left[pivot]:
                left, used = left ^ other, used ^ of_basis
        if left.any():
            own = used.copy()
            own[len(chosen)] = True
            reduced.append((int(left.argmax()), left, own))
            coordinates[i, len(chosen)] = True
            chosen.append(i)
        else:
            coordinates[i] = used
    return Basis(np.array(chosen, int), coordinates[:, : len(chosen)])


def right_inverse(matrix: Bool[np.ndarray, "rank digits"]) -> Bool[np.ndarray, "digits rank"]:
    """G with `matrix` G = 1 over GF(2): digits of which the parities are as one likes.

    Raises:
        ValueError: if the rows are dependent.
    """
    rank = len(matrix)
    left, right = matrix.copy(), np.eye(rank, dtype=bool)
    inverse = np.zeros(matrix.shape[::-1], bool)
    pivots = []
    for row in range(rank):
        if not left[row].any():
            raise ValueError(f"Expected independent rows; got row {row}, a sum of others.")
        pivot = int(left[row].argmax())
        others = left[:, pivot].copy()
        others[row] = False
        left[others] ^= left[row]
        right[others] ^= right[row]
        pivots.append(pivot)
    inverse[pivots] = right
    return inverse


def parities(matrix: Bool[np.ndarray, "rank digits"], digits: Int[np.ndarray, "n digits"]) -> Int[np.ndarray, "n rank"]:
    """The parity of each row's digits, of n messages."""
    counted: Float[np.ndarray, "n rank"] = digits.astype(np.float32) @ matrix.T.astype(np.float32)
    return counted.astype(np.int64) & 1


def components(joined: Bool[np.ndarray, "things bits"]) -> list[Int[np.ndarray, " size"]]:
    """Bits in groups such that no thing (a row) has bits of two; a bit that no thing has is alone."""
    labels = np.arange(joined.shape[1])
    for row in joined:
        if row.any():
            labels[np.isin(labels, labels[row])] = labels[row].min()
    return [np.flatnonzero(labels == label) for label in np.unique(labels)]
