"""Columns of a table by name, each with what makes it unfit for every method; told without loading JAX."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from capacity.runtime.memory import check_fits
from capacity.runtime.names import check_name
from capacity.runtime.tables.columns import TableColumn, column_of, split_columns
from capacity.runtime.tables.foreign import LazyColumn, Tabular
from capacity.runtime.tables.sides import MISSING, Missing

MOST_NAMED = 5
PAIR_BYTES = 400.0  # of what is kept of two columns


@dataclass(frozen=True)
class NamedColumn:
    """A column of a table; where no method can take it, why."""

    name: str
    column: TableColumn | None
    note: str

    @property
    def kind(self) -> str:
        """What it is taken as: "real", "symbols", or "unfit"."""
        if self.column is None or self.note:
            return "unfit"
        return "real" if self.column.kind == "real" else "symbols"


def named_columns(table: Tabular, names: Sequence[str] | None = None, missing: Missing = "refuse") -> list[NamedColumn]:
    """The columns of a table.

    Args:
        table: shape (n, columns), or a data frame, or a mapping of names to columns.
        names: of the columns; by default a frame's own, else their numbers.
        missing: "refuse" columns with missing values, or "drop" rows, later.

    Raises:
        ValueError: for fewer than two columns, columns of unequal length, and missing values that are refused.
    """
    check_name(missing, MISSING, "missing")
    columns = [_examined(name, column) for name, column in split_columns(table, names)]
    if len(columns) < 2:
        raise ValueError(f"Expected two columns or more; got {len(columns)}.")
    lengths = {len(c.column.values) for c in columns if c.column is not None}
    if len(lengths) > 1:
        raise ValueError(f"Expected columns of one length; got {', '.join(map(str, sorted(lengths)))} rows.")
    if missing == "refuse":
        _refuse_missing(columns)
    return columns


def target_of(columns: Sequence[NamedColumn], target: str) -> int:
    """The place of the column that the others are ranked by.

    Raises:
        ValueError: for an unknown or unfit one.
    """
    labels = [column.name for column in columns]
    check_name(target, labels, "the target")
    place = labels.index(target)
    if columns[place].note:
        raise ValueError(f"Expected a target that a method can take. {columns[place].note}")
    return place


def check_pairs(columns: int) -> None:
    """Refuse more columns than memory has room for figures of their pairs.

    Raises:
        ValueError: saying how much.
    """
    lower = "Ask for fewer columns, or for a target (--target)."
    check_fits(PAIR_BYTES * columns * (columns - 1) / 2, "a table of pairs of columns", lower)


def _examined(name: str, lazy: LazyColumn) -> NamedColumn:
    """A column, and what makes it unfit for every method."""
    try:
        column = column_of(lazy(), f"column {name!r}")
    except ValueError as refusal:
        return NamedColumn(name, None, str(refusal))
    present, note = column.present, ""
    if not len(present):
        note = f"Column {name!r} has no value in any row."
    elif column.kind == "real" and not np.isfinite(present).all():
        note = f"Column {name!r} is infinite in {int((~np.isfinite(present)).sum())} rows."
    elif (present == present[0]).all():
        what = "label" if column.kind == "label" else f"value ({present[0]})"
        note = f"Column {name!r} has the same {what} in every row: it carries no bits."
    elif column.kind != "real" and len(np.unique(present)) == len(present):
        note = (
            f"Column {name!r} has another symbol in every row: nothing can be counted. If these are measurements, say "
            ".astype(float) (on the command line: --continuous)."
        )
    return NamedColumn(name, column, note)


def _refuse_missing(columns: Sequence[NamedColumn]) -> None:
    """Before any work, all columns with missing values at once."""
    missing = {
        c.name: int(c.column.missing.sum())
        for c in columns
        if c.kind != "unfit" and c.column is not None and c.column.missing is not None
    }
    if missing:
        some = [f"{name!r} in {count} rows" for name, count in list(missing.items())[:MOST_NAMED]]
        more = f" and {len(missing) - MOST_NAMED} more columns" if len(missing) > MOST_NAMED else ""
        raise ValueError(
            f"Expected a value in every row; got none in column {', '.join(some)}{more}. To leave out, for each pair "
            "of columns, the rows in which one has no value, say missing='drop' (on the command line: --missing drop)."
        )
