"""What every estimator from samples promises: `estimator(key, x, y) -> Estimate`, and the check at its door."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

import jax
import numpy as np

from capacity.results.estimate import Estimate
from capacity.runtime.deprecated import old_names

FEW_VALUES = 20

Takes = Literal["continuous", "discrete", "mixed", "any"]
Change = Literal["shift", "scale", "rotation", "monotone", "relabelling"]

__getattr__ = old_names(__name__)


@runtime_checkable
class Estimator(Protocol):
    """Mutual information I(X;Y) in bits from n independent pairs.

    A frozen dataclass whose fields are the method's parameters.  The class attributes tell the command line, the table
    of methods and the laws in the tests what to expect of it:

    Attributes:
        name, summary: for the command line and the table.
        takes: "continuous" (real x and y), "discrete" (integers, booleans or strings: rows are symbols), "mixed"
            (one side real, the other discrete), or "any".
        symmetric: whether I(x;y) and I(y;x) come out the same for the same key, up to rounding.
        unchanged_by: maps of x alone or y alone that leave the figure as it is, up to rounding: "shift" and "scale"
            (of every column on its own), "rotation" (an orthogonal matrix on one side), "monotone" (increasing, column
            by column), "relabelling" (of symbols).
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    takes: ClassVar[Takes]
    symmetric: ClassVar[bool]
    unchanged_by: ClassVar[frozenset[Change]]

    def __call__(self, key: jax.Array, x: Any, y: Any) -> Estimate:
        """Bits from x of shape (n, dx) or (n,) and y of shape (n, dy) or (n,).

        Raises:
            ValueError: for anything that `checked` refuses.
        """


def checked(x: Any, y: Any, takes: Takes, least: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Both sides as arrays (n, columns): float64 where real, one int64 column of symbols' numbers where discrete.

    Args:
        x, y: arrays (n, columns) or (n,), row i of each from the same draw.
        takes: what the estimator takes.
        least: how many pairs it needs.

    Raises:
        ValueError: different lengths, fewer pairs than `least`, NaN or infinity, a column that never changes, object
            arrays, and real data where symbols are expected or the reverse.
    """
    x, y = _table(x, "x"), _table(y, "y")
    if len(x) != len(y):
        raise ValueError(f"Expected x and y of one length, a row for each draw; got {len(x)} and {len(y)} rows.")
    if len(x) < least:
        raise ValueError(f"Expected at least {least} pairs for this method; got {len(x)}.")
    kinds = {name: "continuous" if a.dtype.kind == "f" else "discrete" for name, a in (("x", x), ("y", y))}
    for name, kind in kinds.items():
        other = (x if name == "x" else y).dtype
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
    return _side(x, "x"), _side(y, "y")


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


def generator(key: jax.Array) -> np.random.Generator:
    """NumPy's random numbers from a key."""
    return np.random.default_rng(np.asarray(jax.random.key_data(key)).ravel().tolist())


def _table(array: Any, name: str) -> np.ndarray:
    array = np.asarray(array)
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
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        row, column = np.argwhere(~np.isfinite(array))[0]
        raise ValueError(f"Expected finite numbers; got {array[row, column]} in {name}, row {row}, column {column}.")
    still = np.flatnonzero((array == array[:1]).all(axis=0))
    if len(still):
        raise ValueError(
            f"Expected columns that change; got a constant one ({array[0, still[0]]}) in {name}, column {still[0]}. "
            "It carries no bits: leave it out."
        )
    if array.dtype.kind == "f":
        return array
    return np.unique(array, axis=0, return_inverse=True)[1].reshape(-1, 1).astype(np.int64)
