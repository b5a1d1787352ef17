"""The columns of a table by their names, each read when it is asked for: a bad one disturbs no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np


class Table(Mapping[str, np.ndarray]):
    """Columns by name, in order: integers, float64, booleans, or strings as objects; masked where values are missing.

    Args:
        file: where it is from, for refusals.
        columns: the names, and what gives each column or refuses it.
    """

    def __init__(self, file: str, columns: Mapping[str, Callable[[], np.ndarray]]):
        self.file, self._columns = file, dict(columns)

    def __getitem__(self, name: str) -> np.ndarray:
        return self._columns[name]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def only(self, names: Sequence[str]) -> Table:
        """Some of the columns, in the order of their names."""
        return Table(self.file, {name: self._columns[name] for name in names})

    def map(self, change: Callable[[np.ndarray], np.ndarray]) -> Table:
        """The same columns, each changed when it is asked for."""
        return Table(self.file, {name: lambda get=get: change(get()) for name, get in self._columns.items()})  # type: ignore[misc]

    def numbers(self, names: Sequence[str] | None = None) -> np.ndarray:
        """Columns as one array (n, columns) of real numbers, by default all; NaN where values are missing.

        Raises:
            ValueError: if one of them is not of numbers.
        """
        return np.column_stack([self._real(name) for name in names or self])

    def _real(self, name: str) -> np.ndarray:
        column = self[name]
        if column.dtype.kind not in "fiub":
            raise ValueError(f"Expected numbers in column {name!r} of {self.file}; got labels or objects.")
        return np.asarray(np.ma.filled(column.astype(np.float64), np.nan))
