"""Methods on the traps (`tests/traps`): one JSON line a run, resumable, then a page with a figure.

    python -m tests.benchmarks.traps --out runs/traps.jsonl --methods auto,ksg --half choosing --sizes 500 --seeds 1
    python -m tests.benchmarks.traps --out runs/traps.jsonl --methods scikit-learn,ennemi --peer-python DIR/bin/python
    python -m tests.benchmarks.traps --out runs/independent.jsonl --methods auto,permutation --tasks "independent-*" \\
        --sizes 500 --seeds 200
    python -m tests.benchmarks.traps --out runs/traps.jsonl --report docs/traps.md

Every run is done by a child process, which is ended where it takes longer than the limit; a crash is a record too.
Runs that are in the file already are skipped.  Every method is given the same rows.
"""

from __future__ import annotations

import argparse
import fnmatch
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.mi_tasks import Record, append, load
from tests.benchmarks.traps_child import Child
from tests.benchmarks.traps_peers import PEERS
from tests.traps import FAMILIES, HALVES, tasks
from tests.traps.task import SIZES, Task

SAME_RUN = ("method", "task", "n", "seed")
SEEDS = 5


@dataclass(frozen=True)
class Run:
    """A method on a task's rows of one seed."""

    method: str
    task: Task
    n: int
    seed: int

    @property
    def same(self) -> tuple[str, str, int, int]:
        """What tells it from others."""
        return self.method, self.task.name, self.n, self.seed

    def record(self) -> Record:
        """What is known before it is run."""
        task, truth = self.task, self.task.truth
        known: Record = dict(zip(SAME_RUN, self.same, strict=True))
        known |= {"family": task.family, "half": HALVES[task.family], "order": task.order}
        return known | {"truth": truth.bits, "truth_error": truth.stderr, "upper_only": task.upper_only}


def planned(methods: list[str], chosen: dict[str, Task], sizes: list[int], seeds: range) -> list[Run]:
    """All runs, the first seed of everything first; of a task's own sizes the nearest stands in for each."""
    runs = (
        Run(method, task, task.nearest_size(n), seed)
        for seed in seeds
        for n in sizes
        for task in chosen.values()
        for method in methods
    )
    return list({one.same: one for one in runs}.values())


def run(path: Path, runs: list[Run], jobs: int, limit: float, peer_python: str) -> Iterator[Record]:
    """Do what is not in the file yet, and yield each new record once it is written."""
    done = {tuple(record[part] for part in SAME_RUN) for record in load(path)}
    left = [one for one in runs if one.same not in done]
    own = threading.local()
    children: list[Child] = []

    def work(one: Run) -> Record:
        python = peer_python if one.method in PEERS else sys.executable
        if not hasattr(own, "children"):
            own.children = {}
        if python not in own.children:
            own.children[python] = Child(python)
            children.append(own.children[python])
        request = {"method": one.method, "task": one.task.name, "n": one.n, "seed": one.seed}
        return one.record() | own.children[python].ask(request, limit)

    try:
        with ThreadPoolExecutor(jobs) as pool:
            for future in as_completed([pool.submit(work, one) for one in left]):
                append(path, future.result())
                yield future.result()
    finally:
        for child in children:
            child.end()


def chosen_tasks(half: str | None, families: list[str], patterns: list[str]) -> dict[str, Task]:
    """Tasks by half, family and pattern; all of what is not given.

    Raises:
        ValueError: an unknown family, or a pattern that fits no task.
    """
    unknown = sorted(set(families) - set(FAMILIES))
    if unknown:
        raise ValueError(f"Expected families among {', '.join(FAMILIES)}; got {', '.join(unknown)}.")
    everything = tasks(half)
    empty = [pattern for pattern in patterns if not fnmatch.filter(everything, pattern)]
    if empty:
        raise ValueError(f"Expected patterns that fit a task; got {', '.join(empty)}.")
    fits = {name for pattern in patterns or ["*"] for name in fnmatch.filter(everything, pattern)}
    return {name: task for name, task in everything.items() if name in fits and task.family in (families or FAMILIES)}


def said(record: Record) -> str:
    """A record in words."""
    head = f"{record['task']}, n = {record['n']}, seed {record['seed']}, {record['method']}"
    for fault in ("refused", "crashed", "over_time", "p_value"):
        if fault in record:
            return f"{head}: {fault} {record[fault]}; truth {record['truth']:.4f}"
    numbers = ("none" if record.get(part) is None else f"{record[part]:.4f}" for part in ("bits", "low", "high"))
    figure = "{} [{}, {}] bits".format(*numbers)
    words = f"{record.get('kind', '')}{' saturated' if record.get('saturated') else ''} {record.get('chosen', '')}"
    return f"{head}: {figure} {words.strip()}; truth {record['truth']:.4f}; {record['seconds']:.1f} s"


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="the file of records, JSON lines")
    parser.add_argument(
        "--methods", default="auto,ksg,scikit-learn", help=f"of capacity, permutation, or of peers: {', '.join(PEERS)}"
    )
    parser.add_argument("--half", choices=["choosing", "reported"], help="families of one half; all without it")
    parser.add_argument("--families", default="", help="comma-separated; all without it")
    parser.add_argument("--tasks", default="", help="patterns of names, comma-separated; all without it")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="numbers of rows, comma-separated")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many seeds")
    parser.add_argument("--seed-start", type=int, default=0, help="the first of them")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time")
    parser.add_argument("--limit-seconds", type=float, default=120.0, help="the most that a run may take")
    parser.add_argument("--peer-python", default=sys.executable, help="the Python that has the peers")
    parser.add_argument("--report", type=Path, help="write this page from the records, and its figure; runs nothing")
    given = parser.parse_args(arguments)
    if given.report:
        from tests.benchmarks.traps_report import write

        write(load(given.out), given.report)
        return
    chosen = chosen_tasks(given.half, *(part.split(",") if part else [] for part in (given.families, given.tasks)))
    seeds = range(given.seed_start, given.seed_start + given.seeds)
    runs = planned(given.methods.split(","), chosen, [int(n) for n in given.sizes.split(",")], seeds)
    for record in run(given.out, runs, given.jobs, given.limit_seconds, given.peer_python):
        print(said(record), flush=True)


if __name__ == "__main__":
    main()
