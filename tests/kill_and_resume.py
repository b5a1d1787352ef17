"""Kill a curve at random moments with its whole process group, resume it, and compare with one that nobody disturbed.

    python tests/kill_and_resume.py --runs 100

Every run must end in the same dataset, bit for bit, with no lane lost or made twice.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import xarray as xr

from capacity.curves.files import read_curves

OPTIONS = "--system gaussian --bits 4 --dim 6 --units 2 --width 16 --steps 100 --levels 0.3:1:4 --seeds 2 --quiet"
SMALLEST = "--depth 1 --width 4 --steps 200"  # programs of least compilation, and lanes that take some time


IN_ONE_PROCESS = """
import runpy, sys
words, outs = sys.argv[1].split(), sys.argv[2:]
for out in outs:
    sys.argv = ["capacity", "curve", *words, "--out", out]
    try:
        runpy.run_module("capacity", run_name="__main__")
    except SystemExit as left:
        assert not left.code
"""


def command(out: Path, more: str = "") -> list[str]:
    return [sys.executable, "-m", "capacity", "curve", *OPTIONS.split(), *more.split(), "--out", str(out)]


def curve_of(out: Path) -> xr.Dataset:
    return read_curves(out / "curve.nc")["gaussian"]


def finish(out: Path) -> tuple[xr.Dataset, float]:
    """Run to the end; the dataset and the seconds."""
    started = time.monotonic()
    subprocess.run(command(out), check=True)
    return curve_of(out), time.monotonic() - started


def finish_all(*outs: Path, more: str) -> list[xr.Dataset]:
    """Run to their ends, one after the other in one process: it starts once, and compiles once what they share."""
    words = [sys.executable, "-c", IN_ONE_PROCESS, f"{OPTIONS} {more}", *map(str, outs)]
    subprocess.run(words, check=True)
    return [curve_of(out) for out in outs]


def killed(out: Path, after: float) -> bool:
    """Start, and kill the whole process group after so many seconds; whether it was still running."""
    process = subprocess.Popen(command(out), start_new_session=True)
    try:
        process.wait(after)
        return False
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True


def parts_of(out: Path) -> list[list[int]]:
    """The lanes of every part.  What a kill left beside its place, ".NAME.tmp.npz", is none: nothing ever reads it."""
    return [np.load(p)["lanes"].tolist() for p in sorted((out / "parts").glob("[!.]*.npz"))]


def killed_between_parts(out: Path, more: str = "") -> list[list[int]]:
    """Start, kill the whole process group once a part is there, and say which lanes were."""
    process = subprocess.Popen(command(out, more), start_new_session=True)
    while process.poll() is None and not parts_of(out):
        time.sleep(0.002)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return parts_of(out)


def study(runs: int, seed: int, folder: Path) -> tuple[int, int]:
    """How many runs were killed half-way, and how many ended in another dataset than the undisturbed one."""
    moments = random.Random(seed)
    reference, seconds = finish(folder / "reference")  # compiles for those that follow, which are a little quicker
    interrupted = different = 0
    for run in range(runs):
        out, share = folder / f"run-{run}", moments.uniform(0.3, 1.0)
        while not killed(out, share * seconds):  # it was quicker: once more, and sooner
            shutil.rmtree(out)
            share *= 0.7
        interrupted += 1
        while moments.random() < 0.5 and killed(out, moments.uniform(0.3, 1.0) * seconds):  # and what goes on, too
            interrupted += 1
        found = finish(out)[0]
        parts, same = parts_of(out), found.equals(reference)
        if not same or sorted(itertools.chain(*parts)) != list(range(reference.bits.size)):
            different += 1
            print(f"run {run}: {'the same' if same else 'another'} dataset, lanes {parts}")
    return interrupted, different


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        kills, wrong = study(asked.runs, asked.seed, Path(scratch))
    print(f"{asked.runs} runs, {kills} kills, {wrong} other datasets")
    sys.exit(bool(wrong))
