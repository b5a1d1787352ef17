"""Records of runs on traps as a page with a figure."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from tests.benchmarks.traps_figure import draw
from tests.benchmarks.traps_peers import PEERS
from tests.benchmarks.traps_verdicts import Tally, answered, error, held, tally
from tests.traps import FAMILIES, HALVES, tasks

Record = dict[str, Any]
HALF_TITLES = {"reported": "The half that is only reported", "choosing": "The half for choosing"}
PERMUTATION = "permutation"
MAX_MISSES = 60


def grouped(records: Iterable[Record], key: Callable[[Record], Any]) -> dict[Any, list[Record]]:
    """Records by a key, in the order in which keys come."""
    groups: dict[Any, list[Record]] = defaultdict(list)
    for record in records:
        groups[key(record)].append(record)
    return dict(groups)


def markdown(records: list[Record], picture: str) -> str:
    """The whole page."""
    figures = [record for record in records if record["method"] != PERMUTATION]
    parts = [_opening(records, picture)]
    parts += [_totals(figures, half) for half in HALF_TITLES]
    parts += [
        _peers(figures),
        _independent(figures),
        _p_values(records),
        _families(figures),
        _misses(figures),
        _tasks(figures),
    ]
    return "\n".join(part for part in parts if part)


def _opening(records: list[Record], picture: str) -> str:
    everything, methods = tasks(), grouped(records, lambda record: record["method"])
    absent = sorted(name for name in PEERS if name not in methods)
    missing = f" Not run: {', '.join(absent)}." if absent else ""
    halves = "\n".join(f"- {half}: {', '.join(f for f in FAMILIES if HALVES[f] == half)}" for half in HALF_TITLES)
    seeds, sizes = ({record[part] for record in records} for part in ("seed", "n"))
    return f"""# Traps: data as people have them

Methods on {len(everything)} pairs of arrays of known information in {len(FAMILIES)} families (`tests/traps`), none
of them among the public 40 of [estimators](estimators.md) [@czyz2023beyond]. {len(records):,} runs: {len(seeds)} seeds,
{_listed(sizes)} rows; every method is given the same rows, as they come. Half of the families may be looked at when
methods and constants are chosen, the other half is only reported. Which is which was settled before any method had run:
in alphabetical order, in turn.

{halves}

Families are named for their file, in which every law is written out; "fine" is the second public list
[@czyz2025properties]. Truths are closed forms, quadrature, enumeration, or the mean of the exact log density ratio over
a million draws or more with a standard error below .3 %. A figure **holds** where its interval has the truth in it, or
where it is called a lower bound or saturated and its lower end is not above the truth. It is **close** within a tenth
of the truth or .05 bits, and **honest** where it is close, or is called a bound and is one. It is **wrong** where it is
off by more than a quarter (and .05 bits), not called a bound, and the truth is not in its interval. Relative errors are
of truths of .05 bits and more. Seconds are of the processor, for the call alone, with all compilation. Written by
`python -m tests.benchmarks.traps --report`.{missing}

![Held, honest and relative error by family and method]({picture})
"""


def _listed(values: Iterable[int]) -> str:
    return ", ".join(f"{value:,}" for value in sorted(values))


TALLY_HEAD = ["runs", "holds", "close", "honest", "wrong", "median error", "median width, bits", "refused"]
TALLY_HEAD += ["over time", "crashed", "median processor s", "slowest"]


def _cells(found: Tally) -> list[str]:
    counts = [
        _share(found.held, found.intervals),
        _share(found.close, found.judged),
        _share(found.honest, found.judged),
    ]
    spread = [f"{100 * found.relative:.1f} %" if found.relative == found.relative else "–", _number(found.width)]
    ends = [*map(str, found.faults), _number(found.seconds), _number(found.slowest)]
    return [str(found.runs), *counts, str(found.wrong), *spread, *ends]


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} % of {whole}" if whole else "–"


def _number(value: float) -> str:
    return "–" if math.isnan(value) else "∞" if math.isinf(value) else f"{value:.2f}" if value < 10 else f"{value:.0f}"


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"| :-- |{' --: |' * (len(head) - 1)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows), ""])


def _totals(records: list[Record], half: str) -> str:
    chosen = [record for record in records if record["half"] == half]
    if not chosen:
        return ""
    rows = []
    for method, runs in grouped(chosen, lambda record: record["method"]).items():
        rows.append([f"**{method}**", "all", *_cells(tally(runs))])
        sizes = grouped(runs, lambda record: record["n"])
        rows += [[method, f"{n:,}", *_cells(tally(sizes[n]))] for n in sorted(sizes)]
    return f"## {HALF_TITLES[half]}\n\n" + _table(["method", "n", *TALLY_HEAD], rows)


def _families(records: list[Record]) -> str:
    parts = ["## By family\n"]
    for method, runs in grouped(records, lambda record: record["method"]).items():
        families = grouped(runs, lambda record: record["family"])
        rows = [[f, HALVES[f], *_cells(tally(families[f]))] for f in FAMILIES if f in families]
        parts += [f"### {method}\n", _table(["family", "half", *TALLY_HEAD], rows)]
    return "\n".join(parts)


def _peers(records: list[Record]) -> str:
    """Mean errors of two methods over the runs that both answered."""
    each = {
        method: {(r["task"], r["n"], r["seed"]): r for r in runs if answered(r) and not r["upper_only"]}
        for method, runs in grouped(records, lambda record: record["method"]).items()
    }
    first = next((method for method in each if method not in PEERS), None)
    rows = []
    for half in HALF_TITLES:
        for method in each:
            both = [k for k in each.get(first, {}) if k in each[method] and each[method][k]["half"] == half]
            if method == first or not both:
                continue
            errors = [np.abs([error(each[name][k]) for k in both]) for name in (first, method)]
            better = int((errors[0] <= errors[1]).sum())
            means = [_number(float(part[np.isfinite(part)].mean())) for part in errors]
            rows.append([method, half, str(len(both)), *means, _share(better, len(both))])
    if not rows:
        return ""
    head = [
        "beside",
        "half",
        "runs that both answered",
        f"mean error of {first}, bits",
        "its own, bits",
        f"{first} no worse",
    ]
    return "## Beside others, over what both answered\n\n" + _table(head, rows)


def _independent(records: list[Record]) -> str:
    chosen = [r for r in records if r["truth"] == 0 and answered(r)]
    rows = []
    for (method, family), runs in grouped(chosen, lambda r: (r["method"], r["family"])).items():
        states = [held(r) for r in runs if held(r) is not None]
        bits = [r["bits"] for r in runs if r.get("bits") is not None]
        shown = [f"{np.median(bits):.3f}", f"{max(bits):.3f}"] if bits else ["–", "–"]
        rows.append([method, family, str(len(runs)), _share(sum(states), len(states)), *shown])
    if not rows:
        return ""
    head = ["method", "family", "runs", "0 is inside", "median bits", "largest"]
    return "## Independent pairs\n\n" + _table(head, rows)


def _p_values(records: list[Record]) -> str:
    chosen = [r for r in records if r["method"] == PERMUTATION and "p_value" in r]
    rows = []
    for family, runs in grouped(chosen, lambda r: r["family"]).items():
        for words, dependent in (("independent", False), ("dependent", True)):
            values = [r["p_value"] for r in runs if (r["truth"] > 0) == dependent]
            if values:
                # Permutations make them stand on a grid and no smaller than they should be: larger is no fault.
                uniform = "" if dependent else f"{stats.kstest(values, 'uniform', alternative='greater').pvalue:.3f}"
                below = _share(sum(value <= 0.05 for value in values), len(values))
                rows.append([family, words, str(len(values)), below, uniform or "–"])
    if not rows:
        return ""
    head = ["family", "pairs", "tests", "p at most .05", "chance of p so small together, if uniform"]
    return "## p-values of the permutation test\n\n" + _table(head, rows)


def _misses(records: list[Record]) -> str:
    """Runs of the first method that did not hold."""
    first = records[0]["method"] if records else ""
    missed = [r for r in records if r["method"] == first and held(r) is False]
    missed.sort(key=lambda r: -abs(error(r)) / max(r["truth"], 0.5))
    rows = []
    for r in missed[:MAX_MISSES]:
        ends = ", ".join("–" if r.get(end) is None else f"{r[end]:.3f}" for end in ("low", "high"))
        figure = "–" if r.get("bits") is None else f"{r['bits']:.3f}"
        rows.append(
            [r["task"], f"{r['n']:,}", str(r["seed"]), f"{r['truth']:.3f}", figure, f"[{ends}]", r.get("chosen", "–")]
        )
    if not rows:
        return ""
    head = ["task", "n", "seed", "truth", "bits", "interval", "by"]
    return f"## What {first} missed, worst first: {len(missed)} runs\n\n" + _table(head, rows)


def _tasks(records: list[Record]) -> str:
    """Median figure by task, size and method."""
    methods = list(grouped(records, lambda r: r["method"]))
    groups = grouped(records, lambda r: (r["task"], r["n"]))
    rows = []
    for name, task in tasks().items():
        for n in task.sizes:
            if (name, n) in groups:
                by = grouped(groups[name, n], lambda r: r["method"])
                figures = [_middle(by.get(method, [])) for method in methods]
                rows.append(
                    [name, task.truth.how, f"{'≤ ' if task.upper_only else ''}{task.bits:.3f}", f"{n:,}", *figures]
                )
    table = _table(["task", "truth by", "bits", "n", *methods], rows)
    return f"## Every task\n\nMedian over seeds, bits; bold where close.\n\n{table}"


def _middle(runs: list[Record]) -> str:
    figures = [r["bits"] for r in runs if r.get("bits") is not None]
    if not figures:
        return "–"
    middle = float(np.median(figures))
    near = tally([runs[0] | {"bits": middle, "seconds": 0.0}]).close
    return f"**{middle:.3f}**" if near else f"{middle:.3f}"


def write(records: list[Record], path: Path) -> None:
    """Write the page to `path` and its figure beside it, as .png.

    Raises:
        ValueError: if there are no records.
    """
    if not records:
        raise ValueError("Expected at least one record; got none.")
    known = tasks()
    records = [record for record in records if record["task"] in known]
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = path.with_suffix(".png")
    path.write_text(markdown(records, picture.name))
    draw([record for record in records if record["method"] != PERMUTATION], picture)
