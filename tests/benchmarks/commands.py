"""Processor time of commands, user and system, the best of several: what whoever types them waits for.

python -m tests.benchmarks.commands                 # of this checkout
python -m tests.benchmarks.commands --tree OTHER    # of another one, in the same environment
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROWS, POINTS, UNITS = 2000, 1000, 8
COMMANDS = {
    "--help": "--help",
    "curve --help": "curve --help",
    "list": "list",
    "list systems": "list systems",
    "a refusal: a system": "curve --system gausian",
    "a refusal: a source's size": "curve --dim 4",
    "a refusal: a system's range": "curve --system binary --set temperature=-1",
    "a refusal: a damaged curve": "report damaged",
    "a refusal: a file": "estimate missing.npy y.npy",
    "a refusal: a constant": "estimate still.npy y.npy",
    "a refusal: missing values": "pairwise t.csv",
    "a refusal: posteriors": "latent --means means.npy --logvars y.npy",
    "a refusal: no curve": "show .",
    "estimate (2,000 × 1)": "estimate x.npy y.npy",
    "estimate --method ksg": "estimate x.npy y.npy --method ksg",
    "latent (1,000 × 8)": "latent --means means.npy --logvars logvars.npy",
}


def prepare(folder: Path) -> None:
    """The files that the commands name."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(ROWS, 1))
    for name, array in {
        "x": x, "y": x + rng.normal(size=(ROWS, 1)), "still": np.ones((ROWS, 1)),
        "means": rng.normal(size=(POINTS, UNITS)), "logvars": -2 * np.ones((POINTS, UNITS)),
    }.items():  # fmt: skip
        np.save(folder / f"{name}.npy", array)
    (folder / "damaged").mkdir()
    (folder / "damaged" / "curve.nc").write_bytes(b"\x89HDF")
    (folder / "t.csv").write_text("a,b\n1,\n2,3\n" * 9)


def seconds_of(words: str, folder: Path, tree: Path, tries: int) -> float:
    """The least processor time of a command, in seconds."""
    found = []
    for _ in range(tries):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, "-m", "capacity", *words.split()],
            cwd=folder, env=os.environ | {"PYTHONPATH": str(tree)}, capture_output=True, check=False,
        )  # fmt: skip
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    return min(found)


def main() -> None:
    """Print a row for each command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tree", type=Path, default=Path(__file__).resolve().parents[2])
    parser.add_argument("--tries", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        found = {name: seconds_of(words, Path(folder), asked.tree, asked.tries) for name, words in COMMANDS.items()}
    if asked.json:
        print(json.dumps(found, indent=1, ensure_ascii=False))
        return
    for name, seconds in found.items():
        print(f"| {name} | {seconds:.2f} |")


if __name__ == "__main__":
    main()
