"""The check at every estimator's door: two arrays of one length, finite, that change, and of the kind it takes."""

from __future__ import annotations

from typing import Literal

import jax
import numpy as np
from numpy.typing import ArrayLike

FEW_VALUES = 20

Takes = Literal["continuous", "discrete", "mixed", "any"]


def checked(x: ArrayLike, y: ArrayLike, takes: Takes, least: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Both sides as arrays (n, columns): float64 where real, one int64 column of symbols' numbers where discrete.

    Args:
        x, y: arrays (n, columns) or (n,), row i of each from the same draw.
        takes: what the estimator takes.
        least: how many pairs it needs.

    Raises:
        ValueError: different lengths, fewer pairs than `least`, NaN or infinity, a column that never changes, object
            arrays, and real data where symbols are expected or the reverse.
    """
    sides = {"x": _table(x, "x"), "y": _table(y, "y")}
    lengths = [len(side) for side in sides.values()]
    if lengths[0] != lengths[1]:
        raise ValueError(
            f"Expected x and y of one length, a row for each draw; got {lengths[0]} and {lengths[1]} rows."
        )
    if lengths[0] < least:
        raise ValueError(f"Expected at least {least} pairs for this method; got {lengths[0]}.")
    kinds = {name: "continuous" if side.dtype.kind == "f" else "discrete" for name, side in sides.items()}
    for name, kind in kinds.items():
        other = sides[name].dtype
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
    return _side(sides["x"], "x"), _side(sides["y"], "y")


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


def random_of(key: jax.Array) -> np.random.Generator:
    """NumPy's random numbers from a key."""
    return np.random.default_rng(np.asarray(jax.random.key_data(key)).ravel().tolist())


def _table(given: ArrayLike, name: str) -> np.ndarray:
    """The side as an array (n, columns), its real numbers as float64."""
    array = np.asarray(given)
    if array.dtype.kind == "O":
        raise ValueError(
            f"Expected {name} as an array of numbers, booleans or strings; got an array of Python objects."
        )
    if array.dtype.kind not in "fiubUS":
        raise ValueError(
            f"Expected {name} as an array of real numbers, integers, booleans or strings; got {array.dtype}."
        )
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2 or not array.shape[1]:
        raise ValueError(f"Expected {name} of shape (n,) or (n, columns); got {array.shape}.")
    return array.astype(np.float64) if array.dtype.kind == "f" else array


def _side(array: np.ndarray, name: str) -> np.ndarray:
    """Real columns as they are, once they are finite and change; symbols numbered, (n, 1) int64."""
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        row, column = np.argwhere(~np.isfinite(array))[0]
        raise ValueError(f"Expected finite numbers; got {array[row, column]} in {name}, row {row}, column {column}.")
    constant = np.flatnonzero((array == array[:1]).all(axis=0))
    if len(constant):
        first = constant[0]
        raise ValueError(
            f"Expected columns that change; got a constant one ({array[0, first]}) in {name}, column {first}. "
            "It carries no bits: leave it out."
        )
    if array.dtype.kind == "f":
        return array
    return np.asarray(np.unique(array, axis=0, return_inverse=True)[1].reshape(-1, 1), np.int64)
