"""How near any method could come on the traps without knowing their laws.

    python -m tests.benchmarks.traps_floor --half choosing --sizes 500,1000,10000

Of all regular estimators of I(X;Y) that know nothing of the law none has a smaller asymptotic variance than that of the
log density ratio over n, since the ratio less its mean is the influence function (van der Vaart 1998, chapter 25).  The
mean of the exact ratio over the very rows that every method was given attains it.  Its relative error is printed by
number of rows, for tasks of .05 bits and more: a median below it over many tasks is luck, or knowledge of the laws.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Iterator

import numpy as np

from tests.traps import tasks
from tests.traps.task import SIZES, Task

LEAST = 0.05  # bits, of a truth that an error is relative to


def oracle(task: Task, seed: int, n: int) -> float:
    """The mean of the exact log density ratio over the rows that `task.rows(seed, n)` shows, bits."""
    random = np.random.default_rng([zlib.crc32(task.name.encode()), seed, n])
    return float(task.law.density(*task.law.draw(random, n)).mean())


def errors(half: str | None, n: int, seed: int) -> Iterator[float]:
    """The oracle's relative error on every task that has a truth, at the size of its own that is nearest."""
    for task in tasks(half).values():
        if task.bits >= LEAST and not task.upper_only:
            yield abs(oracle(task, seed, task.nearest_size(n)) / task.bits - 1)


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--half", choices=["choosing", "reported"], help="families of one half; all without it")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="numbers of rows, comma-separated")
    parser.add_argument("--seed", type=int, default=0, help="of the rows")
    given = parser.parse_args(arguments)
    over_all: list[float] = []
    for n in map(int, given.sizes.split(",")):
        found = list(errors(given.half, n, given.seed))
        over_all += found
        print(f"n = {n:,}: median {100 * np.median(found):.1f} % of {len(found)} tasks", flush=True)
    print(f"all: median {100 * np.median(over_all):.1f} %")


if __name__ == "__main__":
    main()
