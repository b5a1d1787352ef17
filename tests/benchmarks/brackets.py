"""Brackets on joints from 10 to 8,000 bits, and public methods beside them: JSON lines, resumable, then a report.

    python -m tests.benchmarks.brackets --out runs/brackets.jsonl --cases 'orthogonal-*,blocks-*'
    python -m tests.benchmarks.brackets --out runs/brackets.jsonl --report docs/brackets.md

A run that is in the file already is skipped, so that a command broken off goes on where it was; what was trained is
kept in a folder beside the file.
"""

from __future__ import annotations

import argparse
import fnmatch
import os
import platform
import resource
import time
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import numpy as np

from capacity.bounds import Ceiling, Decoder, MaximumEntropy, measure
from capacity.results.estimate import Bracket
from capacity.runtime.cores import cores
from tests.benchmarks.brackets_cases import CASES, Case, Made
from tests.benchmarks.brackets_public import public
from tests.benchmarks.brackets_windows import WINDOW_CASES
from tests.benchmarks.mi_tasks import append, load

Record = dict[str, Any]
SAMPLES, SAMPLED_NUMBERS = 2**15, 2**25  # of a bound without a bracket; numbers of all their vectors
PARTS = ("bracket", "public")
SAME_RUN = ("case", "part", "seed", "budget")


def run(path: Path, cases: dict[str, Case], parts: tuple[str, ...], seeds: range) -> Iterator[Record]:
    """Do what is not in the file yet, part by part, and yield each new record once it is written."""
    done = {tuple(record[name] for name in SAME_RUN) for record in load(path)}
    for part in parts:
        for case in cases.values():
            if part == "public" and case.name in WINDOW_CASES:
                continue  # of thousands of bits, where none of them says anything
            wanted = [seed for seed in seeds if (case.name, part, seed, _budget(case, part)) not in done]
            made = case.make(path.with_suffix("")) if wanted else None
            for seed in wanted:
                assert made is not None
                record = one_run(case, made, part, seed)
                append(path, record)
                yield record


def _budget(case: Case, part: str) -> float | None:
    """The public methods have none."""
    return case.budget_gflop if part == "bracket" else None


def one_run(case: Case, made: Made, part: str, seed: int) -> Record:
    """One run as a record: figures in bits, seconds with all compilation, though not of training or of the truth."""
    # The case's name is in the key: cases of one family would otherwise share their luck.
    key = jax.random.fold_in(jax.random.key(seed), zlib.crc32(case.name.encode()))
    key_measure, key_others = jax.random.split(key)
    record: Record = {"case": case.name, "part": part, "seed": seed, "budget": _budget(case, part)}
    record |= {"truth": made.truth, "truth_stderr": made.stderr, "source": _number(made.joint.source.bits)}
    record |= {"series": case.series, "level": case.level, "asked_width": case.width, "asked_seconds": case.seconds}
    load_before, start, worked = os.getloadavg()[0], time.perf_counter(), time.process_time()
    if part == "bracket":
        found = measure(
            key_measure, made.joint, budget_gflop=case.budget_gflop, log_decoder=made.log_decoder, method="bracket"
        )
        record |= _figures(found)
    else:
        record |= public(key_others, made.joint, made.log_decoder)
    # Other work on the same cores lengthens the seconds, but hardly the time that the cores spent on this.
    record |= {"seconds": time.perf_counter() - start, "core_seconds": time.process_time() - worked}
    if part == "bracket":
        record |= _others(key_others, made)
    record["peak_gib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    machine = {"cores": cores(), "backend": jax.default_backend(), "jax": jax.__version__}
    return record | machine | {"python": platform.python_version(), "load_before": load_before}


def _figures(found: Bracket) -> Record:
    return {
        "lower": float(found.lower.bits),
        "upper": float(found.upper.bits),
        "low": float(found.low),
        "high": float(found.high),
        "lower_stderr": float(found.lower.stderr),
        "upper_stderr": float(found.upper.stderr),
        "method": found.method,
        "trace": [point._asdict() for point in found.trace],
    }


def _others(key: jax.Array, made: Made) -> Record:
    """What is known without a bracket: the trained decoder's bits, the channel's ceiling, maximum entropy."""
    key_decoder, key_ceiling, key_entropy = jax.random.split(key, 3)
    joint, found = made.joint, {}
    samples = min(SAMPLES, SAMPLED_NUMBERS // joint.source.dim)
    if made.log_decoder is not None:
        found["decoder"] = float(Decoder(made.log_decoder, samples)(key_decoder, joint).bits)
    if joint.channel.has_ceiling:
        found["ceiling"] = float(Ceiling(samples)(key_ceiling, joint).bits)
    if samples < SAMPLES:
        return found
    return found | {"maximum_entropy": float(MaximumEntropy()(key_entropy, joint).bits)}


def _number(figure: float) -> float | None:
    """JSON has no infinities."""
    return float(figure) if np.isfinite(figure) else None


def width(record: Record) -> float:
    """Width of [low, high] as a percentage of its middle."""
    return 200.0 * (record["high"] - record["low"]) / (record["high"] + record["low"])


def inside(record: Record) -> bool | None:
    """Whether the truth, three of its own standard errors allowed, lies in [low, high]; None where it is unknown."""
    if record["truth"] is None:
        return None
    slack = 3 * record["truth_stderr"]
    return bool(record["low"] - slack <= record["truth"] <= record["high"] + slack)


def line(record: Record) -> str:
    """A record in words."""
    truth = "unknown" if record["truth"] is None else f"{record['truth']:.3f}"
    where = f"{record['case']}, seed {record['seed']}: truth {truth}"
    if record["part"] == "public":
        names = ("info_nce", "leave_one_out", "pairwise_kl", "maximum_entropy", "receiver", "decoder")
        shown = ", ".join(f"{name} {record[name]:.2f}" for name in names if record[name] is not None)
        return f"{where}; {shown}; {record['seconds']:.1f} s"
    seconds = f"{record['seconds']:.1f} s ({record['core_seconds']:.1f} of a core)"
    said = {None: "", True: ", truth inside", False: ", truth OUTSIDE"}[inside(record)]
    figures = f"[{record['low']:.3f}, {record['high']:.3f}] ({record['lower']:.3f} to {record['upper']:.3f})"
    asked = f"width {width(record):.2f} % (asked {record['asked_width']:g} %){said}"
    others = "".join(f", {name} {record[name]:.2f}" for name in ("decoder", "ceiling") if name in record)
    return f"{where}; {figures}; {asked}{others}; {seconds}; {record['method']}"


def chosen_cases(patterns: str) -> dict[str, Case]:
    """Cases by comma-separated patterns, such as blocks-*.

    Raises:
        ValueError: a pattern that fits none.
    """
    chosen: set[str] = set()
    every = CASES | WINDOW_CASES
    for pattern in patterns.split(","):
        fitting = fnmatch.filter(every, pattern)
        if not fitting:
            raise ValueError(f"Expected patterns that fit cases among {', '.join(every)}; got {pattern!r}.")
        chosen |= set(fitting)
    return {name: case for name, case in every.items() if name in chosen}


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="the file of records, JSON lines")
    parser.add_argument("--cases", default="*", help="patterns, comma-separated; all without it")
    parser.add_argument("--parts", default=",".join(PARTS), help="bracket, public or both, comma-separated")
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds")
    parser.add_argument("--share", type=float, default=1.0, help="of each case's budget; 1 is what is reported")
    parser.add_argument("--report", type=Path, help="write the Markdown report here and the figure beside it, and stop")
    given = parser.parse_args(arguments)
    if given.report:
        from tests.benchmarks.brackets_report import write

        write(load(given.out), given.report)
        return
    parts = tuple(given.parts.split(","))
    if not set(parts) <= set(PARTS):
        raise ValueError(f"Expected parts among {', '.join(PARTS)}; got {given.parts!r}.")
    cases = chosen_cases(given.cases)
    cases = {name: replace(case, budget_gflop=given.share * case.budget_gflop) for name, case in cases.items()}
    for record in run(given.out, cases, parts, range(given.seeds)):
        print(line(record), flush=True)


if __name__ == "__main__":
    main()
