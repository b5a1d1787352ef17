"""The study of validity: problems whose information is known, by family and number; JSON lines, resumable; a report.

    python -m tests.benchmarks.validity --out runs/validity.jsonl --jobs 2
    python -m tests.benchmarks.validity --out runs/validity.jsonl --family "far codes" --first 0 --last 8
    python -m tests.benchmarks.validity --out runs/validity.jsonl --report docs/validity.md

Each problem has a seed and a key of its own, told by its family and number (`tests/families`): it matters not in which
pieces, or in what order, they are done.  Misses are printed with their numbers.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import multiprocessing
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax

from tests.benchmarks.mi_tasks import Record, append, load
from tests.families import FAMILIES, Interval, Truth, key_of, problem_of

TRUTH_ERRORS = 2.0  # standard errors of the truth that are let pass
ROUNDING = 1e-6  # of a figure in float32
Task = tuple[str, int]


def judged(truth: Truth, found: Interval, source_bits: float) -> Record:
    """One figure against its truth: how far outside the interval it lies, in bits, 0 inside."""
    low, high = found.low, found.high
    record: Record = {"figure": truth.figure, "truth": truth.bits, "truth_error": truth.stderr}
    record |= {"low": _finite(low), "high": _finite(high), "lower": _finite(found.lower), "upper": _finite(found.upper)}
    if None in record.values():
        return record | {"held": False, "nan": True, "off": None, "errors": None, "width": None}
    allowed = TRUTH_ERRORS * truth.stderr + ROUNDING * max(1.0, source_bits)
    off = float(max(low - truth.bits, truth.bits - high, 0.0))
    inside = found.lower - truth.bits if truth.bits < low else truth.bits - found.upper
    error = math.hypot(found.lower_error if truth.bits < low else found.upper_error, truth.stderr)
    errors = float(inside / error) if off and error > 0 else 0.0 if not off else None
    held = bool(off <= allowed)
    return record | {"held": held, "nan": False, "off": 0.0 if held else off, "errors": errors, "width": high - low}


def _finite(figure: float) -> float | None:
    """JSON has no NaN."""
    return figure if math.isfinite(figure) else None


def record_of(task: Task) -> Record:
    """The problem measured and judged; a refusal where one is right is no miss, all else that is raised is."""
    family, number = task
    started, worked = time.perf_counter(), time.process_time()
    problem = problem_of(family, number)
    record: Record = {"family": family, "number": number, "method": problem.method, "words": problem.words}
    record |= {"source_bits": problem.source_bits, "truth_seconds": time.process_time() - worked, "why": ""}
    try:
        found = problem.ask(key_of(family, number))
        record["outcome"] = "measured"
        each = zip(problem.truths, found, strict=True)
        record["figures"] = [judged(truth, interval, problem.source_bits) for truth, interval in each]
    except Exception as error:  # whatever it is, it is counted
        expected = isinstance(error, ValueError) and str(error).startswith("Expected") and problem.refusable
        record["outcome"] = "refused" if expected else "crashed"
        record |= {"why": f"{type(error).__name__}: {error}"[:400], "figures": []}
    seconds = {"seconds": time.perf_counter() - started, "core_seconds": time.process_time() - worked}
    return record | seconds | {"jax": jax.__version__}


def held(record: Record) -> bool:
    """Whether all its figures hold, or it was refused where that is right."""
    return record["outcome"] == "refused" or (
        record["outcome"] == "measured" and all(figure["held"] for figure in record["figures"])
    )


def said(record: Record) -> str:
    """A line about one record; what missed, in full."""
    head = f"{record['family']} {record['number']}"
    if held(record):
        return f"{head}: {record['outcome'] if record['outcome'] == 'refused' else 'held'}, {record['seconds']:.1f} s"
    if record["outcome"] == "crashed":
        return f"{head}: CRASHED: {record['words']}: {record['why']}"
    wrong = ", ".join(
        f"{f['figure']} {f['truth']:.4f} ± {f['truth_error']:.4f} not in [{_shown(f['low'])}, {_shown(f['high'])}]"
        for f in record["figures"]
        if not f["held"]
    )
    return f"{head}: MISSED: {record['words']}: {wrong}"


def _shown(figure: float | None) -> str:
    return "nan" if figure is None else f"{figure:.4f}"


def chosen(families: list[str], first: int, last: int | None) -> list[Task]:
    """Families by name, or all, and their problems from first to last.

    Raises:
        ValueError: a name that no family has, or no such numbers.
    """
    unknown = [name for name in families if name not in FAMILIES]
    if unknown:
        raise ValueError(f"Expected families among {', '.join(FAMILIES)}; got {', '.join(unknown)}.")
    if not 0 <= first < (math.inf if last is None else last):
        raise ValueError(f"Expected numbers 0 <= first < last; got {first} and {last}.")
    each = families or list(FAMILIES)
    return [(name, n) for name in each for n in range(first, min(last or 10**9, FAMILIES[name].count))]


_last_family = ""


def _work(task: Task) -> Record:
    """In a worker: programs of the family before are let go, which would fill the memory."""
    global _last_family
    if task[0] != _last_family:
        jax.clear_caches()
        _last_family = task[0]
    return record_of(task)


def run(path: Path, tasks: list[Task], jobs: int = 1) -> Iterator[Record]:
    """Do what is not in the file yet, and yield each new record once it is written."""
    done = {(record["family"], record["number"]) for record in load(path)}
    left = [task for task in tasks if task not in done]
    with contextlib.ExitStack() as stack:
        results: Any = map(_work, left)
        if jobs > 1:
            pool = stack.enter_context(multiprocessing.get_context("spawn").Pool(jobs))
            results = pool.imap_unordered(_work, left)
        for record in results:
            append(path, record)
            yield record


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="the file of records, JSON lines")
    parser.add_argument("--family", action="append", default=[], help="a family; may be given more than once")
    parser.add_argument("--first", type=int, default=0, help="number of the first problem of each family")
    parser.add_argument("--last", type=int, help="number behind the last one")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument(
        "--report", type=Path, help="write this page from the records, and its figure; measures nothing"
    )
    given = parser.parse_args(arguments)
    if given.report:
        from tests.benchmarks.validity_report import write

        write(load(given.out), given.report)
        return
    tasks = chosen(given.family, given.first, given.last)
    for count, record in enumerate(run(given.out, tasks, given.jobs), 1):
        print(f"[{count}] {said(record)}", flush=True)
    summary(load(given.out))


def summary(records: list[Record]) -> None:
    """Counts by family, then the misses."""
    for name in FAMILIES:
        own = [record for record in records if record["family"] == name]
        if own:
            refused = sum(record["outcome"] == "refused" for record in own)
            core = sum(record["core_seconds"] for record in own) / len(own)
            print(
                f"{name:22s} {sum(map(held, own)):4d} of {len(own):4d} held, {refused} refused, {core:.1f} core s each"
            )
    print("\n".join(said(record) for record in records if not held(record)))
    total = sum(record["core_seconds"] for record in records)
    print(f"{sum(map(held, records))} of {len(records)} held; {total:.0f} s of a core")


if __name__ == "__main__":
    main()
