"""A user's own arrays from `.npy`, `.npz`, `.safetensors`, `.csv` and `.parquet`: types checked, never a pickle."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np

from capacity.runtime.files.csv_tables import read_csv
from capacity.runtime.files.numpy_files import read_npy, read_npz
from capacity.runtime.files.safetensors_files import read_safetensors
from capacity.runtime.names import check_name, listed, typed_names
from capacity.runtime.tables.table import Table

ENDINGS = (".npy", ".npz", ".safetensors", ".csv", ".parquet")
TABLES = (".csv", ".parquet")
ARCHIVES = (".npz", ".safetensors")
PICKLES = (".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".bin")

ArrayOrTable: TypeAlias = np.ndarray | Table
"""An array, or columns by their names, those with missing values masked."""


def is_table(file: Path) -> bool:
    """Whether a file's ending, in any case, is that of a table."""
    return file.suffix.lower() in TABLES


def is_archive(file: Path) -> bool:
    """Whether a file's ending, in any case, is that of one that holds arrays by their names."""
    return file.suffix.lower() in ARCHIVES


def read_pair(
    files: Sequence[Path],
    x: Sequence[str] | None = None,
    y: Sequence[str] | None = None,
    *,
    header: bool | None = None,
    labels: Sequence[str] = (),
) -> tuple[ArrayOrTable, ArrayOrTable]:
    """x and y as arrays (n, columns) or tables: from two files, or from one that holds both.

    Args:
        files: two of `.npy`, archives (`.npz`, `.safetensors`) of one array, or tables; or one archive with arrays `x`
            and `y`; or one table.
        x, y: with one table, the columns of each side, as `typed_names` reads them; with one archive, the name of each
            array.
        header, labels: of tables, as in `read_table`.

    Raises:
        ValueError: for a file that is missing or cannot be read, names that are not there, and anything else than
            one or two files.
    """
    if len(files) == 2:
        if x or y:
            raise ValueError("Expected column names with one file that holds both sides; got two files.")
        first, second = (read_table(f, header, labels) if is_table(f) else read_one(f) for f in files)
        return first, second
    if len(files) != 1:
        raise ValueError(f"Expected one file that holds x and y, or a file for each; got {len(files)} files.")
    file = files[0]
    if is_archive(file):
        arrays = read_arrays(file)
        return _pick(arrays, x, "x", file), _pick(arrays, y, "y", file)
    if is_table(file):
        table = read_table(file, header, labels)
        if not x or not y:
            raise ValueError(f"Expected --x and --y, the columns of each side, with {file}; it has {listed(table)}.")
        return table.only(typed_names(x, table, "--x")), table.only(typed_names(y, table, "--y"))
    _refuse_pickle(file)
    raise ValueError(f"Expected one .npz, .csv or .parquet file that holds both sides, or two files; got {file}.")


def read_given(
    files: Sequence[Path], given: Sequence[str], *, header: bool | None = None, labels: Sequence[str] = ()
) -> ArrayOrTable:
    """A third side beside those of `read_pair`: a file of its own beside two files, else from the same one.

    Args:
        files: as in `read_pair`.
        given: a file; or columns of the table, or the name of an array of the archive.
        header, labels: of tables, as in `read_table`.

    Raises:
        ValueError: as `read_pair` does.
    """
    file = files[0] if len(files) == 1 else Path(given[0])
    if is_table(file):
        table = read_table(file, header, labels)
        return table.only(typed_names(given, table, "--given")) if len(files) == 1 else table
    if len(files) == 1 and is_archive(file):
        return _pick(read_arrays(file), given, "given", file)
    return read_one(file)


def read_table(file: Path, header: bool | None = None, labels: Sequence[str] = ()) -> Table:
    """The columns of a CSV or Parquet file by their names: integers, real numbers, booleans, or strings as objects.

    Args:
        file: ends in `.csv` or `.parquet`.
        header: of a CSV: whether the first line holds names; None refuses one that looks like data.
        labels: columns that hold labels, whatever these look like, as `typed_names` reads them.

    Raises:
        ValueError: if it is missing, empty, or not a table; if it is Parquet and pyarrow is not installed.  A column
            that is neither plainly numbers nor plainly labels is refused when it is asked for.
    """
    _there(file)
    if file.suffix.lower() == ".csv":
        return Table(str(file), {column.name: column.array for column in read_csv(file, header, labels)})
    from capacity.runtime.files.parquet_tables import read_parquet

    return read_parquet(file, labels)


def read_arrays(file: Path) -> dict[str, np.ndarray]:
    """The arrays of an `.npz` or `.safetensors` file by their names.

    Raises:
        ValueError: if it is missing, damaged, or no such file, and if it holds pickled objects.
    """
    _refuse_pickle(file)
    _there(file)
    return read_safetensors(file) if file.suffix.lower() == ".safetensors" else read_npz(file)


def _pick(arrays: dict[str, np.ndarray], names: Sequence[str] | None, side: str, file: Path) -> np.ndarray:
    name = names[0] if names else side
    check_name(name, arrays, f"an array of {file}")
    return arrays[name]


def read_one(file: Path) -> np.ndarray:
    """The one array of an `.npy`, `.npz` or `.safetensors` file, or all columns of a table of numbers.

    Raises:
        ValueError: for a file that is missing or cannot be read, pickled objects, several arrays, and other endings.
    """
    ending = file.suffix.lower()
    if ending in TABLES:
        return read_table(file).numbers()
    if is_archive(file):
        arrays = read_arrays(file)
        if len(arrays) != 1:
            raise ValueError(f"Expected one array in {file}; got {listed(arrays) or 'none'}. Save the one alone.")
        return next(iter(arrays.values()))
    _refuse_pickle(file)
    if ending != ".npy":
        raise ValueError(f"Expected a file that ends in {', '.join(ENDINGS)}; got {file}.")
    _there(file)
    return read_npy(file)


def _there(file: Path) -> None:
    if not file.is_file():
        raise ValueError(f"Expected a file at {file}; got {'a folder' if file.is_dir() else 'no such file'}.")


def _refuse_pickle(file: Path) -> None:
    if file.suffix.lower() in PICKLES:
        raise ValueError(
            f"Expected arrays alone; got {file}, by its ending a pickle: a program that runs when it is loaded. Where "
            "it is trusted, load it and save its arrays: numpy.savez('posterior.npz', means=means, logvars=logvars)."
        )
