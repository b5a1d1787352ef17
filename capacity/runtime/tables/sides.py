"""A side, x or y: the columns of an array or table together, of one kind, and the rows in which none is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import DTypeLike

from capacity.runtime.names import check_name
from capacity.runtime.tables.columns import TableColumn, column_of, refuse_dtype
from capacity.runtime.tables.foreign import as_numpy, is_of, table_columns

Missing: TypeAlias = Literal["refuse", "drop"]
"""What is done about rows with missing values: nothing is computed, or they are left out, which is said."""
MISSING: tuple[Missing, ...] = ("refuse", "drop")
MOST_NAMED = 5
MOST_LABELS = 32  # values of a column of labels beside real numbers
DROP = "To leave such rows out, say missing='drop' (on the command line: --missing drop)."


@dataclass(frozen=True)
class TableSide:
    """All columns of x or of y; NumPy takes it as an array.

    Attributes:
        values: shape (n, columns): float64, or integers, booleans or strings, which are symbols.
        names: what the columns are called: numbers for those of an array.
        missing: shape (n, columns), True where there is no value; None where none is missing.
    """

    values: np.ndarray
    names: tuple[str | int, ...]
    missing: np.ndarray | None = None

    @classmethod
    def of(cls, column: TableColumn, name: str | int) -> TableSide:
        """One column as a side."""
        return cls(column.values[:, None], (name,), None if column.missing is None else column.missing[:, None])

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        """The values, where none is missing."""
        return np.array(self.values, dtype=dtype, copy=copy)

    def __len__(self) -> int:
        return len(self.values)

    def rows(self, kept: np.ndarray) -> TableSide:
        """The rows of a mask, in which nothing is missing any more."""
        return TableSide(self.values[kept], self.names)


def side_of(given: object, name: str) -> TableSide:
    """An array or table of any package as one side.

    Args:
        given: shape (n,) or (n, columns); a data frame, or a mapping of names to columns.
        name: "x" or "y", for refusals.

    Raises:
        ValueError: for what `column_of` refuses, other shapes, columns of unequal length, and labels of more than 32
            values beside real numbers: those of fewer become columns of 0 and 1.
    """
    if isinstance(given, TableSide):
        return given
    table = table_columns(given)
    if table is None:
        array = as_numpy(given)
        if array.ndim == 1:
            array = array[:, None]
        if array.ndim != 2 or not array.shape[1]:
            raise ValueError(f"Expected {name} of shape (n,) or (n, columns); got {array.shape}.")
        if array.dtype.kind != "O":
            return _of_array(array, name)
        columns: dict[str | int, TableColumn] = {j: column_of(c, f"{name}, column {j}") for j, c in enumerate(array.T)}
        return _together(list(columns), list(columns.values()), name)
    if not table:
        raise ValueError(f"Expected {name} with one column or more; got a table with none.")
    names = [label for label, _ in table]
    return _together(names, [column_of(column(), f"{name}, column {label!r}") for label, column in table], name)


def pair_of(x: object, y: object, missing: Missing = "refuse") -> tuple[TableSide, TableSide, int]:
    """Both sides, without the rows in which a value is missing, and how many those were.

    Args:
        x, y: as `side_of` takes them, row i of both from the same draw.
        missing: "drop" leaves rows with missing values out; "refuse" refuses where there are some.

    Raises:
        ValueError: for what `side_of` refuses, sides of unequal length or in another order, and missing values, each
            column named, unless they are to be left out.
    """
    (first, second), dropped = complete_sides({"x": x, "y": y}, missing)
    return first, second, dropped


def complete_sides(given: Mapping[str, object], missing: Missing = "refuse") -> tuple[list[TableSide], int]:
    """Any number of sides, as `pair_of` has two.

    Args:
        given: the sides by what they are called.
        missing: as for `pair_of`.

    Raises:
        ValueError: as `pair_of` does.
    """
    check_name(missing, MISSING, "missing")
    for one, other in combinations(given.values(), 2):
        _refuse_other_order(one, other)
    sides = {name: side_of(value, name) for name, value in given.items()}
    lengths = [len(side) for side in sides.values()]
    if len(set(lengths)) > 1:
        raise ValueError(
            f"Expected {' and '.join(sides)} of one length, a row for each draw; got {' and '.join(map(str, lengths))} "
            "rows."
        )
    kept = np.ones(lengths[0], bool)
    for name, side in sides.items():
        if side.missing is not None:
            if missing == "refuse":
                raise ValueError(f"{what_is_missing(side, name)} {DROP}")
            kept &= ~side.missing.any(axis=1)
    if kept.all():
        return list(sides.values()), 0
    return [side.rows(kept) for side in sides.values()], int((~kept).sum())


def what_is_missing(side: TableSide, name: str) -> str:
    """A sentence on the values that are missing: in which columns, in how many rows, and where the first is.

    Args:
        side: in which some are missing.
        name: "x" or "y".
    """
    assert side.missing is not None, "asked only of sides with missing values"
    row, column = np.argwhere(side.missing)[0]
    value = "nan" if side.values.dtype.kind == "f" else "nothing"
    counts = [
        f"{label!r} in {count}" if isinstance(label, str) else f"{label} in {count}"
        for label, count in zip(side.names, side.missing.sum(axis=0), strict=True)
        if count
    ]
    shown = ", ".join(counts[:MOST_NAMED]) + (f" and {len(counts) - MOST_NAMED} more" * (len(counts) > MOST_NAMED))
    return (
        f"Expected a value in every row; got {value} in {name}, row {row}, column {side.names[column]!r}. Missing by "
        f"column: {shown} of {len(side)} rows."
    )


def _refuse_other_order(x: object, y: object) -> None:
    """Two columns of pandas with the same index in another order are no pairs row by row."""
    pandas = ("DataFrame", "Series")
    if not all(is_of(side, "pandas") and type(side).__name__ in pandas for side in (x, y)):
        return
    one, other = (side.index for side in (x, y))  # type: ignore[attr-defined]
    if (
        len(one) == len(other)
        and not one.equals(other)
        and one.is_unique
        and one.sort_values().equals(other.sort_values())
    ):
        raise ValueError(
            "Expected row i of x and of y from the same draw; got the same index in two orders. Say y.loc[x.index] to "
            "pair rows by index, .to_numpy() to pair them as they stand."
        )


def _of_array(array: np.ndarray, name: str) -> TableSide:
    """An array (n, columns) as it is: its columns are of one kind."""
    refuse_dtype(array.dtype, name)
    mask = np.ma.getmaskarray(array) if isinstance(array, np.ma.MaskedArray) else None
    values = np.ma.getdata(array)
    if values.dtype.kind == "f":
        values = values.astype(np.float64)
        if np.isnan(values).any():
            mask = np.isnan(values) if mask is None else mask | np.isnan(values)
    missing = mask if mask is not None and mask.any() else None
    return TableSide(values, tuple(range(values.shape[1])), missing)


def _together(names: Sequence[str | int], columns: Sequence[TableColumn], name: str) -> TableSide:
    lengths = {len(column.values) for column in columns}
    if len(lengths) > 1:
        raise ValueError(f"Expected columns of one length in {name}; got {', '.join(map(str, sorted(lengths)))} rows.")
    kinds = [column.kind for column in columns]
    if "real" in kinds and "label" in kinds:
        pairs = zip(names, columns, strict=True)
        split = [part for label, column in pairs for part in _without_labels(label, column, name)]
        names, columns = [label for label, _ in split], [column for _, column in split]
    missing = None
    if any(column.missing is not None for column in columns):
        nowhere = np.zeros(lengths.pop(), bool)
        missing = np.column_stack([nowhere if column.missing is None else column.missing for column in columns])
    if "real" in kinds:
        values = np.column_stack([column.values.astype(np.float64) for column in columns])
    elif len(columns) == 1:
        values = columns[0].values[:, None]
    else:
        values = np.column_stack([np.unique(column.values, return_inverse=True)[1] for column in columns])
    return TableSide(values, tuple(names), missing)


def _without_labels(label: str | int, column: TableColumn, name: str) -> list[tuple[str | int, TableColumn]]:
    """A column that may stand beside real numbers: labels as columns of 0 and 1, which say the same."""
    if column.kind != "label":
        return [(label, column)]
    here = np.ones(len(column.values), bool) if column.missing is None else ~column.missing
    values = np.unique(column.values[here])
    if len(values) > MOST_LABELS:
        raise ValueError(
            f"Expected columns of numbers in {name}, or labels of {MOST_LABELS} values or fewer beside them; got "
            f"{len(values)} values in column {label!r}. Ask about it alone, or join the values that are rare."
        )
    if len(values) < 2:  # nothing to tell apart: one column, which keeps what is missing
        return [(label, TableColumn(here * 1.0, "real", column.missing))]
    # One value fewer than there are: where none of the others is said, it is the first.
    return [
        (f"{label}, label {column.words[value]}", TableColumn((column.values == value) * 1.0, "real", column.missing))
        for value in values[1:]
    ]
