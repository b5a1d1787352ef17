"""Information between two series at many lags in one call: I(X_t; Y_(t + lag))."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from capacity.estimators.by_name import by_name
from capacity.estimators.checks import checked
from capacity.estimators.estimator import Estimator
from capacity.estimators.order.by_type import method_for
from capacity.estimators.order.memory import MIN_ROWS
from capacity.estimators.order.time_interval import PartBits, ShiftedBits, block_rows, widened
from capacity.runtime.keys import Seed, as_key
from capacity.runtime.threefry import parts_of

if TYPE_CHECKING:
    import xarray as xr


def lagged_information(
    key: Seed,
    x: ArrayLike,
    y: ArrayLike,
    lags: Iterable[int] = range(0, 21),
    method: str | Estimator | None = None,
    block: int | None = None,
) -> xr.Dataset:
    """Bits between x and y a number of rows later, for every lag, with 95 % intervals for rows in time.

    The bias and spread of independent series are those of shifts round the circle, the same for all lags; the spread of
    dependent ones is from consecutive parts, lag by lag (`time_interval`).

    Args:
        key: a key or a seed; decides every random number.
        x, y: two stationary series, shapes (n,) or (n, columns), row i of both from the same time.
        lags: whole numbers; at a positive lag y comes after x, at a negative one before.
        method: the name of an estimator, or an estimator; by default nearest neighbours, "mixed" where a side is one
            of symbols or of numbers that repeat, "plugin" where both are symbols.
        block: rows that are long against the memory; None to choose by the memory.

    Returns:
        `bits`, `low`, `high` over dim `lag`; `shifted` in the attributes is the bias that was taken off.

    Raises:
        ValueError: as `time_interval` does, for lags of more than a quarter of the rows, and for none.
    """
    import xarray as xr

    asked = [int(lag) for lag in lags]
    left, right = checked(x, y, "any", MIN_ROWS)
    if not asked or max(map(abs, asked)) > len(left) // 4:
        raise ValueError(f"Expected lags of at most a quarter of the {len(left)} rows, one or more; got {asked}.")
    estimator = method_for(left, right) if method is None else by_name(method).of_independent_rows()
    left, right = checked(x, y, estimator.takes, max(MIN_ROWS, estimator.min_pairs))
    key_shifts, key_lags = parts_of(as_key(key), 2)
    rows = block_rows(left, right, estimator.min_pairs, block)
    shifted = ShiftedBits.of(
        key_shifts, left, right, estimator, max(rows, min(2 * max(map(abs, asked)), len(left) // 3))
    )
    found = []
    for lag_key, lag in zip(parts_of(key_lags, len(asked)), asked, strict=True):
        kept = len(left) - abs(lag)
        a, b = (left[:kept], right[lag:]) if lag >= 0 else (left[-lag:], right[:kept])
        key_whole, key_parts = parts_of(lag_key, 2)
        whole = estimator.information(key_whole, a, b)
        found.append(widened(whole, shifted, PartBits.of(key_parts, a, b, estimator, rows)))
    figures = {
        "bits": "mutual information of x and y so many rows later",
        "low": "95 % interval, low end",
        "high": "95 % interval, high end",
    }
    columns = {"bits": [f.bits for f in found], "low": [f.low for f in found], "high": [f.high for f in found]}
    return xr.Dataset(
        {
            name: ("lag", np.array(columns[name], np.float64), {"units": "bits", "long_name": long_name})
            for name, long_name in figures.items()
        },
        {"lag": ("lag", asked, {"units": "rows", "long_name": "rows by which y is later than x"})},
        {"method": estimator.name, "block": rows, "shifted": shifted.mean},
    )
