"""Every system's curve at its default levels: are all lanes inside [0, min(source, ceiling)], and do bits fall?

    python -m tests.benchmarks.systems --out runs/systems [--bits 16 --units 8 --width 128 --seeds 3] [NAME ...]

Finished lanes and curves are kept in the directory; the same command goes on.  `curves.md` is the table of all.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import jax
import xarray as xr

from capacity.curves.execute import run_plan
from capacity.curves.files import read_curves, write_curves
from capacity.curves.plan import plan_curve
from capacity.runtime.files.atomic import write_atomic
from capacity.runtime.files.store import Store
from capacity.systems import SYSTEMS, Architecture
from capacity.training import Training
from synthetic import FairBits

HEAD = (
    "| system | level | source | lanes inside | bits against the level | p (trend) | clearest step against it | p |",
    "|---|---|---|---|---|---|---|---|",
)


def cases(size: Architecture) -> dict[str, Any]:
    """Every system, and its variants."""
    return {name: kind(size) for name, kind in SYSTEMS.items()} | {
        "dropout, floor 0.2": SYSTEMS["dropout"](size, floor=0.2),
        "dropout, ±1": SYSTEMS["dropout"](size, "signs"),
        "dropout, 0/1": SYSTEMS["dropout"](size, "digits"),
        "gaussian_dropout, real": SYSTEMS["gaussian_dropout"](size, "real"),
        "binary, coins": SYSTEMS["binary"](size, stochastic=True),
        "stochastic_depth, no skips": SYSTEMS["stochastic_depth"](size, skip=False),
        "quantized, fsq": SYSTEMS["quantized"](size, "fsq"),
    }


def curve(name: str, system: Any, asked: argparse.Namespace) -> xr.Dataset:
    """One curve, from its directory or measured into it."""
    directory = Path(asked.out) / "".join(c if c.isalnum() else "_" for c in name)
    source = FairBits.build(jax.random.key(1), asked.bits, max(asked.bits, asked.dim))
    levels = [level for level in system.default_levels if name != "target_vae" or level < asked.bits]
    if name == "quantized, fsq":
        levels = [level for level in levels if level >= 3]
    training = Training(asked.steps, asked.batch, asked.steps // 2, 2 * asked.batch)
    plan = plan_curve(jax.random.key(0), source, system, levels, asked.seeds, training=training, samples=asked.samples)
    with Store.open(directory, {"curve": plan.configuration}) as store:
        file = directory / "curve.nc"
        if not file.exists():
            write_curves(file, {system.name: run_plan(plan, store)})
        return read_curves(file)[system.name]


def row(name: str, dataset: xr.Dataset) -> str:
    """A line of the table."""
    inside, levels = dataset.inside.values, dataset.level.values
    cells = [
        name,
        f"{dataset.level.attrs['symbol']} {levels[0]:g} to {levels[-1]:g}, {len(levels)} x {inside.shape[1]} seeds",
        f"{float(dataset.source_bits):g} bits",
        f"{int(inside.sum())} of {inside.size}",
        f"{dataset.attrs['trend']}: {100 * float(dataset.trend_share):.0f} % of pairs",
        f"{float(dataset.trend_p_value):.1g}",
        f"{float(dataset.reversal):.2g} bits",
        f"{float(dataset.reversal_p_value):.2g}",
    ]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--out", default="runs/systems")
    for option, default in (("bits", 16), ("dim", 32), ("units", 8), ("width", 128), ("seeds", 3)):
        parser.add_argument(f"--{option}", type=int, default=default)
    for option, default in (("steps", 1500), ("batch", 256), ("samples", 1024)):
        parser.add_argument(f"--{option}", type=int, default=default)
    asked = parser.parse_args()
    known = cases(Architecture(asked.units, (asked.width, asked.width)))
    lines = []
    for name in asked.names or known:
        dataset = curve(name, known[name], asked)
        lines.append(row(name, dataset))
        print(lines[-1], json.dumps({k: round(v, 1) for k, v in dataset.attrs.items() if "seconds" in k}), flush=True)
        text = "\n".join([*HEAD, *lines]) + "\n"
        write_atomic(Path(asked.out) / "curves.md", lambda target, text=text: target.write_text(text))


if __name__ == "__main__":
    main()
