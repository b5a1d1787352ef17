"""One column of a table: real numbers, whole numbers or labels, and which of its values are missing."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from capacity.runtime.tables.foreign import LazyColumn, as_numpy, table_columns

ColumnKind: TypeAlias = Literal["real", "whole", "label"]
"""Whole numbers are symbols, as labels are, but turn real beside real columns, as NumPy turns them; labels do not."""


@dataclass(frozen=True)
class TableColumn:
    """One variable.

    Attributes:
        values: shape (n,): float64 where real; integers or booleans where whole; the labels' numbers, int64, else.
        kind: what the values are.
        missing: shape (n,), True where there is no value; None where none is missing.
        words: of labels, what each number stands for.
    """

    values: np.ndarray
    kind: ColumnKind
    missing: np.ndarray | None = None
    words: Sequence[object] = ()

    @property
    def present(self) -> np.ndarray:
        """The values that are there, in order."""
        return self.values if self.missing is None else self.values[~self.missing]


def split_columns(table: object, names: Sequence[str] | None = None) -> list[tuple[str, LazyColumn]]:
    """Every column of a table by its name, taken when it is asked for: a bad one is refused then, alone.

    Args:
        table: shape (n, columns), or a data frame, or a mapping of names to columns.
        names: of the columns; by default a frame's own, else their numbers.

    Raises:
        ValueError: for what is no table, and another number of names than columns.
    """
    columns = table_columns(table)
    if columns is None:
        array = as_numpy(table)
        if array.ndim == 1:
            array = array[:, None]
        if array.ndim != 2:
            raise ValueError(f"Expected a table of shape (n, columns); got {array.shape}.")
        columns = [(str(j), lambda j=j: array[:, j]) for j in range(array.shape[1])]  # type: ignore[misc]
    if names is not None and len(names) != len(columns):
        raise ValueError(f"Expected a name for each of {len(columns)} columns; got {len(names)} names.")
    own = [name for name, _ in columns] if names is None else [str(name) for name in names]
    return [(name, column) for name, (_, column) in zip(own, columns, strict=True)]


def column_of(given: object, where: str) -> TableColumn:
    """One column of any package's as a `TableColumn`.

    Args:
        given: shape (n,) or (n, 1).
        where: what it is called in a refusal, as "x, column 'age'".

    Raises:
        ValueError: for dates, whose meaning is asked, and for what is neither numbers nor labels.
    """
    array = as_numpy(given)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise ValueError(f"Expected {where} of shape (n,); got {array.shape}.")
    mask = np.ma.getmaskarray(array) if isinstance(array, np.ma.MaskedArray) else np.zeros(len(array), bool)
    values = np.ma.getdata(array)
    if values.dtype.kind == "O":
        return _of_objects(values, mask, where)
    refuse_dtype(values.dtype, where)
    if values.dtype.kind == "f":
        values = values.astype(np.float64)
        mask = mask | np.isnan(values)
        return TableColumn(values, "real", _any(mask))
    if values.dtype.kind in "US":
        return _labelled(values, mask)
    return TableColumn(values, "whole", _any(mask))


def refuse_dtype(dtype: np.dtype, where: str) -> None:
    """Refuse what is neither numbers, booleans nor strings; of dates, ask what they mean.

    Raises:
        ValueError: with the remedy.
    """
    if dtype.kind in "Mm":
        what, grain = ("dates", "days or weekdays") if dtype.kind == "M" else ("lengths of time", "whole hours")
        raise ValueError(
            f"Expected numbers or labels; got {what} in {where}. If points on a scale are meant, say "
            f".astype('int64').astype(float); if labels are, such as {grain}, make them and say .astype(str)."
        )
    if dtype.kind == "O":
        raise ValueError(
            f"Expected {where} as an array of numbers, booleans or strings; got an array of Python objects. Say "
            ".astype(float) for measurements, .astype(str) for labels."
        )
    if dtype.kind not in "fiubUS":
        raise ValueError(f"Expected {where} as an array of real numbers, integers, booleans or strings; got {dtype}.")


def _any(mask: np.ndarray) -> np.ndarray | None:
    return mask if mask.any() else None


def _of_objects(values: np.ndarray, mask: np.ndarray, where: str) -> TableColumn:
    """Strings as labels and booleans as whole numbers; anything else is refused."""
    mask = mask | np.array([_is_missing(value) for value in values], dtype=bool)
    kept = values[~mask]
    sorts = {_sort_of(value) for value in kept}
    if not sorts:
        return TableColumn(np.full(len(values), np.nan), "real", _any(mask))
    if sorts == {"strings"}:
        return _labelled(values, mask)
    if sorts == {"booleans"}:
        return TableColumn(np.where(mask, False, values).astype(bool), "whole", _any(mask))
    if "strings" in sorts:
        row = next(i for i, value in enumerate(values) if not mask[i] and _sort_of(value) != "strings")
        raise ValueError(
            f"Expected one sort of values in {where}; got strings, and {values[row]!r} in row {row}. Say .astype(str) "
            "if all are labels; pandas.to_numeric makes numbers of those that read as such."
        )
    refuse_dtype(np.dtype({"dates": "M8[s]", "times": "m8[s]"}.get(sorts.pop(), "O")), where)
    raise AssertionError("objects of no known sort are refused above")


def _is_missing(value: object) -> bool:
    """None, NaN, and what pandas has for them, without importing it."""
    nothing = value is None or type(value).__name__ in ("NAType", "NaTType")
    return nothing or (isinstance(value, float | np.floating) and bool(np.isnan(value)))


def _sort_of(value: object) -> str:
    if isinstance(value, str):
        return "strings"
    if isinstance(value, bool | np.bool_):
        return "booleans"
    if isinstance(value, datetime.date | datetime.time | np.datetime64):
        return "dates"
    return "times" if isinstance(value, datetime.timedelta | np.timedelta64) else "others"


def _labelled(labels: np.ndarray, mask: np.ndarray) -> TableColumn:
    """Labels numbered in their order; 0 where there is none."""
    numbers, kept = np.zeros(len(labels), np.int64), labels[~mask]
    words: Sequence[object]
    if kept.dtype.kind == "O":  # one long label must not make all others as long
        words = sorted(set(kept))
        place = {label: i for i, label in enumerate(words)}
        numbers[~mask] = [place[label] for label in kept]
    else:
        unique, numbers[~mask] = np.unique(kept, return_inverse=True)
        words = unique.tolist()
    return TableColumn(numbers, "label", _any(mask), words)
