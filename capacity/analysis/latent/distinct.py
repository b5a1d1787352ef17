"""Rows of tables that differ, sorted: in an order that does not depend on the order in which they came.

Copies are found by a hash of 64 bits for each row, made a column at a time: in memory for a few columns, however wide
the tables are.  Rows of equal hash are held against each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from jaxtyping import Float, Int, UInt64

Places: TypeAlias = Int[np.ndarray, " distinct"]
# Steps of splitmix64 (Steele, Lea & Flood 2014), which spreads every bit over all.
INCREMENT, FIRST, SECOND = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def distinct_rows(*tables: Float[np.ndarray, "rows columns"]) -> tuple[Places, Places]:
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
        _, kept, copies = np.unique(np.hstack(tables), axis=0, return_index=True, return_counts=True)
        return kept, copies
    return _sorted(order[first], copies, tables)


def _sorted(kept: Places, copies: Places, tables: Sequence[np.ndarray]) -> tuple[Places, Places]:
    """By as many of the first columns as tell rows apart."""
    columns = [column for table in tables for column in table.T]
    count = 1
    while True:
        some = [column[kept] for column in columns[:count]]
        order = np.lexsort(some[::-1])
        differ = np.zeros(len(order) - 1, bool)
        for column in some:
            differ |= column[order[1:]] != column[order[:-1]]
        if differ.all() or count >= len(columns):
            return kept[order], copies[order]
        count *= 2


def _mixed(words: UInt64[np.ndarray, " rows"]) -> UInt64[np.ndarray, " rows"]:
    words = words + INCREMENT
    words = (words ^ (words >> np.uint64(30))) * FIRST
    words = (words ^ (words >> np.uint64(27))) * SECOND
    return np.asarray(words ^ (words >> np.uint64(31)))
