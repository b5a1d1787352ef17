"""Two arrays of one length, finite, that change, and of the kind that a method takes; told without loading JAX."""

from __future__ import annotations

import warnings
from typing import Literal

import numpy as np

from capacity.runtime.tables.sides import TableSide, pair_of

NAMED = 5  # columns that are named where many are meant
FEW_VALUES = 20

Takes = Literal["continuous", "discrete", "mixed", "any"]


def checked(x: object, y: object, takes: Takes, least: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Both sides as arrays (n, columns): float64 where real, one int64 column of symbols' numbers where discrete.

    Args:
        x, y: arrays (n, columns) or (n,) of any package, or data frames, row i of each from the same draw.
        takes: what the estimator takes.
        least: how many pairs it needs.

    Raises:
        ValueError: what `pair_of` refuses, missing values among it, fewer pairs than `least`, infinity, a side that
            never changes, and real data where symbols are expected or the reverse.

    Warns:
        UserWarning: that columns which never change are left out; they carry no bits.
    """
    first, second, _ = pair_of(x, y)
    sides = {"x": first, "y": second}
    if len(first) < least:
        raise ValueError(f"Expected at least {least} pairs for this method; got {len(first)}.")
    kinds = {name: "continuous" if side.values.dtype.kind == "f" else "discrete" for name, side in sides.items()}
    for name, kind in kinds.items():
        other = sides[name].values.dtype
        if takes == "continuous" and kind == "discrete":
            raise ValueError(
                f"Expected real numbers for this method; got symbols ({other}) in {name}. If they are measurements on "
                f"a scale, say so by {name}.astype(float) (on the command line: --continuous); if they are labels, "
                "use a method for discrete or mixed data."
            )
        if takes == "discrete" and kind == "continuous":
            raise ValueError(
                f"Expected symbols (integers, booleans or strings) for this method; got real numbers ({other}) in "
                f"{name}. If they are labels, say so by {name}.astype(int) (on the command line: --discrete)."
            )
    if takes == "mixed" and len(set(kinds.values())) == 1:
        raise ValueError(f"Expected one side of real numbers and one of symbols; got {kinds['x']} x and y.")
    return _ready(first, "x"), _ready(second, "y")


def refuse_few_values(x: np.ndarray, y: np.ndarray) -> None:
    """Raise where a column of real numbers has so few values that no continuous law describes it.

    Raises:
        ValueError: for fewer than 20 different values among 200 rows or more.
    """
    for name, side in (("x", x), ("y", y)):
        counts = [len(np.unique(column)) for column in side.T]
        if len(side) >= 200 and min(counts) < FEW_VALUES:
            raise ValueError(
                f"Expected columns of continuous values; got only {min(counts)} different ones in {name}, column "
                f"{int(np.argmin(counts))}. If they are symbols, say so by {name}.astype(int) (on the command line: "
                "--discrete), or use the method mixed."
            )


def _ready(side: TableSide, name: str) -> np.ndarray:
    """Real columns as they are, once they are finite, those that change; symbols numbered, (n, 1) int64."""
    array, names = side.values, side.names
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        row, column = np.argwhere(~np.isfinite(array))[0]
        raise ValueError(
            f"Expected finite numbers; got {array[row, column]} in {name}, row {row}, column {names[column]!r}."
        )
    changes = (array != array[:1]).any(axis=0)
    if not changes.any():
        raise ValueError(
            f"Expected columns that change; got a constant one ({array[0, 0]}) in {name}, column {names[0]!r}"
            + (", as all others are." if len(names) > 1 else ". It carries no bits.")
        )
    if not changes.all():
        still = [repr(names[j]) for j in np.flatnonzero(~changes)]
        named = ", ".join(still[:NAMED]) + (f" and {len(still) - NAMED} more" if len(still) > NAMED else "")
        warnings.warn(f"Left out of {name}, as they never change and carry no bits: columns {named}.", stacklevel=4)
        array = array[:, changes]
    if array.dtype.kind == "f":
        return array
    rows = array[:, 0] if array.shape[1] == 1 else array
    return np.asarray(np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1, 1), np.int64)
