"""Arrays and tables of other packages, as plain NumPy: what is missing is masked.

A package is imported only where an object is of it: who has no pandas in hand does not wait for pandas.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike

LazyColumn: TypeAlias = Callable[[], object]
"""A column of a table, taken when it is called for: nothing is copied, and nothing refused, before."""


@runtime_checkable
class Frame(Protocol):
    """A table with named columns, such as a pandas data frame."""

    @property
    def columns(self) -> Iterable[str]:
        """Names of the columns, in order."""
        ...

    def __getitem__(self, name: str) -> object:
        """The column of a name."""
        ...


Tabular: TypeAlias = ArrayLike | Frame | Mapping[str, ArrayLike]
"""What `table_columns` and `as_numpy` take between them."""


def is_of(given: object, package: str) -> bool:
    """Whether an object's class, or one that it inherits from, comes from a package, such as "scipy.sparse"."""
    homes = (kind.__module__ for kind in type(given).__mro__)
    return any(f"{home}.".startswith(f"{package}.") for home in homes)


def table_columns(given: object) -> list[tuple[str, LazyColumn]] | None:
    """Names and columns of a data frame, a named series, a mapping or a structured array; None for what is none.

    Raises:
        ValueError: for a lazy frame, which has no values yet.
    """
    if is_of(given, "polars") and type(given).__name__ == "LazyFrame":
        raise ValueError("Expected a frame with values; got a polars LazyFrame. Say .collect() first.")
    if isinstance(given, Mapping):
        return [(str(name), lambda name=name: given[name]) for name in given]  # type: ignore[misc]
    if isinstance(given, np.ndarray):
        names = given.dtype.names
        return None if names is None else [(name, lambda name=name: given[name]) for name in names]  # type: ignore[misc]
    if type(given).__name__ == "Series" and (is_of(given, "pandas") or is_of(given, "polars")):
        return _named_series(given)
    if is_of(given, "pandas") and isinstance(given, Frame):
        return _by_place(given, [_words(name) for name in given.columns])
    if is_of(given, "pyarrow") and type(given).__name__ in ("Table", "RecordBatch"):
        return _by_arrow(given)
    if isinstance(given, Frame):
        return [(str(name), lambda name=name: given[name]) for name in given.columns]  # type: ignore[misc]
    return None


def as_numpy(given: object) -> np.ndarray:
    """An array or column of any package as NumPy's, masked where values are missing; labels as Python strings.

    Raises:
        ValueError: for what no array can be made of.
    """
    if is_of(given, "pandas"):
        return _from_pandas(given)
    if is_of(given, "polars"):
        return _from_polars(given)
    if is_of(given, "pyarrow"):
        return _from_arrow(given)
    if is_of(given, "scipy.sparse"):
        return _plain(_call(given, "toarray"))
    if is_of(given, "torch"):
        return _from_torch(given)
    return _plain(given)


def _plain(given: object) -> np.ndarray:
    if isinstance(given, np.ma.MaskedArray):
        return given
    try:
        array = np.asarray(given)
        if isinstance(given, list | tuple) and array.dtype.kind in "US":
            array = np.asarray(given, dtype=object)  # ["a", 1.5]: NumPy would write out the number
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"Expected an array of rows of one length; got {type(given).__name__}: {error}.") from error
    if array.dtype.kind == "V" and array.dtype.names is None and array.dtype.type.__module__ == "ml_dtypes":
        return array.astype(np.int64 if "int" in array.dtype.name else np.float64)
    if array.dtype.kind == "T":
        array = array.astype(object)
    return array


def _call(given: Any, method: str) -> object:
    return getattr(given, method)()


def _by_place(frame: Any, names: list[str]) -> list[tuple[str, LazyColumn]]:
    """By place, not by name, which two columns may share."""
    return [(name, lambda j=j: frame.iloc[:, j]) for j, name in enumerate(names)]  # type: ignore[misc]


def _named_series(series: Any) -> list[tuple[str, LazyColumn]] | None:
    """A column that knows its name; one that has none is an array."""
    return None if series.name in (None, "") else [(_words(series.name), lambda: series)]


def _by_arrow(table: Any) -> list[tuple[str, LazyColumn]]:
    return [(name, lambda j=j: table.column(j)) for j, name in enumerate(table.column_names)]  # type: ignore[misc]


def _words(name: object) -> str:
    return ", ".join(map(str, name)) if isinstance(name, tuple) else str(name)


def _masked(values: np.ndarray, missing: np.ndarray) -> np.ndarray:
    return np.ma.MaskedArray(values, missing) if missing.any() else values


def _from_pandas(given: Any) -> np.ndarray:
    import pandas as pd

    series = given if isinstance(given, pd.Series) else pd.Series(given)
    dtype, missing = series.dtype, series.isna().to_numpy(dtype=bool)
    if isinstance(dtype, pd.SparseDtype):
        series, dtype = series.sparse.to_dense(), dtype.subtype
    kinds = pd.api.types
    if isinstance(dtype, pd.CategoricalDtype):
        return _masked(_labels(series.cat.categories, series.cat.codes.to_numpy()), missing)
    if kinds.is_bool_dtype(dtype):
        return _masked(series.to_numpy(dtype=bool, na_value=False), missing)
    if kinds.is_integer_dtype(dtype):
        return _masked(series.to_numpy(dtype=str(dtype).lower().split("[")[0], na_value=0), missing)
    if kinds.is_float_dtype(dtype):
        return _masked(series.to_numpy(dtype=np.float64, na_value=np.nan), missing)
    if kinds.is_datetime64_any_dtype(dtype) or isinstance(dtype, pd.PeriodDtype):
        return _masked(np.zeros(len(series), "M8[ns]"), missing)  # asked about, whatever they say
    if kinds.is_timedelta64_dtype(dtype):
        return _masked(np.zeros(len(series), "m8[ns]"), missing)
    return _masked(series.to_numpy(dtype=object), missing)


def _labels(categories: Iterable[object], codes: np.ndarray) -> np.ndarray:
    """Categories as strings, whatever they are: a category is a label; by number where two read alike."""
    words = [str(category) for category in categories]
    if len(set(words)) < len(words):
        words = [str(i) for i in range(len(words))]
    table: np.ndarray = np.array([*words, None], dtype=object)
    return np.asarray(table[codes])


def _from_polars(series: Any) -> np.ndarray:
    dtype, missing = str(series.dtype).split("(")[0], series.is_null().to_numpy()
    if dtype in ("Categorical", "Enum", "String", "Utf8"):
        return _masked(np.array(series.to_list(), dtype=object), missing)
    if dtype == "Boolean":
        return _masked(series.fill_null(False).to_numpy(), missing)
    if dtype.startswith(("Int", "UInt", "Float")):
        return _masked(series.fill_null(0).to_numpy(), missing)
    if dtype in ("Date", "Datetime", "Duration"):
        return _masked(np.zeros(len(series), "m8[ns]" if dtype == "Duration" else "M8[ns]"), missing)
    return _masked(np.array(series.to_list(), dtype=object), missing)


def _from_arrow(column: Any) -> np.ndarray:
    import pandas as pd

    return _from_pandas(pd.Series(column.to_pandas(types_mapper=pd.ArrowDtype)))


def _from_torch(tensor: Any) -> np.ndarray:
    tensor = tensor.detach().cpu()
    if str(tensor.layout) != "torch.strided":
        tensor = tensor.to_dense()
    if str(tensor.dtype).startswith(("torch.bfloat16", "torch.float8")):
        tensor = tensor.float()
    return _plain(tensor.resolve_conj().resolve_neg().numpy())
