"""The brackets' validity study in pieces: random problems by number, JSON lines, resumable; misses with their keys.

    python -m tests.benchmarks.validity --out runs/validity.jsonl --first 0 --last 60
    python -m tests.benchmarks.validity --out runs/validity.jsonl

Problems, truths and brackets are those of `tests/capacity/bounds/test_measure_validity.py`, whose slow test has all
500 in one
go; each has a key of its own, so it matters not in which pieces, or in what order, they are done.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import jax

from tests.benchmarks.mi_tasks import append, load
from tests.capacity.bounds.test_measure_validity import PROBLEMS, Verdict, judged, report


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="the file of records, JSON lines")
    parser.add_argument("--first", type=int, default=0, help="number of the first problem")
    parser.add_argument("--last", type=int, default=PROBLEMS, help="number behind the last one")
    given = parser.parse_args(arguments)
    if not 0 <= given.first < given.last <= PROBLEMS:
        raise ValueError(f"Expected numbers 0 <= first < last <= {PROBLEMS}; got {given.first} and {given.last}.")
    done = {record["number"] for record in load(given.out)}
    for number in range(given.first, given.last):
        if number not in done:
            started, worked = time.perf_counter(), time.process_time()
            verdict = judged(number)._asdict()
            seconds = {"seconds": time.perf_counter() - started, "core_seconds": time.process_time() - worked}
            append(given.out, {"number": number, "jax": jax.__version__} | verdict | seconds)
            print(
                f"problem {number}: {'held' if verdict['off'] == 0 else 'MISSED'}, {seconds['seconds']:.1f} s",
                flush=True,
            )
    records = {record["number"]: record for record in load(given.out)}
    report({n: Verdict(*(records[n][name] for name in Verdict._fields)) for n in sorted(records)})
    print(f"{sum(record['core_seconds'] for record in records.values()):.0f} s of a core")


if __name__ == "__main__":
    main()
