"""A grid in words: a table for each source and system, a column for each network."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from rich.table import Table

from capacity.curves.grid_plan import Cell
from capacity.curves.summary import with_interval

GRID_NOTE = (
    "Bits of the best seed; ±: half the 95 % interval; two figures with a dash between them are a bracket's lower and "
    "upper bound. `capacity report` has every curve by itself."
)


def grid_tables(curves: Mapping[str, xr.Dataset]) -> list[Table]:
    """A row for each level, and the best seed's bits in the column of each network.

    Args:
        curves: by the names of cells.
    """
    panels: dict[tuple[str, str], dict[str, xr.Dataset]] = {}
    for name, curve in curves.items():
        cell = Cell.of(name)
        if cell is not None:
            panels.setdefault((cell.source, cell.system), {})[cell.network] = curve
    return [_table(source, system, networks) for (source, system), networks in panels.items()]


def _table(source: str, system: str, networks: dict[str, xr.Dataset]) -> Table:
    first = next(iter(networks.values()))
    title = f"{system}: {float(first.source_bits):.4g} bits of {source}"
    table = Table(title=title, box=None, title_justify="left")
    table.add_column(str(first.level.attrs.get("symbol", "level")), justify="right", no_wrap=True)
    for name in networks:
        table.add_column(name, justify="right", no_wrap=True)
    for i, level in enumerate(first.level.values):
        table.add_row(f"{float(level):.4g}", *(_best(curve.isel(level=i)) for curve in networks.values()))
    spent = [
        sum(float(curve.attrs.get(f"seconds_{kind}", 0.0)) for kind in ("compile", "train", "measure"))
        for curve in networks.values()
    ]
    table.add_row("seconds", *(f"{seconds:.0f}" for seconds in spent))
    return table


def _best(row: xr.Dataset) -> str:
    """The best seed's bits, or both its bounds."""
    figure = "bits" if "bits" in row else "lower"
    known = row[figure].values
    if np.isnan(known).all():
        return "diverged"
    best = row.isel(seed=int(np.nanargmax(known)))
    if figure == "bits":
        return with_interval(best, "bits")
    return f"{float(best.lower):.2f} - {float(best.upper):.2f}"
