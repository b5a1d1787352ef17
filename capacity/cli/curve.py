"""The command `capacity curve`: measure a curve and keep it."""

from __future__ import annotations

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
    from capacity.curves.plan import CurvePlan


@with_records()
def curve_command(
    run: RunOptions,
    source: SourceOptions,
    size: SizeOptions,
    machine: MachineOptions,
    out: Annotated[
        Path,
        typer.Option(help="Directory for curve.nc, curve.csv and curve.png.", rich_help_panel=WRITTEN),
    ] = Path("runs/curve"),
    as_json: TablesJsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Train systems over their noise levels and measure the bits that pass.

    Saves, prints and draws the curve. The same command on the same directory goes on where it
    was stopped.
    """
    from capacity.cli.request_checks import check_machine, check_request, given_rows

    with refusals():
        check_request(source=source, size=size, run=run)
        check_machine(machine)
        check_run_folder(out, "--out")
        rows = given_rows(source)
        if rows is not None:
            check_request(source=source, size=size, run=run, rows=rows)

    def plan() -> dict[str, CurvePlan]:
        from capacity.cli.request import plans_of

        return plans_of(source=source, size=size, run=run, rows=rows)

    work_off(plan, machine, out, as_json=as_json, quiet=quiet)
