"""Parquet files as tables; pyarrow is the extra that reads them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from capacity.runtime.names import typed_names
from capacity.runtime.tables.table import Table

_PANDAS_INDEX = re.compile(r"__index_level_\d+__")


def read_parquet(file: Path, labels: Sequence[str] = ()) -> Table:
    """The columns of a Parquet file, but for an index that pandas left there without a name.

    Args:
        file: to be read.
        labels: columns that hold labels, as `typed_names` reads them.

    Raises:
        ValueError: if it cannot be read, and if pyarrow is not installed.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise ValueError(
            f"Expected pyarrow to read {file}; it is not installed: pip install 'infocapacity[parquet]'."
        ) from None
    try:
        table = parquet.read_table(file)
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"Expected {file} to be a Parquet table; got {error}.") from error
    names = [name for name in table.column_names if not _PANDAS_INDEX.fullmatch(name)]
    as_text = typed_names(labels, names, "--labels")
    return Table(str(file), {name: lambda name=name: _array(table.column(name), name in as_text) for name in names})  # type: ignore[misc]


def _array(column: Any, as_text: bool) -> np.ndarray:
    import pyarrow as pa

    missing = np.asarray(column.is_null())
    if as_text or pa.types.is_dictionary(column.type):
        values = np.array([value if value is None else str(value) for value in column.to_pylist()], dtype=object)
    elif pa.types.is_integer(column.type) or pa.types.is_boolean(column.type) or pa.types.is_floating(column.type):
        values = np.asarray(column.fill_null(False if pa.types.is_boolean(column.type) else 0))
    else:
        values = np.array(column.to_pylist(), dtype=object)
    return np.ma.MaskedArray(values, missing) if missing.any() else values
