"""The command `capacity grid`: curves of several sources, systems and networks, crossed with each other."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capacity.cli.curve_options import MachineOptions, RunOptions, SizeOptions, SourceOptions
from capacity.cli.help import WRITTEN
from capacity.cli.options import QuietOption, TablesJsonOption, check_run_folder
from capacity.cli.records import with_records
from capacity.cli.refusals import refusals
from capacity.cli.working import work_off

if TYPE_CHECKING:
    import numpy as np

    from capacity.curves.plan import CurvePlan

SIZES = {"width": "w", "parameters": "p", "depth": "d", "units": "u"}
"""Options of a network that may be crossed, and the letter that says which in its name."""


@with_records("source", "network", *SIZES)
def grid_command(
    run: RunOptions,
    source: list[SourceOptions],
    size: list[SizeOptions],
    machine: MachineOptions,
    out: Annotated[
        Path,
        typer.Option(help="Directory for curve.nc, curve.csv and grid.png.", rich_help_panel=WRITTEN),
    ] = Path("runs/grid"),
    as_json: TablesJsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Measure a curve for every source, system and network, and draw them side by side.

    Saves, prints and draws the grid. The same command on the same directory goes on where it
    was stopped. All curves have the same random numbers: lanes of one level and seed are pairs.
    """
    from capacity.cli.request_checks import check_machine, check_request, given_rows

    run = replace(run, system=[name for text in run.system or () for name in text.split(",")])
    with refusals():
        for one, network in product(source, size):
            check_request(source=one, size=network, run=run)
        check_machine(machine)
        check_run_folder(out, "--out")
        rows = given_rows(source[0])
        for network in size if rows is not None else ():
            check_request(source=source[0], size=network, run=run, rows=rows)

    def plan() -> dict[str, CurvePlan]:
        return _plans(source, size, run, rows)

    work_off(plan, machine, out, as_json=as_json, quiet=quiet)


def network_name(size: SizeOptions, sizes: list[SizeOptions]) -> str:
    """What a network of a grid is called: its kind, and those of its sizes that differ between networks."""
    differs = [name for name in SIZES if len({getattr(one, name) for one in sizes}) > 1]
    return "-".join([size.network, *(f"{SIZES[name]}{getattr(size, name)}" for name in differs)])


def _plans(
    source: list[SourceOptions], size: list[SizeOptions], run: RunOptions, rows: np.ndarray | None
) -> dict[str, CurvePlan]:
    """A plan for each cell, sources outermost, networks innermost."""
    from capacity.cli.request import plans_of
    from capacity.curves.grid_plan import Cell

    found = {
        (one.source or "bits" if rows is None else "data", network_name(network, size)): plans_of(
            source=one, size=network, run=run, rows=rows
        )
        for one, network in product(source, size)
    }
    sources, networks = (list(dict.fromkeys(place[i] for place in found)) for i in range(2))
    systems = list(next(iter(found.values())))
    return {
        Cell(one, system, network).name: found[one, network][system]
        for one, system, network in product(sources, systems, networks)
    }
