"""What `capacity pairwise` prints and writes, as tables or as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from capacity.cli.output import finite_or_none
from capacity.cli.say import say
from capacity.runtime.names import shown

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from rich.table import Table

SHOWN_COLUMNS, SHOWN_PAIRS = 12, 20


def pairwise_frame(found: xr.Dataset) -> pd.DataFrame:
    """A row for each pair, texts as cells."""
    from capacity.runtime.names import as_cell

    frame = found.to_dataframe()
    frame.index = frame.index.map(
        lambda row: tuple(map(as_cell, map(str, row))) if isinstance(row, tuple) else as_cell(str(row))
    )
    return frame.map(lambda cell: as_cell(cell) if isinstance(cell, str) else cell)


def pairwise_record(found: xr.Dataset) -> dict[str, Any]:
    """The figures as JSON, matrices as lists of rows, or of a ranking as lists; what is NaN as null."""
    words = {name: found[name].values.tolist() for name in ("n", "bound", "saturated", "note")}
    figures = {str(name): _plain(found[name].values) for name in found.data_vars if found[name].dtype.kind == "f"}
    about = {"columns": [str(name) for name in found.column.values], "kinds": found.kind.values.tolist()}
    return about | {str(name): value for name, value in found.attrs.items()} | figures | words


def _plain(values: np.ndarray) -> list[Any]:
    return [_plain(row) if isinstance(row, np.ndarray) else finite_or_none(row) for row in values]


def print_pairwise(found: xr.Dataset) -> None:
    """The figures as tables: a ranking, a matrix, or the largest of many pairs."""
    from capacity.cli.console import output

    names = [str(name) for name in found.column.values]
    if "target" in found.attrs:
        output().print(_ranking(found, names))
    elif len(names) <= SHOWN_COLUMNS:
        output().print(_matrix(found, names, "bits"))
        if "q_value" in found:
            output().print(_matrix(found, names, "q_value"))
    else:
        output().print(_largest(found, names))
        say(f"The {SHOWN_PAIRS} largest of {len(names) * (len(names) - 1) // 2:,} pairs; --out and --json have all.")
    if found.saturated.values.any():
        say("* saturated: the interval reaches the most that the method can say; the truth may be larger.")
    if (found.bound.values == "lower").any():
        say("≥ a lower bound.")
    for line in notes(found):
        say(line)


def _matrix(found: xr.Dataset, names: list[str], figure: str) -> Table:
    from rich.table import Table
    from rich.text import Text

    kinds = found.kind.values.tolist()
    table = Table({"q_value": "q"}.get(figure, figure), "taken as", box=None, pad_edge=False)
    for name in names:
        table.add_column(Text(shown(name)))
    for i, name in enumerate(names):
        cells = (_figure(value) for value in found[figure].values[i])
        if figure == "bits":
            cells = (_bits(found.isel(column=i, other=j)) for j in range(len(names)))
        table.add_row(Text(shown(name)), kinds[i], *cells)
    return table


def _largest(found: xr.Dataset, names: list[str]) -> Table:
    from rich.table import Table
    from rich.text import Text

    head = ["column", "other", "bits", "95 % interval", "share"]
    table = Table(*head, *(["p", "q"] if "p_value" in found else []), box=None, pad_edge=False)
    rows, columns = np.triu_indices(len(names), 1)
    bits = found.bits.values[rows, columns]
    for at in np.argsort(-np.nan_to_num(bits, nan=-np.inf), kind="stable")[:SHOWN_PAIRS]:
        i, j = rows[at], columns[at]
        pair = found.isel(column=i, other=j)
        table.add_row(Text(shown(names[i])), Text(shown(names[j])), *_cells(pair))
    return table


def _ranking(found: xr.Dataset, names: list[str]) -> Table:
    from rich.table import Table
    from rich.text import Text

    head = ["column", "taken as", "bits", "95 % interval", "share"]
    table = Table(*head, *(["p", "q"] if "p_value" in found else []), box=None, pad_edge=False)
    table.title = Text(f"bits about {shown(found.attrs['target'])} ({found.attrs['target_kind']})")
    for i, name in enumerate(names):
        one = found.isel(column=i)
        table.add_row(Text(shown(name)), str(one.kind.item()), *_cells(one))
    return table


def notes(found: xr.Dataset) -> list[str]:
    """Why columns and pairs have no figure, each reason once."""
    return [str(note) for note in dict.fromkeys(found.note.values.ravel().tolist()) if note]


def _cells(one: xr.Dataset) -> list[str]:
    low, high = _figure(float(one.low)), _figure(float(one.high))
    chances = [_figure(float(one[name])) for name in ("p_value", "q_value") if name in one]
    return [_bits(one), "-" if low == "-" else f"{low} to {high}", _figure(float(one.normalised)), *chances]


def _bits(one: xr.Dataset) -> str:
    """The figure of one pair, marked where it is a lower bound or saturated."""
    lower = "≥ " if one.bound.item() == "lower" else ""
    return lower + _figure(float(one.bits)) + ("*" if one.saturated.item() else "")


def _figure(value: float) -> str:
    return f"{round(float(value), 3) + 0.0:.3f}" if np.isfinite(value) else "-"
