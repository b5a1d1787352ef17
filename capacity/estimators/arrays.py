"""Two arrays, how many bits: `estimate` by one method, `pairwise` for all columns of a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Protocol, cast, runtime_checkable

import jax
import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from capacity.estimators.estimator import Estimator, check_estimator
from capacity.results.estimate import Estimate
from capacity.runtime.keys import Seed, as_key
from capacity.runtime.names import check_name


@runtime_checkable
class Frame(Protocol):
    """A table with named columns, such as a pandas data frame."""

    @property
    def columns(self) -> Iterable[str]:
        """Names of the columns, in order."""
        ...

    def __getitem__(self, name: str) -> Iterable[object]:
        """The column of a name."""
        ...


def estimate(key: Seed, x: ArrayLike, y: ArrayLike, method: str | Estimator = "auto") -> Estimate:
    """Mutual information I(X;Y) in bits from n independent pairs, with a 95 % interval.

    Args:
        key: a key or a seed; decides every random number: the same one gives the same figure.
        x: shape (n,) or (n, columns); real numbers are a continuous variable, integers, booleans and strings symbols.
        y: the same number of rows, row i from the same draw as row i of x.
        method: a name in `capacity.estimators.ESTIMATORS`, or any estimator.  "auto" looks at the data, holds several
            methods against each other on held-out pairs, and chooses; `choose` tells why.

    Raises:
        ValueError: for an unknown method, and for data that the method refuses; the message says what was expected.
    """
    return named(method)(as_key(key), x, y)


def pairwise(
    key: Seed, table: ArrayLike | Frame, method: str | Estimator = "auto", names: Sequence[str] | None = None
) -> xr.Dataset:
    """Information between every two columns of a table, in bits.

    Args:
        key: a key or a seed; every pair of columns gets a key of its own from it.
        table: shape (n, columns), or a pandas data frame.
        method: as in `estimate`.
        names: of the columns; by default a frame's own, else their numbers.

    Returns:
        `bits`, `low`, `high` over dims `column, other`, symmetric, NaN on the diagonal (a real column holds infinitely
        many bits about itself).

    Raises:
        ValueError: as `estimate` does, naming the two columns.
    """
    estimator, key = named(method), as_key(key)
    own: Iterable[object]
    if isinstance(table, Frame):
        columns, own = [_of_frame(table[name]) for name in table.columns], table.columns
    else:
        columns = list(np.asarray(table).T)
        own = range(len(columns))
    labels = [str(name) for name in (own if names is None else names)]
    if len(columns) < 2 or len(labels) != len(columns):
        raise ValueError(f"Expected two columns or more, and a name for each; got {len(columns)}, {len(labels)} names.")
    figures = np.full((3, len(columns), len(columns)), np.nan)
    pairs = list(combinations(range(len(columns)), 2))
    for pair_key, (i, j) in zip(jax.random.split(key, len(pairs)), pairs, strict=True):
        try:
            pair = estimator(pair_key, columns[i], columns[j])
        except ValueError as error:
            raise ValueError(f"Columns {labels[i]!r} (x) and {labels[j]!r} (y): {error}") from error
        figures[:, i, j] = figures[:, j, i] = float(pair.bits), float(pair.low), float(pair.high)
    long_names = ("mutual information of two columns", "95 % interval, low end", "95 % interval, high end")
    return xr.Dataset(
        {
            name: (("column", "other"), values, {"units": "bits", "long_name": long_name})
            for name, values, long_name in zip(("bits", "low", "high"), figures, long_names, strict=True)
        },
        {"column": labels, "other": labels},
        {"method": estimator.name},
    )


def _of_frame(column: Iterable[object]) -> np.ndarray:
    """A data frame's column as an array; words, which a frame keeps as objects, as strings."""
    words = all(isinstance(value, str) for value in column)
    return np.asarray(column, dtype=np.str_) if words else np.asarray(column)


def named(method: str | Estimator) -> Estimator:
    """The estimator of a name with its defaults; an estimator as it is.

    Raises:
        TypeError: for what is neither a name nor an estimator.
        ValueError: for an unknown name, with the nearest known ones.
    """
    from capacity.estimators.registry import ESTIMATORS

    if not isinstance(method, str):
        check_estimator(method)
        return method
    check_name(method, ESTIMATORS, "the method")
    return cast("Estimator", ESTIMATORS[method]())
