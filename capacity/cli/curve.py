"""The command `capacity curve`: measure a curve and keep it."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from capacity.cli.listing import names_of
from capacity.cli.output import CURVE_FILE, print_json, print_seconds, print_tables, warn_of_lost
from capacity.cli.refusals import INTERRUPTED, refusals, refuse
from capacity.runtime.devices import hint_at_gpu, set_devices
from capacity.runtime.start import join, keep_compiled

if TYPE_CHECKING:
    import xarray as xr


def curve(
    system: Annotated[
        list[str] | None,
        typer.Option(help="A system; may be repeated. [default: gaussian and vae]", autocompletion=names_of("system")),
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="Where messages come from. [default: bits]", autocompletion=names_of("source"))
    ] = None,
    bits: Annotated[int | None, typer.Option(help="Bits of a message. [default: 16]")] = None,
    dim: Annotated[int | None, typer.Option(help="Dimensions of the vector that carries it. [default: 32]")] = None,
    data: Annotated[
        Path | None, typer.Option(help="Your own rows instead of a source: .npy, .npz, .csv or .parquet.")
    ] = None,
    columns: Annotated[str | None, typer.Option(help="Columns of --data, 'a,b'. [default: all]")] = None,
    standardize: Annotated[
        bool, typer.Option("--standardize", help="Give every column of --data mean 0 and variance 1.")
    ] = False,
    units: Annotated[int, typer.Option(help="Noisy units of the code.")] = 8,
    levels: Annotated[
        str | None,
        typer.Option(help="'0.1,0.2' or, in equal ratios, 'start:stop:count'. [default: the system's own]"),
    ] = None,
    target_bits: Annotated[
        str | None, typer.Option(help="Bits that the VAE shall pass, instead of levels: '1,2,4'.")
    ] = None,
    seeds: Annotated[int, typer.Option(help="Trainings at each level.")] = 3,
    steps: Annotated[int | None, typer.Option(help="Steps of training.")] = None,
    batch: Annotated[int | None, typer.Option(help="Samples a step.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Peak learning rate.")] = None,
    products: Annotated[
        str | None,
        typer.Option(help="In training: float32, or bfloat16 between hidden layers. [default: what is faster here]"),
    ] = None,
    width: Annotated[int, typer.Option(help="Width of a decoder's hidden layer.")] = 112,
    encoder_width: Annotated[
        int | None, typer.Option(help="Width of an encoder's hidden layer. [default: two thirds of --width]")
    ] = None,
    depth: Annotated[int, typer.Option(help="Number of hidden layers; 0 is linear.", min=0)] = 2,
    activation: Annotated[str, typer.Option(help="Between layers.")] = "silu",
    decode: Annotated[
        str | None,
        typer.Option(help="What trains the code: bits or vector. [default: bits, where there are some]"),
    ] = None,
    samples: Annotated[int | None, typer.Option(help="Samples for each figure measured.")] = None,
    measure: Annotated[str, typer.Option(help="auto, enumeration or bracket.")] = "auto",
    budget_gflop: Annotated[
        float | None,
        typer.Option(
            "--budget-gflop",
            "--budget",
            help="Billions of operations for each lane's bracket, where messages cannot be listed.",
        ),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--set", help="A choice of the system's own, NAME=VALUE, as in values=signs; may be repeated."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Decides every random number.", min=0, max=2**32 - 1)] = 0,
    devices: Annotated[
        int | None,
        typer.Option(help="CPU devices to train side by side. [default: one a core, at most 8]", min=1),
    ] = None,
    executor: Annotated[
        str | None, typer.Option(help="Where groups of lanes run: processes or dask. [default: this process]")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Of --executor processes. [default: one a core]", min=1)] = None,
    scheduler: Annotated[str | None, typer.Option(help="Address of --executor dask, tcp://HOST:PORT.")] = None,
    together: Annotated[
        int | None, typer.Option(help="Lanes that a device runs as one batched program. [default: 1 on a CPU]", min=1)
    ] = None,
    coordinator: Annotated[
        str | None, typer.Option(help="HOST:PORT of process 0, for several processes joined by jax.distributed.")
    ] = None,
    processes: Annotated[int | None, typer.Option(help="How many of them there are.", min=1)] = None,
    process: Annotated[int | None, typer.Option(help="Which one this is, from 0.", min=0)] = None,
    out: Annotated[Path, typer.Option(help="Directory for curve.nc, curve.csv and curve.png.")] = Path("runs/curve"),
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of tables.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar, no table.")] = False,
) -> None:
    """Train systems over their noise levels and measure the bits that pass.

    Saves, prints and draws the curve. The same command on the same directory goes on where it
    was stopped.
    """
    started = time.perf_counter()
    with refusals():
        set_devices(devices)
        keep_compiled()
        join(coordinator, processes, process)
        from capacity.cli.request import Request
        from capacity.curves.execute import run_plan
        from capacity.curves.files import write_csv, write_curves
        from capacity.report.command import save_command
        from capacity.runtime.executors import executor_pool
        from capacity.runtime.files.store import Store, StoreError

        hint_at_gpu(quiet)
        systems = tuple(dict.fromkeys(system or (("gaussian", "vae") if target_bits is None else ("vae",))))
        plans = Request(
            systems, source, bits, dim, units, levels, target_bits, seeds, steps, batch, learning_rate, products,
            width, encoder_width, depth, activation, decode, samples, measure, budget_gflop, seed,
            data, columns, standardize, tuple(option or ()),
        ).plans()  # fmt: skip
        pool = executor_pool(executor, workers, scheduler) if executor else None
        if process:  # only process 0 keeps and shows what all of them make
            for name, plan in plans.items():
                run_plan(plan, name=name, together=together)
            return
        configuration = {name: plan.configuration for name, plan in plans.items()}
        store = Store.open(out, {"curve": configuration})
    with store:
        with refusals():
            save_command(out, ["capacity", *sys.argv[1:]])
            finished = None if coordinator else _finished(out)  # joined processes wait for process 0
        from capacity.plots.curve import save_figure

        try:
            datasets = finished or _run(plans, store, quiet, pool, together)
            if not finished:
                write_curves(out / CURVE_FILE, datasets)
            write_csv(out / "curve.csv", datasets)
            save_figure(out / "curve.png", datasets)
        except StoreError as error:
            refuse(f"{error} What has finished is kept in {out}; the same command goes on from there.")
    if as_json or quiet:
        warn_of_lost(datasets)
    if as_json:
        print_json(datasets, out)
    elif not quiet:
        print_tables(datasets)
        files = ", ".join(str(out / f"curve.{kind}") for kind in ("nc", "csv", "png"))
        print(f"Complete already: {files}" if finished else f"Wrote {files}")
        if not finished:
            print_seconds(datasets, time.perf_counter() - started)


def _finished(out: Path) -> dict[str, xr.Dataset] | None:
    """The curve that an earlier run of the same configuration has finished here, or None."""
    from capacity.curves.files import read_curves
    from capacity.runtime.files.store import StoreError

    if not (out / CURVE_FILE).exists():
        return None
    try:
        return read_curves(out / CURVE_FILE)
    except StoreError as error:
        raise StoreError(f"{error} Remove it, and the same command makes it again from the finished lanes.") from error


def _run(plans: dict[str, Any], store: Any, quiet: bool, pool: Any, together: int | None) -> dict[str, xr.Dataset]:
    """All plans one after another under one progress bar."""
    from capacity.cli.console import Meter
    from capacity.curves.execute import run_plan
    from capacity.curves.parts import count_lanes

    datasets = {}
    kept = {name: count_lanes(store, name) for name in plans}
    with Meter(sum(plan.total for plan in plans.values()), sum(kept.values()), quiet=quiet) as meter:
        before = found = 0

        def progress(done: int, message: str) -> None:
            meter.update(before + done, message, found)

        try:
            for name, plan in plans.items():
                found += kept[name]
                datasets[name] = run_plan(plan, store, name, progress, pool=pool, together=together)
                before += plan.total
        except KeyboardInterrupt:
            meter.stop()
            print(
                f"Stopped. What has finished is kept in {store.directory}; the same command goes on from there.",
                file=sys.stderr,
            )
            raise typer.Exit(INTERRUPTED) from None
    return datasets
