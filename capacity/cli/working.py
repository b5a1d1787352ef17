"""What `capacity curve` and `capacity grid` have in common: run plans in a directory, keep them, show them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from capacity.cli.curve_options import MachineOptions
from capacity.cli.interrupts import raise_when_interrupted, say_stopped
from capacity.cli.output import print_json, print_seconds, warn_of_lost
from capacity.cli.presentation import Presentation, presentation_of
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


def work_off(
    plan: Callable[[], dict[str, CurvePlan]], machine: MachineOptions, out: Path, *, as_json: bool, quiet: bool
) -> None:
    """Run plans in a directory that goes on where it was stopped; write, draw and print what they found.

    Args:
        plan: makes the plans, once JAX may be loaded.
        machine: where the work is done; checked already.
        out: the directory.
        as_json, quiet: what is printed.
    """
    started = time.perf_counter()
    from capacity.runtime.executors import executor_pool

    with refusals():
        pool = executor_pool(machine.executor, machine.workers, machine.scheduler) if machine.executor else None
        set_devices(machine.devices)
        join(machine.coordinator, machine.processes, machine.process)
        from capacity.curves.execute import run_plans
        from capacity.curves.finished import read_finished
        from capacity.report.command import save_command
        from capacity.runtime.files.store import Store

        start_jax()
        hint_at_gpu(quiet)
        plans = plan()
        if machine.process:  # only process 0 keeps and shows what all of them make
            run_plans(plans, together=machine.together)
            return
        store = Store.open(out, {"curve": {name: plan.configuration for name, plan in plans.items()}})
    how = presentation_of(plans)
    with store:
        with refusals():
            save_command(out, ["capacity", *sys.argv[1:]])
            # Joined processes wait for process 0.
            finished = None if machine.coordinator else read_finished(store, plans)
        datasets = _measured(plans, store, finished, how, quiet, pool, machine.together)
    if as_json or quiet:
        warn_of_lost(datasets)
    if as_json:
        print_json(datasets, out, how.picture)
    elif not quiet:
        how.print_tables(datasets)
        files = ", ".join(str(out / name) for name in (CURVE_FILE, "curve.csv", how.picture))
        say(f"Complete already: {files}" if finished else f"Wrote {files}")
        if not finished:
            print_seconds(datasets, time.perf_counter() - started)


def _measured(
    plans: dict[str, CurvePlan],
    store: Store,
    finished: dict[str, xr.Dataset] | None,
    how: Presentation,
    quiet: bool,
    pool: ExecutorPool | None,
    together: int | None,
) -> dict[str, xr.Dataset]:
    """The finished curves, or all plans run; their files written in the store's directory."""
    from capacity.curves.files import write_csv, write_curves
    from capacity.runtime.files.atomic import StoreError

    out = store.directory
    try:
        datasets = finished or _run(plans, store, quiet, pool, together)
        store.check()
        if not finished:
            write_curves(out / CURVE_FILE, datasets, store.digest)
        write_csv(out / "curve.csv", datasets)
        how.save_figure(out / how.picture, datasets)
    except StoreError as error:
        refuse(f"{error} What has finished is kept in {out}; the same command goes on from there.")
    return datasets


def _run(
    plans: dict[str, CurvePlan], store: Store, quiet: bool, pool: ExecutorPool | None, together: int | None
) -> dict[str, xr.Dataset]:
    """All plans one after another under one progress bar."""
    from capacity.cli.console import Meter
    from capacity.curves.execute import run_plans
    from capacity.curves.parts import count_lanes

    total, kept = sum(plan.total for plan in plans.values()), sum(count_lanes(store, name) for name in plans)
    with Meter(total, kept, quiet=quiet) as meter:

        def progress(done: float, message: str) -> None:
            meter.update(round(done * total), message, kept)

        try:
            raise_when_interrupted()
            return run_plans(plans, store, progress, pool=pool, together=together)
        except KeyboardInterrupt:
            meter.stop()
            say_stopped(
                f"Stopped. What has finished is kept in {store.directory}; the same command goes on from there."
            )
            raise typer.Exit(INTERRUPTED) from None
