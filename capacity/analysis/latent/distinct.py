"""Rows of tables that differ, in an order that does not depend on the order in which they came.

Each row has a hash of 64 bits, by which rows are sorted: a column at a time, in memory for a few columns however wide
the tables are.  Rows of equal hash are held against each other.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int, UInt64

# Steps of splitmix64 (Steele, Lea & Flood 2014), which spreads every bit over all.
INCREMENT, FIRST, SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def distinct_rows(
    *tables: Float[np.ndarray, "rows columns"],
) -> tuple[Int[np.ndarray, " distinct"], Int[np.ndarray, " distinct"]]:
    """The place of one row of each kind, and how many rows are like it.

    Args:
        tables: (rows, columns) each, float64, side by side; 0 and -0 are the same.
    """
    hashes = np.zeros(len(tables[0]), np.uint64)
    for table in tables:
        for column in table.T:
            words = (np.asarray(column, np.float64) + 0.0).view(np.uint64)  # + 0.0: of -0 and 0 one
            hashes = _mixed(hashes ^ _mixed(words))
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    copies = np.diff(np.r_[first, len(order)])
    again = np.delete(np.arange(len(order)), first)
    like = np.repeat(first, copies - 1)
    if any(not np.array_equal(table[order[again]], table[order[like]]) for table in tables):
        _, kept, counted = np.unique(np.hstack(tables), axis=0, return_index=True, return_counts=True)
        return kept, counted
    return order[first], copies


def _mixed(words: UInt64[np.ndarray, " rows"]) -> UInt64[np.ndarray, " rows"]:
    words = words + INCREMENT
    words = (words ^ (words >> np.uint64(30))) * FIRST
    words = (words ^ (words >> np.uint64(27))) * SECOND
    return np.asarray(words ^ (words >> np.uint64(31)))
