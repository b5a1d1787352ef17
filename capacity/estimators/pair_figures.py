"""What `pairwise` says of two columns, and all of it as one dataset: a matrix, or a ranking by a target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from capacity.estimators.testing.false_discovery import false_discovery
from capacity.runtime.tables.named_columns import NamedColumn

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class PairFigures:
    """What is said of two columns; NaN where nothing can be, and why in the note."""

    bits: float = np.nan
    low: float = np.nan
    high: float = np.nan
    normalised: float = np.nan
    p_value: float = np.nan
    n: int = 0
    bound: str = ""
    saturated: bool = False
    note: str = ""


PAIR_FIGURES = {
    "bits": ("bits", "mutual information of two columns"),
    "low": ("bits", "95 % interval, low end"),
    "high": ("bits", "95 % interval, high end"),
    "normalised": ("1", "bits as a share of the entropy of the side that is symbols, of the smaller if both are"),
    "p_value": ("1", "chance of as much between independent columns"),
    "q_value": ("1", "of the pairs with at most this, a share of at most as much is related by chance alone"),
    "n": ("1", "rows in which both columns have a value"),
    "bound": ("", "what the figure is to the truth: point, lower or upper"),
    "saturated": ("", "whether the interval reaches the most that the method could have said: the truth may be larger"),
    "note": ("", "why there is no figure"),
}


def matrix_of(
    columns: Sequence[NamedColumn],
    found: dict[tuple[int, int], PairFigures],
) -> xr.Dataset:
    """Symmetric, over `column, other`; what is said of a column alone stands on the diagonal."""
    import xarray as xr

    diagonal = {(i, i): PairFigures(note=c.note) for i, c in enumerate(columns)}
    mirrored = {(j, i): figures for (i, j), figures in found.items()}
    table = found | mirrored | diagonal
    each = range(len(columns))
    labels = [column.name for column in columns]
    arrays = {v: _array(v, [[vars(table[i, j])[v] for j in each] for i in each]) for v in vars(PairFigures())}
    return xr.Dataset(
        {v: (("column", "other"), array, _attributes(v)) for v, array in arrays.items()},
        {"column": labels, "other": labels, "kind": ("column", [column.kind for column in columns])},
    )


def ranking_of(
    columns: Sequence[NamedColumn],
    found: dict[tuple[int, int], PairFigures],
) -> xr.Dataset:
    """Over `column`, the most bits first, those without a figure last."""
    import xarray as xr

    order = sorted(found, key=lambda pair: np.nan_to_num(-found[pair].bits, nan=np.inf))
    arrays = {v: _array(v, [vars(found[pair])[v] for pair in order]) for v in vars(PairFigures())}
    return xr.Dataset(
        {v: (("column",), array, _attributes(v)) for v, array in arrays.items()},
        {"column": [columns[i].name for i, _ in order], "kind": ("column", [columns[i].kind for i, _ in order])},
    )


def with_q_values(dataset: xr.Dataset) -> xr.Dataset:
    """With p-values that allow for their number."""
    adjusted = false_discovery(dataset.p_value.values)
    return dataset.assign(q_value=(dataset.p_value.dims, adjusted, _attributes("q_value")))


def _array(name: str, values: list[Any]) -> np.ndarray:
    return np.array(values, dtype=object if name in ("note", "bound") else None)


def _attributes(name: str) -> dict[str, str]:
    units, long_name = PAIR_FIGURES[name]
    return ({"units": units} if units else {}) | {"long_name": long_name}
