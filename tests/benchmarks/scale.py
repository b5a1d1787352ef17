"""What a million lanes would take, from costs measured here:  python -m tests.benchmarks.scale [--report FILE]

Measured: training a lane of the default curve, keeping and reading a finished lane's part, labelling lanes as a
dataset, and writing it.  From these: hours and memory at a number of lanes and workers, part by part.
The time of a lane on an accelerator is an assumption, and said to be one: no accelerator was at hand.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from pathlib import Path

import jax
import numpy as np

from capacity import Architecture, GaussianSystem, plan_curve
from capacity.labels import label
from capacity.lanes import Arrays, Lanes
from capacity.sealed import write_atomic
from capacity.store import Store, write_csv, write_curves
from synthetic import LinearCode

LANES, WORKERS = 10**6, 64
PARTS = 1000  # that are kept and read
FASTER = 50.0  # assumed: lanes a second of one accelerator over those of one core here


def measured() -> dict[str, float]:
    """Seconds a lane of each part of the work, and bytes a lane."""
    source = LinearCode.build(jax.random.key(0), 16, 32)
    plan = plan_curve(jax.random.key(1), source, GaussianSystem(Architecture()), [0.5], 1)
    lanes = Lanes(plan, 1)
    lane = lanes([0])[0]
    lanes.seconds.update(train=0.0, measure=0.0)
    lanes([0])
    found = {"train": lanes.seconds["train"], "measure": lanes.seconds["measure"]}
    with tempfile.TemporaryDirectory() as scratch, Store.open(Path(scratch) / "store", {}) as store:
        found["keep"] = timed(lambda i: store.save(f"curve-{i:07d}", lane))
        found["read"] = timed(lambda i: store.load(f"curve-{i:07d}"))
        found["bytes kept"] = float((store.directory / "parts" / "curve-0000000.npz").stat().st_size)
        found |= written(Path(scratch), source, lane)
    found["bytes held"] = float(sum(a.nbytes for a in lane.values()))
    return found


def timed(work: object) -> float:
    started = time.perf_counter()
    for i in range(PARTS):
        work(i)  # type: ignore[operator]
    return (time.perf_counter() - started) / PARTS


def written(folder: Path, source: LinearCode, lane: Arrays) -> dict[str, float]:
    """Seconds a lane to label, and to write as netCDF and as CSV."""
    levels = np.geomspace(0.1, 2.0, PARTS // 10).tolist()
    plan = plan_curve(jax.random.key(1), source, GaussianSystem(Architecture()), levels, 10)
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
        "keep": "keeping finished lanes, flushed to disk one by one",
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
    held, kept = lanes * costs["bytes held"] / 2**30, lanes * costs["bytes kept"] / 2**30
    memory = f"{held:.1f} GiB of figures and loss histories, twice while they are labelled"
    lines += ["", f"Memory of the process that gathers: {memory}.", ""]
    lines += [f"Disk: {kept:.1f} GiB in {lanes:,} files of one directory."]
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lanes", type=int, default=LANES)
    parser.add_argument("--workers", type=int, default=WORKERS)
    parser.add_argument("--report", type=Path)
    asked = parser.parse_args()
    jax.config.update("jax_num_cpu_devices", 1)
    costs = measured()
    where = f"{os.cpu_count()} cores, {platform.machine()}, JAX {jax.__version__}, load {os.getloadavg()[0]:.1f}"
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
