"""Ranks within (0, 1)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Shaped


def mid_ranks(rows: Shaped[np.ndarray, "n columns"]) -> Float[np.ndarray, "n columns"]:
    """(rank - 1/2)/n, column by column; rows of equal value share the mean of theirs."""
    return np.stack([_of_column(column) for column in rows.T], axis=1)


def _of_column(column: Shaped[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    _, place, count = np.unique(column, return_inverse=True, return_counts=True)
    below_and_half: np.ndarray = np.cumsum(count) - count / 2
    return below_and_half[place] / len(column)
