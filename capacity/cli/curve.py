"""The command `capacity curve`: measure a curve and keep it."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capacity.cli.curve_options import MachineOptions, RunOptions, SizeOptions, SourceOptions
from capacity.cli.help import WRITTEN
from capacity.cli.interrupts import raise_when_interrupted, say_stopped
from capacity.cli.options import TablesJsonOption, check_folder, with_records
from capacity.cli.output import print_json, print_seconds, print_tables, warn_of_lost
from capacity.cli.refusals import INTERRUPTED, refusals, refuse
from capacity.cli.say import say
from capacity.runtime.devices import hint_at_gpu, set_devices
from capacity.runtime.files.names import CURVE_FILE
from capacity.runtime.start import join, start_jax

if TYPE_CHECKING:
    import xarray as xr

    from capacity.curves.plan import CurvePlan
    from capacity.runtime.executors import ExecutorPool
    from capacity.runtime.files.store import Store


@with_records
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
    quiet: Annotated[
        bool,
        typer.Option("--quiet", help="No progress bar, no table.", rich_help_panel=WRITTEN),
    ] = False,
) -> None:
    """Train systems over their noise levels and measure the bits that pass.

    Saves, prints and draws the curve. The same command on the same directory goes on where it
    was stopped.
    """
    started = time.perf_counter()
    from capacity.cli.request_checks import check_machine, check_request, given_rows
    from capacity.runtime.executors import executor_pool

    with refusals():
        check_request(source=source, size=size, run=run)
        check_machine(machine)
        check_folder(out, "--out")
        rows = given_rows(source)
        pool = executor_pool(machine.executor, machine.workers, machine.scheduler) if machine.executor else None
        set_devices(machine.devices)
        join(machine.coordinator, machine.processes, machine.process)
        from capacity.cli.request import plans_of
        from capacity.curves.execute import run_plan
        from capacity.curves.finished import read_finished
        from capacity.report.command import save_command
        from capacity.runtime.files.store import Store

        start_jax()
        hint_at_gpu(quiet)
        plans = plans_of(source=source, size=size, run=run, rows=rows)
        if machine.process:  # only process 0 keeps and shows what all of them make
            for name, plan in plans.items():
                run_plan(plan, name=name, together=machine.together)
            return
        store = Store.open(out, {"curve": {name: plan.configuration for name, plan in plans.items()}})
    with store:
        with refusals():
            save_command(out, ["capacity", *sys.argv[1:]])
            # Joined processes wait for process 0.
            finished = None if machine.coordinator else read_finished(store, plans)
        datasets = _measured(plans, store, finished, quiet, pool, machine.together)
    if as_json or quiet:
        warn_of_lost(datasets)
    if as_json:
        print_json(datasets, out)
    elif not quiet:
        print_tables(datasets)
        files = ", ".join(str(out / f"curve.{kind}") for kind in ("nc", "csv", "png"))
        say(f"Complete already: {files}" if finished else f"Wrote {files}")
        if not finished:
            print_seconds(datasets, time.perf_counter() - started)


def _measured(
    plans: dict[str, CurvePlan],
    store: Store,
    finished: dict[str, xr.Dataset] | None,
    quiet: bool,
    pool: ExecutorPool | None,
    together: int | None,
) -> dict[str, xr.Dataset]:
    """The finished curve, or all plans run; its files written in the store's directory."""
    from capacity.curves.files import write_csv, write_curves
    from capacity.plots.curve import save_figure
    from capacity.runtime.files.atomic import StoreError

    out = store.directory
    try:
        datasets = finished or _run(plans, store, quiet, pool, together)
        store.check()
        if not finished:
            write_curves(out / CURVE_FILE, datasets, store.digest)
        write_csv(out / "curve.csv", datasets)
        save_figure(out / "curve.png", datasets)
    except StoreError as error:
        refuse(f"{error} What has finished is kept in {out}; the same command goes on from there.")
    return datasets


def _run(
    plans: dict[str, CurvePlan], store: Store, quiet: bool, pool: ExecutorPool | None, together: int | None
) -> dict[str, xr.Dataset]:
    """All plans one after another under one progress bar."""
    from capacity.cli.console import Meter
    from capacity.curves.execute import run_plan
    from capacity.curves.parts import count_lanes

    datasets = {}
    kept = {name: count_lanes(store, name) for name in plans}
    with Meter(sum(plan.total for plan in plans.values()), sum(kept.values()), quiet=quiet) as meter:
        before = found = lanes = 0

        def progress(done: float, message: str) -> None:
            meter.update(before + round(done * lanes), message, found)

        try:
            raise_when_interrupted()
            for name, plan in plans.items():
                found, lanes = found + kept[name], plan.total
                datasets[name] = run_plan(plan, store, name, progress, pool=pool, together=together)
                before += plan.total
        except KeyboardInterrupt:
            meter.stop()
            say_stopped(
                f"Stopped. What has finished is kept in {store.directory}; the same command goes on from there."
            )
            raise typer.Exit(INTERRUPTED) from None
    return datasets
