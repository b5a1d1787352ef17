"""Every estimator on every pair of known information: one JSON line a run, resumable, then a table and a figure.

    python -m tests.benchmarks.mi_tasks --out runs/mi.jsonl --estimators auto,ksg --tasks public --seeds 3
    python -m tests.benchmarks.mi_tasks --out runs/mi.jsonl --report docs/estimators.md

A run that is in the file already is skipped, so that a command broken off goes on where it was.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np

from capacity.runtime.cores import cores
from synthetic.pairs import EXTRA_TASKS, PUBLIC_TASKS, Pair

Record = dict[str, Any]
Method = Callable[[jax.Array, np.ndarray, np.ndarray], Any]
SAME_RUN = ("estimator", "task", "seed", "n", "rescaled", "given")


def samples(pair: Pair, seed: int, n: int, data: Path | None = None) -> tuple[np.ndarray, np.ndarray, bool]:
    """x (n, dim_x), y (n, dim_y), and whether they are the given ones: the first n of data/<task>.npz, for seed 0.

    Raises:
        ValueError: where the file has fewer than n.
    """
    path = data / f"{pair.name}.npz" if data is not None and seed == 0 else None
    if path is None or not path.exists():
        # The task's name is in the key: tasks made of one base would otherwise share their luck.
        key = jax.random.fold_in(jax.random.key(seed), zlib.crc32(pair.name.encode()))
        return *pair.sample(key, n), False
    with np.load(path, allow_pickle=False) as file:
        x, y = np.asarray(file["x"], np.float64), np.asarray(file["y"], np.float64)
    if len(x) < n:
        raise ValueError(f"Expected at least {n} samples in {path}; got {len(x)}.")
    return x[:n], y[:n], True


def rescale(values: np.ndarray) -> np.ndarray:
    """Columns of mean 0 and standard deviation 1, as the public benchmark gives them to every method."""
    return (values - values.mean(axis=0)) / values.std(axis=0)


def measure(method: Method, name: str, pair: Pair, seed: int, n: int, rescaled: bool, data: Path | None) -> Record:
    """One run as a record: figures in bits (None where infinite or refused), seconds with all compilation."""
    x, y, given = samples(pair, seed, n, data)
    if rescaled:
        x, y = rescale(x), rescale(y)
    record: Record = {"estimator": name, "task": pair.name, "seed": seed, "n": n, "rescaled": rescaled, "given": given}
    record |= {"dim_x": pair.dim_x, "dim_y": pair.dim_y, "truth": pair.bits}
    record |= {"backend": jax.default_backend(), "cores": cores()}
    start = time.perf_counter()
    try:
        estimate = method(jax.random.key(seed), x, y)
    except ValueError as refusal:
        return record | {"refused": str(refusal), "seconds": time.perf_counter() - start}
    figures = {part: _finite(getattr(estimate, part)) for part in ("bits", "low", "high", "limit")}
    seconds = time.perf_counter() - start
    return record | figures | {"kind": estimate.kind, "saturated": bool(estimate.saturated), "seconds": seconds}


def _finite(figure: Any) -> float | None:
    """JSON has no infinities."""
    return float(figure) if np.isfinite(figure) else None


def load(path: Path) -> list[Record]:
    """The records of a file; a last line that was broken off is no record."""
    if not path.exists():
        return []
    lines = path.read_text().split("\n")[:-1]
    return [json.loads(line) for line in lines if line]


def append(path: Path, record: Record) -> None:
    """Add one whole line, on the disk before this returns; what was broken off before it is cut away."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab+") as file:
        whole = file.seek(0, os.SEEK_END)
        while whole and _byte(file, whole - 1) != b"\n":
            whole -= 1
        file.truncate(whole)
        file.write((json.dumps(record, allow_nan=False) + "\n").encode())
        file.flush()
        os.fsync(file.fileno())


def _byte(file: Any, place: int) -> bytes:
    file.seek(place)
    return file.read(1)


def run(
    path: Path,
    methods: dict[str, Method],
    tasks: dict[str, Pair],
    seeds: range,
    n: int = 10_000,
    rescaled: bool = True,
    data: Path | None = None,
) -> Iterator[Record]:
    """Do what is not in the file yet, seed by seed, and yield each new record once it is written."""
    done = {tuple(record[part] for part in SAME_RUN) for record in load(path)}
    for seed in seeds:
        for pair in tasks.values():
            given = data is not None and seed == 0 and (data / f"{pair.name}.npz").exists()
            for name, method in methods.items():
                if (name, pair.name, seed, n, rescaled, given) not in done:
                    record = measure(method, name, pair, seed, n, rescaled, data)
                    append(path, record)
                    yield record


def chosen_tasks(patterns: str) -> dict[str, Pair]:
    """Tasks by comma-separated names: "public" (the 40), "extra" (the others), or patterns such as spiral-*.

    Raises:
        ValueError: a pattern that fits none.
    """
    everything, chosen = PUBLIC_TASKS | EXTRA_TASKS, set()
    for pattern in patterns.split(","):
        groups = {"public": set(PUBLIC_TASKS), "extra": set(EXTRA_TASKS)}
        fitting = groups.get(pattern, set(fnmatch.filter(everything, pattern)))
        if not fitting:
            raise ValueError(f"Expected public, extra, or a pattern that fits a task; got {pattern!r}.")
        chosen |= fitting
    return {name: pair for name, pair in everything.items() if name in chosen}


def chosen_methods(names: str | None) -> dict[str, Method]:
    """Estimators by comma-separated names, with their own defaults; None for all that take real numbers, and auto.

    Raises:
        ValueError: an unknown name.
    """
    import capacity
    from capacity.estimators.registry import ESTIMATORS

    offered: dict[str, Method] = {
        name: estimator() for name, estimator in ESTIMATORS.items() if estimator.takes in ("continuous", "any")
    }
    if hasattr(capacity, "estimate"):
        offered = {"auto": lambda key, x, y: capacity.estimate(key, x, y, method="auto"), **offered}
    wanted = list(offered) if names is None else names.split(",")
    unknown = sorted(set(wanted) - set(offered))
    if unknown:
        raise ValueError(f"Expected estimators among {sorted(offered)}; got {unknown}.")
    return {name: offered[name] for name in wanted}


def _line(record: Record) -> str:
    """A record in words."""
    bits, low, high = ("inf" if (v := record.get(part)) is None else f"{v:.4f}" for part in ("bits", "low", "high"))
    figure = record.get("refused") or f"{bits} [{low}, {high}] bits"
    where = f"{record['task']}, seed {record['seed']}, {record['estimator']}"
    return f"{where}: {figure}; truth {record['truth']:.4f}; {record['seconds']:.1f} s"


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="the file of records, JSON lines")
    parser.add_argument("--estimators", help="comma-separated names; all without it")
    parser.add_argument("--tasks", default="public", help="public, extra or patterns, comma-separated")
    parser.add_argument("--n", type=int, default=10_000, help="samples")
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds")
    parser.add_argument("--seed-start", type=int, default=0, help="the first of them")
    parser.add_argument("--data", type=Path, help="a folder of <task>.npz with x and y, used for seed 0")
    parser.add_argument("--no-rescale", action="store_true", help="leave the columns as they come")
    parser.add_argument("--report", type=Path, help="write the Markdown table here and the figure beside it, and stop")
    given = parser.parse_args(arguments)
    if given.report:
        from tests.benchmarks.mi_report import write

        write(load(given.out), given.report)
        return
    seeds = range(given.seed_start, given.seed_start + given.seeds)
    methods, tasks = chosen_methods(given.estimators), chosen_tasks(given.tasks)
    for record in run(given.out, methods, tasks, seeds, given.n, not given.no_rescale, given.data):
        print(_line(record), flush=True)


if __name__ == "__main__":
    main()
