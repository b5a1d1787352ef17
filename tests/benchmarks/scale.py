"""What a million lanes would take, from costs measured here:  python -m tests.benchmarks.scale [--report FILE]

Measured: training a lane of the default curve, keeping and reading the parts of groups of lanes, labelling lanes as a
dataset, and writing it.  From these: hours and memory at a number of lanes and workers, part by part.
The time of a lane on an accelerator is an assumption, and said to be one: no accelerator was at hand.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np

from capacity import Architecture, GaussianAutoencoder, plan_curve
from capacity.curves.dataset import label
from capacity.curves.files import write_csv, write_curves
from capacity.curves.parts import load_lanes, save_lanes
from capacity.curves.programs import LanePrograms
from capacity.runtime.cores import cores
from capacity.runtime.files.atomic import write_atomic
from capacity.runtime.files.parts import Arrays
from capacity.runtime.files.store import Store
from synthetic import LinearCode

LANES, WORKERS = 10**6, 64
GROUP, GROUPS = 64, 32  # lanes kept as one part, as many as an accelerator trains at a time; how many parts
LEVELS, PARTS = 100, 10_000  # of the curve that is labelled and written, and its lanes
FASTER = 50.0  # assumed: lanes a second of one accelerator over those of one core here


def measured() -> dict[str, float]:
    """Seconds a lane of each part of the work, and bytes a lane."""
    source = LinearCode.build(jax.random.key(0), 16, 32)
    plan = plan_curve(jax.random.key(1), source, GaussianAutoencoder(Architecture()), [0.5], 1)
    lanes = LanePrograms(plan, 1)
    lane = lanes([0])[0]
    lanes.seconds.update(train=0.0, measure=0.0)
    lanes([0])
    found = {"train": lanes.seconds["train"], "measure": lanes.seconds["measure"]}
    with tempfile.TemporaryDirectory() as scratch, Store.open(Path(scratch) / "store", {}) as store:
        groups = [list(range(i * GROUP, (i + 1) * GROUP)) for i in range(GROUPS)]
        found["keep"] = timed(lambda: [save_lanes(store, "curve", group, [lane] * GROUP) for group in groups])
        found["read"] = timed(lambda: load_lanes(store, "curve"))
        sizes = [file.stat().st_size for file in (store.directory / "parts").iterdir()]
        found["bytes kept"] = sum(sizes) / GROUP / GROUPS
        found |= written(Path(scratch), source, lane)
    found["bytes held"] = float(sum(a.nbytes for a in lane.values()))
    return found


def timed(work: Callable[[], object]) -> float:
    """Seconds a lane, over all groups."""
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) / GROUP / GROUPS


def written(folder: Path, source: LinearCode, lane: Arrays) -> dict[str, float]:
    """Seconds a lane to label, and to write as netCDF and as CSV."""
    levels = np.geomspace(0.1, 2.0, LEVELS).tolist()
    plan = plan_curve(jax.random.key(1), source, GaussianAutoencoder(Architecture()), levels, PARTS // LEVELS)
    started = time.perf_counter()
    dataset = label(plan, [lane] * PARTS, {"compile": 0.0, "train": 0.0, "measure": 0.0})
    labelled = time.perf_counter()
    write_curves(folder / "curve.nc", {"gaussian": dataset})
    netcdf = time.perf_counter()
    write_csv(folder / "curve.csv", {"gaussian": dataset})
    done = time.perf_counter()
    return {
        "label": (labelled - started) / PARTS,
        "write netCDF": (netcdf - labelled) / PARTS,
        "write CSV": (done - netcdf) / PARTS,
    }


def plan_of(costs: dict[str, float], lanes: int, workers: int) -> list[str]:
    """The table of a sweep: what workers share, and what one process does alone."""
    shared = {"train": "training", "measure": "measuring"}
    alone = {
        "keep": f"keeping finished lanes, {GROUP} in a file, flushed to disk",
        "read": "reading them all again, after a restart",
        "label": "labelling",
        "write netCDF": "writing netCDF",
        "write CSV": "writing CSV",
    }
    lines = ["| work | ms a lane, here | where | hours in all |", "| :-- | --: | :-- | --: |"]
    for name, words in shared.items():
        hours = lanes * costs[name] / FASTER / workers / 3600
        lines.append(f"| {words} | {1e3 * costs[name]:.1f} on a core | {workers} accelerators | {hours:.2f} |")
    for name, words in alone.items():
        lines.append(f"| {words} | {1e3 * costs[name]:.2f} | one process | {lanes * costs[name] / 3600:.2f} |")
    held, on_disk = lanes * costs["bytes held"], lanes * costs["bytes kept"] / 2**30
    memory = f"{held / 2**30:.1f} GiB of figures and loss histories, twice while they are labelled"
    lines += ["", f"Memory of the process that gathers: {memory}.", ""]
    lines += [f"Disk: {on_disk:.1f} GiB in {-(-lanes // GROUP):,} files of one directory.", ""]
    hours = {words: lanes * costs[name] / 3600 for name, words in alone.items()}
    slowest, gathering = max(hours, key=lambda words: hours[words]), sum(hours.values())
    training = lanes * (costs["train"] + costs["measure"]) / FASTER / workers / 3600
    lines += [
        f"What breaks first: the accelerators need {training:.1f} hours, the one process that gathers what they found",
        f"{gathering:.1f}, most of it for {slowest}: with more than {workers * training / gathering:,.0f} accelerators",
        "it would set the pace. Its memory is the first thing that no further machine adds to:",
        f"{lanes * 2**34 / held:,.0f} lanes of one curve fill 32 GiB. More are several curves, a directory each.",
    ]
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lanes", type=int, default=LANES)
    parser.add_argument("--workers", type=int, default=WORKERS)
    parser.add_argument("--report", type=Path)
    asked = parser.parse_args()
    jax.config.update("jax_num_cpu_devices", 1)
    costs = measured()
    where = f"{cores()} cores, {platform.machine()}, JAX {jax.__version__}, load {os.getloadavg()[0]:.1f}"
    assumed = f"An accelerator is *assumed* to do the lanes of {FASTER:g} cores here; nobody has measured it."
    lines = [f"# {asked.lanes:,} lanes on {asked.workers} accelerators", ""]
    lines += [f"`python -m tests.benchmarks.scale`, on {where}: lanes of the default curve.", assumed, ""]
    lines += plan_of(costs, asked.lanes, asked.workers)
    print("\n".join(lines))
    if asked.report:
        write_atomic(asked.report, lambda path: _write(path, "\n".join(lines) + "\n"))


def _write(path: Path, text: str) -> None:
    path.write_text(text)


if __name__ == "__main__":
    main()
