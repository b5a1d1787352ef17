"""A user's own rows as the vectors of a source: (N, dim) real numbers from a file, sizes and types checked.

`synthetic.Codebook.from_data(read_rows("data.npy"))` draws a row at random: log2 N bits where all rows differ.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from capacity.runtime.files.arrays import is_archive, is_table, read_arrays, read_one, read_table
from capacity.runtime.names import check_name, listed, typed_names

MAX_DATA_ROWS = 2**20


def read_rows(
    file: str | os.PathLike[str], columns: Sequence[str] | None = None, *, standardize: bool = False
) -> np.ndarray:
    """Rows (N, dim) of an `.npy`, `.npz`, `.safetensors`, `.csv` or `.parquet` file, float32; never a pickle.

    Args:
        file: an array of any shape (N, ...), its items flattened; or a table with a header.
        columns: of a table, by default all, as `typed_names` reads them; of an `.npz` or `.safetensors`, the one name
            of an array if it holds several.
        standardize: take away each column's mean and divide by its standard deviation: an injective map, which
            leaves the bits as they are and lets networks train; columns that never change stay at 0.

    Raises:
        ValueError: for a file that cannot be read, a column that is not of numbers, NaN or infinity, more than 2^20
            rows, and rows that differ in float64 but not in the float32 that networks are given.
    """
    path = Path(file)
    rows = _table(path, columns) if is_table(path) else _array(path, columns)
    return as_rows(rows, str(path), standardize=standardize)


def as_rows(array: np.ndarray, name: str = "the data", *, standardize: bool = False) -> np.ndarray:
    """An array (N, ...) as rows (N, dim) of float32, checked; arguments and errors as in `read_rows`."""
    if array.dtype.kind not in "fiub":
        raise ValueError(f"Expected real numbers in {name}; got {array.dtype}.")
    if array.ndim == 0 or 0 in array.shape:
        raise ValueError(f"Expected {name} of shape (N, dim), N >= 1; got shape {array.shape}.")
    if len(array) > MAX_DATA_ROWS:
        raise ValueError(
            f"Expected at most 2^20 = {MAX_DATA_ROWS} rows in {name}; got {len(array)}. Take some of them."
        )
    rows = array.reshape(len(array), -1).astype(np.float64)
    if not np.isfinite(rows).all():
        row, column = np.argwhere(~np.isfinite(rows))[0]
        raise ValueError(f"Expected finite numbers in {name}; got {rows[row, column]} in row {row}, column {column}.")
    distinct = _distinct(rows)
    if standardize:
        spread = rows.std(0)
        rows = (rows - rows.mean(0)) / np.where(spread > 0, spread, 1.0)
    with np.errstate(over="ignore"):
        single = rows.astype(np.float32)
    if not np.isfinite(single).all():
        raise ValueError(f"Expected numbers within single precision in {name}; got up to {np.abs(rows).max():.4g}.")
    if _distinct(single) < distinct:
        raise ValueError(
            f"Expected rows of {name} that differ in single precision; got {distinct - _distinct(single)} that only "
            "differ past it. Standardise them (on the command line: --standardize), or scale them first."
        )
    return single


def _distinct(rows: np.ndarray) -> int:
    return len(np.unique(np.ascontiguousarray(rows + 0.0).view(f"V{rows.shape[1] * rows.itemsize}")))


def _table(file: Path, columns: Sequence[str] | None) -> np.ndarray:
    table = read_table(file)
    return table.numbers(typed_names(columns, table, "a column") if columns else None)


def _array(file: Path, columns: Sequence[str] | None) -> np.ndarray:
    if not is_archive(file):
        if columns:
            raise ValueError(f"Expected names of columns with a table or an .npz file; got {file}.")
        return read_one(file)
    arrays = read_arrays(file)
    names = list(columns or arrays)
    if len(names) != 1:
        raise ValueError(
            f"Expected the name of one array of {file}, which holds {listed(arrays)}; got {listed(names) or 'none'}."
        )
    check_name(names[0], arrays, f"an array of {file}")
    return arrays[names[0]]
