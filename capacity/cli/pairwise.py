"""The command `capacity pairwise`: bits between every two columns of a user's own table, or of all with one."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import numpy as np
import typer

from capacity.cli.meant import as_meant
from capacity.cli.options import (
    ContinuousOption,
    HeaderOption,
    LabelsOption,
    MethodOption,
    MissingOption,
    SeedOption,
    SilentOption,
    TableJsonOption,
    check_output,
    check_plot,
)
from capacity.cli.output import finite_or_none
from capacity.cli.refusals import refusals
from capacity.runtime.names import shown

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from rich.table import Table

    from capacity.runtime.tables.sides import Missing

SHOWN_COLUMNS, SHOWN_PAIRS = 12, 20


def pairwise_command(
    file: Annotated[Path, typer.Argument(help="A table: .csv with a header, or .parquet.")],
    columns: Annotated[list[str] | None, typer.Option(help="'a,b,c', may be repeated. [default: all]")] = None,
    target: Annotated[str | None, typer.Option(help="Rank the other columns by their bits about this one.")] = None,
    method: MethodOption = "auto",
    continuous: ContinuousOption = False,
    labels: LabelsOption = None,
    missing: MissingOption = "refuse",
    header: HeaderOption = None,
    test: Annotated[bool, typer.Option("--test", help="p-values for independence, and for their number.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write the figures to this CSV.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw a heat map, or the ranking, into this file.")] = None,
    as_json: TableJsonOption = False,
    quiet: SilentOption = False,
    seed: SeedOption = 0,
) -> None:
    """Bits between every two columns of a table, or between each and a target."""
    with refusals():
        from capacity.runtime.files.arrays import read_table
        from capacity.runtime.names import typed_names

        check_plot(plot, file)
        check_output(out, "--out", file)
        table = read_table(file, header, labels or ())
        goal = None if target is None else typed_names([target], table, "--target")
        if columns:
            asked = typed_names(columns, table, "--columns")
            table = table.only([*asked, *(name for name in goal or () if name not in asked)])

        import jax  # takes seconds, which a file that cannot be read need not wait for

        from capacity.estimators import pairwise
        from capacity.runtime.progress import Bar

        found = pairwise(
            jax.random.key(seed),
            as_meant(table, continuous=continuous),
            method,
            target=goal[0] if goal else None,
            missing=cast("Missing", missing),
            test=True if test else None,
            progress=Bar() if sys.stderr.isatty() and not quiet else None,
        )
        if not np.isfinite(found.bits.values).any():
            first, *more = notes(found)
            raise ValueError(f"{first} No pair of columns has a figure{f'; {len(more)} more reasons' if more else ''}.")
    if out is not None:
        from capacity.runtime.files.atomic import write_atomic

        write_atomic(out, lambda path: _frame(found).to_csv(path))
    if plot is not None:
        from capacity.plots.samples import save_heat_map, save_ranking

        (save_heat_map if target is None else save_ranking)(plot, found)
    if as_json:
        print(json.dumps(pairwise_record(found), indent=1))
    if as_json or quiet:
        return
    _print(found)
    for path in (out, plot):
        if path is not None:
            print(f"Wrote {path}")


def pairwise_record(found: xr.Dataset) -> dict[str, Any]:
    """The figures as JSON, matrices as lists of rows, or of a ranking as lists; what is NaN as null."""
    words = {name: found[name].values.tolist() for name in ("n", "bound", "saturated", "note")}
    figures = {str(name): _plain(found[name].values) for name in found.data_vars if found[name].dtype.kind == "f"}
    about = {"columns": [str(name) for name in found.column.values], "kinds": found.kind.values.tolist()}
    return about | {str(name): value for name, value in found.attrs.items()} | figures | words


def _frame(found: xr.Dataset) -> pd.DataFrame:
    """A row for each pair, texts as cells."""
    from capacity.runtime.names import as_cell

    frame = found.to_dataframe()
    frame.index = frame.index.map(
        lambda row: tuple(map(as_cell, map(str, row))) if isinstance(row, tuple) else as_cell(str(row))
    )
    return frame.map(lambda cell: as_cell(cell) if isinstance(cell, str) else cell)


def _plain(values: np.ndarray) -> list[Any]:
    return [_plain(row) if isinstance(row, np.ndarray) else finite_or_none(row) for row in values]


def _print(found: xr.Dataset) -> None:
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
        print(f"The {SHOWN_PAIRS} largest of {len(names) * (len(names) - 1) // 2:,} pairs; --out and --json have all.")
    if found.saturated.values.any():
        print("* saturated: the interval reaches the most that the method can say; the truth may be larger.")
    if (found.bound.values == "lower").any():
        print("≥ a lower bound.")
    for line in notes(found):
        print(line)


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
