"""Which side is told from which, and how rows of both become inputs and class numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from capacity.estimators.codes.columns import UNSEEN, ClassColumns, Side, spelled

CELLS = 8  # of a real column that is a target among others
MAX_CLASSES = 32  # of a side whose rows are one class each


@dataclass(frozen=True)
class Reading:
    """Both sides as they were read: one is the target, the other is given.

    Attributes:
        swapped: whether x is the target.
        given, target: the columns of both.
        symbols: sorted numbers of the target's rows where each row is one class, else None: a class for each column.
    """

    swapped: bool
    given: ClassColumns
    target: ClassColumns
    symbols: Int[np.ndarray, " classes"] | None = None

    @property
    def counts(self) -> tuple[int, ...]:
        """How many classes each target column has."""
        return self.target.counts if self.symbols is None else (max(len(self.symbols), 2),)

    @property
    def given_counts(self) -> tuple[int, ...]:
        """The same of the given side; 0 for real columns."""
        return tuple(0 if column.real else column.count for column in self.given.each)

    def __call__(self, x: Side, y: Side) -> tuple[Float[np.ndarray, "n f"], Int[np.ndarray, "n columns"]]:
        """Inputs and class numbers of rows (n, dx) and (n, dy)."""
        given, target = (y, x) if self.swapped else (x, y)
        classes = self.target.classes(_as_read(target, self.target))
        if self.symbols is not None:
            rows = _numbered(classes, self.target.counts)
            found = np.searchsorted(self.symbols, rows).clip(max=len(self.symbols) - 1)
            classes = np.where(self.symbols[found] == rows, found, UNSEEN)[:, None]
        return self.given.inputs(_as_read(given, self.given)), classes


def read_columns(x: Side, y: Side) -> Reading:
    """The side of classes told from the other; of two such, or of none, the one with fewer different rows."""
    given = [spelled(side) for side in (x, y)]
    sides = [ClassColumns.of(side, CELLS) for side in given]
    cases = [
        (not side.discrete, len(np.unique(side.classes(rows), axis=0))) for side, rows in zip(sides, given, strict=True)
    ]
    swapped = cases[0] < cases[1]
    given_side, target = sides[::-1] if swapped else sides
    return Reading(swapped, given_side, target)


def read_whole_rows(x: Side, y: Side) -> Reading:
    """As `read_columns`, with every row of the target one class.

    Raises:
        ValueError: where both sides have too many different rows.
    """
    sides = [ClassColumns.of(side, max(int(MAX_CLASSES ** (1 / side.shape[1])), 2)) for side in (x, y)]
    rows = [np.unique(_numbered(s.classes(given), s.counts)) for s, given in zip(sides, (x, y), strict=True)]
    if min(map(len, rows)) > MAX_CLASSES:
        raise ValueError(
            f"Expected a side of at most {MAX_CLASSES} different rows, to tell its classes; got {len(rows[0])} in x "
            f"and {len(rows[1])} in y. Use autoregressive_code, which tells column after column."
        )
    cases = [(len(r) > MAX_CLASSES, not s.discrete, len(r)) for s, r in zip(sides, rows, strict=True)]
    swapped = cases[0] < cases[1]
    others = [ClassColumns.of(spelled(side)) for side in (x, y)]
    return Reading(swapped, others[1 if swapped else 0], sides[0 if swapped else 1], rows[0 if swapped else 1])


def _as_read(side: Side, columns: ClassColumns) -> Side:
    """Symbols' numbers in as many binary digits as the columns were."""
    digits = len(columns.each)
    if side.shape[1] == digits:
        return side
    return np.asarray((side >> np.arange(digits)[::-1]) & 1)


def _numbered(classes: np.ndarray, counts: tuple[int, ...]) -> Int[np.ndarray, " n"]:
    """A number for each row of classes; unseen ones have one that no row seen has."""
    if np.log2(counts).sum() > 62:  # more cases than numbers: too many rows for one class each, whatever they are
        return np.arange(len(classes))
    number = np.zeros(len(classes), np.int64)
    for column, count in zip(classes.T, counts, strict=True):
        number = number * count + column
    return np.where((classes == UNSEEN).any(axis=1), -1, number)
