"""The curves of a grid as one labelled dataset."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import product

import numpy as np
import xarray as xr

from capacity.curves.grid_plan import Cell
from capacity.curves.schema import ORDER
from capacity.runtime.files.atomic import StoreError

DIMS = Cell._fields
SECONDS = ("compile", "train", "measure")


def combine(curves: Mapping[str, xr.Dataset]) -> xr.Dataset:
    """One dataset of all cells: dims `source, system, network, level, seed, unit, step, word`.

    Levels are counted, since they mean another thing in each system: `noise` (system, level) says how strong they are.
    Figures are NaN where a system has fewer levels, a network fewer units or steps, or a cell was measured otherwise.

    Args:
        curves: by the names of cells, every combination of their parts.

    Raises:
        StoreError: where a curve is of no grid, or a cell is missing.
    """
    cells, axes = _cells(curves)
    sizes = {dim: max((c.sizes.get(dim, 0) for c in cells.values()), default=0) for dim in ORDER}
    names = sorted({str(name) for curve in cells.values() for name in curve.data_vars})
    figures = {name: _gathered(name, cells, axes, sizes) for name in names}
    whole = xr.Dataset(figures, dict(zip(DIMS, axes, strict=True)))
    for kind in SECONDS:
        spent = np.array([_seconds(cells[Cell(*at)], kind) for at in product(*axes)]).reshape([*map(len, axes)])
        whole[f"seconds_{kind}"] = (DIMS, spent, {"long_name": f"seconds: {kind}", "units": "s"})
    first = {system: cells[Cell(axes[0][0], system, axes[2][0])] for system in axes[1]}
    noise = np.full((len(first), sizes["level"]), np.nan)
    for row, curve in zip(noise, first.values(), strict=True):
        row[: curve.sizes["level"]] = curve.level.values
    about = {"long_name": "how strong the noise is", "units": "1"}
    whole = whole.assign_coords(noise=(("system", "level"), noise, about))
    whole["source_bits"] = whole.source_bits.isel(system=0, network=0, drop=True)
    counted = ", ".join(f"{len(axis)} {dim}s" for dim, axis in zip(DIMS, axes, strict=True))
    return whole.assign_attrs(
        title=f"{len(curves)} curves: {counted}",
        noise_names=json.dumps({name: str(curve.level.attrs.get("long_name", "")) for name, curve in first.items()}),
        noise_symbols=json.dumps({name: str(curve.level.attrs.get("symbol", "")) for name, curve in first.items()}),
        configuration=json.dumps({name: json.loads(curve.attrs["configuration"]) for name, curve in curves.items()}),
        versions=next(iter(curves.values())).attrs["versions"],
    )


def _cells(curves: Mapping[str, xr.Dataset]) -> tuple[dict[Cell, xr.Dataset], list[list[str]]]:
    """Curves by cell, and the names along each axis, in the order in which they come."""
    cells = {}
    for name, curve in curves.items():
        cell = Cell.of(name)
        if cell is None:
            raise StoreError(f"Expected curves of a grid; got {name}, of none.")
        cells[cell] = curve
    axes = [list(dict.fromkeys(names)) for names in zip(*cells, strict=True)]
    for cell in map(Cell._make, product(*axes)):
        if cell not in cells:
            raise StoreError(f"Expected a curve of every cell of the grid; got none of {cell.name}.")
    return cells, axes


def _gathered(
    name: str, cells: Mapping[Cell, xr.Dataset], axes: list[list[str]], sizes: Mapping[str, int]
) -> tuple[tuple[str, ...], np.ndarray, dict[str, str]]:
    """One variable of all cells: dims, values and attributes; where a cell has none, NaN, or 0 of a whole number."""
    having = [curve[name] for curve in cells.values() if name in curve]
    dims = tuple(dim for dim in ORDER if any(dim in one.dims for one in having))
    dtype = having[0].dtype
    values = np.full([*map(len, axes), *(sizes[dim] for dim in dims)], np.nan if dtype.kind == "f" else 0, dtype)
    for cell, curve in cells.items():
        if name not in curve:
            continue
        place = tuple(axis.index(part) for axis, part in zip(axes, cell, strict=True))
        own = curve[name].transpose(*(dim for dim in dims if dim in curve[name].dims))
        corner = tuple(slice(own.sizes[dim]) if dim in own.dims else slice(None) for dim in dims)
        spread = tuple(slice(None) if dim in own.dims else None for dim in dims)
        values[(*place, *corner)] = own.values[spread]
    return (*DIMS, *dims), values, having[0].attrs


def _seconds(curve: xr.Dataset, kind: str) -> float:
    return float(curve.attrs.get(f"seconds_{kind}", np.nan))
