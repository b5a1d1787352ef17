"""A user's own arrays from `.npy`, `.npz`, `.csv` and `.parquet` files: types checked, never a pickle."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from capacity.runtime.names import check_name

ENDINGS = (".npy", ".npz", ".csv", ".parquet")
TABLES = (".csv", ".parquet")


def read_pair(
    files: Sequence[Path], x: Sequence[str] | None = None, y: Sequence[str] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """x and y as arrays (n, columns): from two files, or from one that holds both.

    Args:
        files: two of `.npy` or tables; or one `.npz` with arrays `x` and `y`; or one table, `.csv` with a header or
            `.parquet`.
        x, y: with one table, the names of the columns on each side; with one `.npz`, the name of each array.

    Raises:
        ValueError: for a file that is missing or cannot be read, names that are not there, and anything else than
            one or two files.
    """
    if len(files) == 2:
        if x or y:
            raise ValueError("Expected column names with one file that holds both sides; got two files.")
        return read_one(files[0]), read_one(files[1])
    if len(files) != 1:
        raise ValueError(f"Expected one file that holds x and y, or a file for each; got {len(files)} files.")
    file = files[0]
    if file.suffix == ".npz":
        arrays = read_arrays(file)
        return _pick(arrays, x, "x", file), _pick(arrays, y, "y", file)
    if file.suffix in TABLES:
        table = read_table(file)
        if not x or not y:
            raise ValueError(
                f"Expected --x and --y, the columns of each side, with {file}; it has {', '.join(table.columns)}."
            )
        for side, names in (("--x", x), ("--y", y)):
            for name in names:
                check_name(name, table.columns, side)
        return _columns(table, x, file), _columns(table, y, file)
    raise ValueError(f"Expected one .npz, .csv or .parquet file that holds both sides, or two files; got {file}.")


def read_table(file: Path) -> pd.DataFrame:
    """A CSV file with a header, or a Parquet file, as a data frame of numbers and strings.

    Raises:
        ValueError: if it is missing, empty, or not a table; if it is Parquet and pyarrow is not installed.
    """
    if file.suffix == ".parquet":
        return _read_parquet(_there(file))
    try:
        return pd.read_csv(_there(file))
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise ValueError(f"Expected {file} to be a CSV table with a header; got {error}.") from error


def _read_parquet(file: Path) -> pd.DataFrame:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise ValueError(
            f"Expected pyarrow to read {file}; it is not installed: pip install 'infocapacity[parquet]'."
        ) from None
    try:
        return parquet.read_table(file).to_pandas()
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"Expected {file} to be a Parquet table; got {error}.") from error


def read_arrays(file: Path) -> dict[str, np.ndarray]:
    """The arrays of an `.npz` file by their names.

    Raises:
        ValueError: if it is missing or damaged, or holds pickled objects.
    """
    _there(file)
    try:
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise _unreadable(file, error) from error


def numbers(table: pd.DataFrame, names: Sequence[str], file: Path) -> np.ndarray:
    """Columns of a table as one array of real numbers.

    Raises:
        ValueError: if one of them is not of numbers.
    """
    for name in names:
        if table[name].dtype.kind not in "fiub":
            raise ValueError(f"Expected numbers in column {name!r} of {file}; got {table[name].dtype}.")
    return np.asarray(table[list(names)], np.float64)


def _columns(table: pd.DataFrame, names: Sequence[str], file: Path) -> np.ndarray:
    kinds = {table[name].dtype.kind for name in names}
    if kinds <= set("iub"):
        return np.asarray(table[list(names)])
    if kinds <= set("fiub"):
        return numbers(table, names, file)
    missing = table[list(names)].isna().any()
    if missing.any():
        raise ValueError(f"Expected no empty cells; got some in column {missing.idxmax()!r} of {file}.")
    return np.asarray(table[list(names)].astype(str).to_numpy(dtype=np.str_))


def _pick(arrays: dict[str, np.ndarray], names: Sequence[str] | None, side: str, file: Path) -> np.ndarray:
    name = names[0] if names else side
    check_name(name, arrays, f"an array of {file}")
    return arrays[name]


def read_one(file: Path) -> np.ndarray:
    """The one array of an `.npy` file, or all columns of a table.

    Raises:
        ValueError: for a file that is missing or cannot be read, pickled objects, and other endings.
    """
    if file.suffix in TABLES:
        table = read_table(file)
        return _columns(table, list(table.columns), file)
    if file.suffix != ".npy":
        raise ValueError(f"Expected a file that ends in {', '.join(ENDINGS)}; got {file}.")
    _there(file)
    try:
        array: np.ndarray = np.load(file, allow_pickle=False)
        return array
    except (ValueError, OSError, EOFError) as error:
        raise _unreadable(file, error) from error


def _there(file: Path) -> Path:
    if not file.is_file():
        raise ValueError(f"Expected a file at {file}; got no such file.")
    return file


def _unreadable(file: Path, error: Exception) -> ValueError:
    if "allow_pickle" in str(error):
        return ValueError(f"Expected numbers, booleans or strings in {file}; got pickled Python objects, never loaded.")
    return ValueError(f"Expected {file} to be a whole NumPy file; got one that cannot be read ({error}).")
