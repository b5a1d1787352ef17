"""How the columns of a side are read: as numbers that a model is given, and as classes that it is to tell.

A column of few values is one of classes, any other a real one.  As a target a real column is cut into cells of about
equal counts: a function of it, of which the other side tells no more than of the column itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from jaxtyping import Float, Int

from capacity.estimators.checks import FEW_VALUES

UNSEEN = -1  # the class of a value that was not there when the columns were read
_TAIL = 3.0  # deviations beyond which a number goes on as a logarithm
_IQR_TO_STD = 0.7412898  # 1 / (2 ndtri(3/4)): a normal column's deviation from its interquartile range

Side: TypeAlias = Float[np.ndarray, "n columns"] | Int[np.ndarray, "n columns"]


def spelled(side: Side) -> Side:
    """The side with a single column of many symbols' numbers written in binary digits, a column each, lowest last.

    Args:
        side: real columns, which stay as they are, or one int64 column (n, 1) of numbers from 0.

    Examples:
        >>> spelled(np.arange(32)[:, None])[5]
        array([0, 0, 1, 0, 1])
    """
    if side.dtype.kind != "i" or side.shape[1] > 1 or len(np.unique(side)) < FEW_VALUES:
        return side
    digits = int(side.max()).bit_length()
    return np.asarray((side >> np.arange(digits)[::-1]) & 1)


@dataclass(frozen=True)
class ClassColumn:
    """One column as it was read.

    Attributes:
        values: of its classes, in order; empty for a real column.
        edges: of its cells, where it is real.
        middle, spread: what standardises it, where it is real.
    """

    values: np.ndarray
    edges: np.ndarray
    middle: float
    spread: float

    @classmethod
    def of(cls, column: np.ndarray, cells: int) -> ClassColumn:
        """A column (n,) read; into how many cells it is cut at most, if it is real."""
        values = np.unique(column)
        if column.dtype.kind == "i" or len(values) < FEW_VALUES:
            return cls(values, np.zeros(0), 0.0, 1.0)
        low, middle, high = np.quantile(column, (0.25, 0.5, 0.75))
        spread = float(high - low) * _IQR_TO_STD or float(np.abs(column - middle).mean())
        edges = np.unique(np.quantile(column, np.arange(1, cells) / cells, method="lower"))
        # A cell holds what is at most its edge; the last edge may be the largest value itself.
        return cls(values[:0], edges[edges < values[-1]], float(middle), spread)

    @property
    def real(self) -> bool:
        """Whether the column is one of real numbers."""
        return not len(self.values)

    @property
    def count(self) -> int:
        """How many classes, or cells, there are: two at least, of which one may never have come."""
        return max(len(self.edges) + 1 if self.real else len(self.values), 2)

    def classes(self, column: np.ndarray) -> Int[np.ndarray, " n"]:
        """The number of each value's class or cell; `UNSEEN` where there is none."""
        if self.real:
            return np.searchsorted(self.edges, column, side="left")
        found = np.searchsorted(self.values, column).clip(max=len(self.values) - 1)
        return np.where(self.values[found] == column, found, UNSEEN)

    def inputs(self, column: np.ndarray) -> Float[np.ndarray, "n inputs"]:
        """Numbers for a model: +-1 for two classes, an indicator for each of several, a guarded score if real."""
        if self.real:
            z = (column - self.middle) / self.spread
            tail = _TAIL + np.log1p(np.maximum(np.abs(z) - _TAIL, 0.0))
            return np.where(np.abs(z) > _TAIL, np.sign(z) * tail, z)[:, None]
        return one_hot(self.classes(column), self.count)


@dataclass(frozen=True)
class ClassColumns:
    """All columns of a side as they were read.

    Attributes:
        each: the columns in order.
    """

    each: tuple[ClassColumn, ...]

    @classmethod
    def of(cls, side: Side, cells: int = 8) -> ClassColumns:
        """A side (n, columns) read; into how many cells a real column is cut at most."""
        return cls(tuple(ClassColumn.of(column, cells) for column in side.T))

    @property
    def counts(self) -> tuple[int, ...]:
        """How many classes each column has."""
        return tuple(column.count for column in self.each)

    @property
    def discrete(self) -> bool:
        """Whether every column is one of classes."""
        return not any(column.real for column in self.each)

    def classes(self, side: Side) -> Int[np.ndarray, "n columns"]:
        """The class numbers of rows."""
        return np.stack([c.classes(values) for c, values in zip(self.each, side.T, strict=True)], axis=1)

    def inputs(self, side: Side) -> Float[np.ndarray, "n inputs"]:
        """Rows as numbers for a model."""
        return np.hstack([c.inputs(values) for c, values in zip(self.each, side.T, strict=True)])


def one_hot(classes: Int[np.ndarray, " n"], count: int) -> Float[np.ndarray, "n inputs"]:
    """+-1 for two classes, an indicator for each of several; 0 for unseen ones."""
    each = (classes[:, None] == np.arange(count)).astype(float)
    return np.asarray(each[:, 1:] - each[:, :1] if count == 2 else each)


def indicators(inputs: Float[np.ndarray, "n f"], counts: tuple[int, ...]) -> Float[np.ndarray, "n features"]:
    """Inputs with an indicator for each class, of two classes too; the real columns come last.

    Args:
        inputs: as `ClassColumns.inputs` makes them.
        counts: how many classes each column has, 0 for a real one.
    """
    widths = [1 if count in (0, 2) else count for count in counts]
    parts = np.split(inputs, np.cumsum(widths)[:-1], axis=1)
    symbols = [np.hstack([p < 0, p > 0]) if c == 2 else p for p, c in zip(parts, counts, strict=True) if c]
    reals = [part for part, count in zip(parts, counts, strict=True) if not count]
    return np.hstack([np.zeros((len(inputs), 0)), *symbols, *reals]).astype(float)
