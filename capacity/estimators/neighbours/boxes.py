"""Which points lie in a box about each point, by sets of bits: exact, and the same price whatever the boxes hold.

In the maximum norm a ball is a box: |a_c - b_c| < r in every column c.  In one column the points inside are a run of
the sorted column; sorted once, a run is the difference of two of its beginnings, and a beginning is a set of n bits.
The box is the bitwise AND over columns and its count the number of ones: 64 pairs in one operation, where comparing
distances does one.  Every `step`-th beginning is stored; the few points between are added one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from capacity.runtime.cores import cores

MAX_STORED = 1 << 26  # bytes of all stored beginnings
BLOCK_WORDS = 1 << 17  # of a block of boxes, a megabyte, of which most lie outside the first column's runs
MIN_STEP = 8  # below it, storing beginnings costs more than adding points


@dataclass(frozen=True)
class Column:
    """One sorted column.

    Attributes:
        values: float64, shape (n,), as given.
        order: the points from the smallest value up, shape (n,), with a filler at the end for reading past it; none
            without bits.
        distinct: the distinct values, sorted, between -inf and inf.
        below: how many points are smaller than each distinct value, shape (distinct + 1,).
        beginnings: row j has the bits of the first j * step points, uint64 of shape (n // step + 1, words).
    """

    values: np.ndarray
    order: np.ndarray
    distinct: np.ndarray
    below: np.ndarray
    beginnings: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, step: int) -> Column:
        """Sort and store; with step 0 no bits, for counts in one column."""
        order = np.argsort(values, kind="stable") if step else np.zeros(0, np.intp)
        distinct, equals = np.unique(values, return_counts=True)
        n = len(values)
        beginnings = np.zeros((n // step + 1, -(-n // 64)) if step else (0, 0), np.uint64)
        if step:
            chunk = order[: n // step * step].reshape(-1, step)
            rows = np.arange(1, len(beginnings))
            for member in chunk.T:
                beginnings[rows, member >> 6] |= _bit(member)
            np.bitwise_or.accumulate(beginnings, axis=0, out=beginnings)
        return cls(
            values,
            np.append(order, np.zeros(step, np.intp)),
            np.concatenate([[-np.inf], distinct, [np.inf]]),
            np.concatenate([[0], np.cumsum(equals)]),
            beginnings,
        )

    def run(self, rows: slice, radius: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """First and last-but-one rank with |a - b| < r in float64, for a = values[rows] and radii r > 0.

        a - r is rounded, and a neighbour often lies at exactly r: edges found by search are moved where they must be.
        """
        a, line = self.values[rows], self.distinct[1:-1]
        low, high = np.searchsorted(line, a - radius, "right"), np.searchsorted(line, a + radius)
        while True:
            out, back = a - self.distinct[low + 1] >= radius, self.distinct[high] - a >= radius
            more, on = a - self.distinct[low] < radius, self.distinct[high + 1] - a < radius
            if not (out | back | more | on).any():
                break
            low, high = low + out - more, high + on - back
        return self.below[low], self.below[high]

    def bits(self, runs: tuple[np.ndarray, np.ndarray], step: int, words: slice) -> np.ndarray:
        """The run of each row as bits, within a range of words: uint64 of shape (rows, words).

        A beginning contains all earlier ones and each point has its own bit, so that sums and differences of words
        are those of sets.
        """
        (first, rest_low), (last, rest_high) = (np.divmod(rank, step) for rank in runs)
        out = self.beginnings[last, words]
        out -= self.beginnings[first, words]
        ahead = np.arange(step)
        for stored, rest, change in ((first, rest_low, np.subtract), (last, rest_high, np.add)):
            member = self.order[(stored * step)[:, None] + ahead]
            word = (member >> 6) - words.start
            row, which = np.nonzero((ahead < rest[:, None]) & (word >= 0) & (word < out.shape[1]))
            change.at(out.reshape(-1), row * out.shape[1] + word[row, which], _bit(member[row, which]))
        return out


@dataclass(frozen=True)
class Boxes:
    """Points whose boxes are asked for.

    They are kept in the order of their first column: the bits of neighbouring rows then lie in a few words, and the
    others need not be looked at.

    Attributes:
        order: from places in that order, which are what `rows` and `members` count, to the points as given.
        columns: all columns in that order.
        step: how many points lie between stored beginnings.
    """

    order: np.ndarray
    columns: tuple[Column, ...]
    step: int

    @classmethod
    def of(cls, points: np.ndarray) -> Boxes:
        """From points, float64 of shape (n, d)."""
        n, d = points.shape
        step = 0 if d == 1 else MIN_STEP
        while step and d * n * n // (8 * step) > MAX_STORED:
            step *= 2
        order = np.argsort(points[:, 0])
        return cls(order, tuple(Column.of(column[order], step) for column in points.T), step)

    def bits(self, rows: slice, radius: np.ndarray) -> tuple[np.ndarray, int]:
        """Points strictly within each row's radius, itself among them, as bits, and the word at which these start."""
        runs = self.columns[0].run(rows, radius)
        words = slice(int(runs[0].min() >> 6), int(runs[1].max() - 1 >> 6) + 1)
        out = self.columns[0].bits(runs, self.step, words)
        for column in self.columns[1:]:
            out &= column.bits(column.run(rows, radius), self.step, words)
        return out, words.start

    def count(self, radii: np.ndarray) -> np.ndarray:
        """How many points lie strictly within each point's radius > 0, itself among them.

        Args:
            radii: float64, shape (n,), in the order of the points as given, as are the counts, int64.
        """
        counts, radii = np.empty(len(radii), np.int64), radii[self.order]

        def work(rows: slice) -> None:
            if self.step:
                bits, _ = self.bits(rows, radii[rows])
                counts[self.order[rows]] = np.bitwise_count(bits).sum(axis=1, dtype=np.int64)
            else:
                low, high = self.columns[0].run(rows, radii[rows])
                counts[self.order[rows]] = high - low

        self.in_threads(work)
        return counts

    def members(self, rows: slice, radius: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pairs (row, place) of all points strictly within each row's radius: row counted from the first of `rows`."""
        bits, start = self.bits(rows, radius)
        filled = np.flatnonzero(bits)
        ones = np.flatnonzero(np.unpackbits(bits.reshape(-1)[filled].astype("<u8").view(np.uint8), bitorder="little"))
        row, word = np.divmod(filled[ones >> 6], bits.shape[1])
        return row, (word + start << 6) + (ones & 63)

    def in_threads(self, work: Callable[[slice], None]) -> None:
        """Do blocks of rows, whose bits fit a cache, on all processors."""
        n = len(self.order)
        in_threads(work, n, max(1, BLOCK_WORDS * 64 // n) if self.step else n)


def in_threads(work: Callable[[slice], None], n: int, size: int) -> None:
    """Do blocks of so many rows of n, on all cores that this process may use.

    Args:
        work: takes the rows of a block.
        n: how many rows there are.
        size: rows of a block.
    """
    blocks = [slice(i, min(i + size, n)) for i in range(0, n, size)]
    extra, todo = min(cores(), len(blocks)) - 1, iter(blocks)

    def share() -> None:
        for rows in todo:
            work(rows)

    if extra < 1:
        share()
        return
    with ThreadPoolExecutor(extra) as pool:  # beside this thread, which is at work at once
        others = [pool.submit(share) for _ in range(extra)]
        share()
        for other in others:
            other.result()


def _bit(points: np.ndarray) -> np.ndarray:
    return np.uint64(1) << (points & 63).astype(np.uint64)
