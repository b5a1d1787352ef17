"""What the user says that numbers are: measurements on a scale, or labels."""

from __future__ import annotations

import numpy as np

from capacity.runtime.tables.table import Table


def as_meant(side: np.ndarray | Table, *, continuous: bool = False, discrete: bool = False) -> np.ndarray | Table:
    """An array, or every column of a table, as it is meant.

    Args:
        side: from a file.
        continuous: whole numbers are measurements.
        discrete: real numbers that are whole are labels.

    Raises:
        ValueError: for others than whole numbers that are to be labels.
    """
    if isinstance(side, Table):
        return side.map(lambda column: _as_meant(column, continuous, discrete))
    return _as_meant(side, continuous, discrete)


def _as_meant(array: np.ndarray, continuous: bool, discrete: bool) -> np.ndarray:
    if continuous and array.dtype.kind in "iub":
        return array.astype(np.float64)
    if discrete and array.dtype.kind == "f":
        missing = np.ma.getmaskarray(array) | np.isnan(np.ma.getdata(array))
        values = np.where(missing, 0.0, np.ma.getdata(array))
        if not (np.isfinite(values).all() and (values == np.round(values)).all()):
            raise ValueError("Expected whole numbers with --discrete; got others.")
        whole = values.astype(np.int64)
        return np.ma.MaskedArray(whole, missing) if missing.any() else whole
    return array
