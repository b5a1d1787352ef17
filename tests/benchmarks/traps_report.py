"""Records of runs on traps as a page with a figure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from tests.benchmarks.traps_figure import draw
from tests.benchmarks.traps_peers import NOT_TO_BE_HAD, PEERS
from tests.benchmarks.traps_tables import TALLY_HEAD, as_table, cells, grouped, in_bits, listed, number, share
from tests.benchmarks.traps_verdicts import answered, error, held, tally
from tests.traps import FAMILIES, HALVES, tasks

Record = dict[str, Any]
HALF_TITLES = {"reported": "The half that is only reported", "choosing": "The half for choosing"}
PERMUTATION = "permutation"
MAX_MISSES = 60


def markdown(records: list[Record], picture: str) -> str:
    """The whole page."""
    figures = sorted((r for r in records if r["method"] != PERMUTATION), key=lambda r: _place(r["method"]))
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


def _place(method: str) -> tuple[bool, bool]:
    """The automatic choice first, other tools last."""
    return method != "auto", method in PEERS


def _opening(records: list[Record], picture: str) -> str:
    everything, methods = tasks(), grouped(records, lambda record: record["method"])
    absent = sorted(name for name in PEERS if name not in methods)
    missing = f" Not run: {', '.join([*absent, *NOT_TO_BE_HAD])} (the last are in no package index that was looked at)."
    halves = "\n".join(f"- {half}: {', '.join(f for f in FAMILIES if HALVES[f] == half)}" for half in HALF_TITLES)
    seeds, sizes = ({record[part] for record in records} for part in ("seed", "n"))
    return f"""# Traps: data as people have them

Methods on {len(everything)} pairs of arrays of known information in {len(FAMILIES)} families (`tests/traps`), none
of them among the public 40 of [estimators](estimators.md) [@czyz2023beyond]. {len(records):,} runs: seeds
{listed(seeds)}; {listed(sizes)} rows. Every method is given the same rows, as they come.

Half of the families may be looked at when methods and constants are chosen, the other half is only reported. Which is
which was settled before any method had run: in alphabetical order, in turn.

{halves}

Families are named for their file, in which every law is written out; "fine" is the second public list
[@czyz2025properties]. Truths are closed forms, quadrature, enumeration, or the mean of the exact log density ratio over
a million draws or more with a standard error below .3 %. A figure **holds** where its interval has the truth in it, or
where it is called a lower bound or saturated and its lower end is not above the truth. It is **close** within a tenth
of the truth or .05 bits, and **honest** where it is close, or is called a bound and is one. It is **wrong** where it is
off by more than a quarter (and .05 bits), not called a bound, and the truth is not in its interval; **too wide** where
its interval is wider than half of the truth and .3 bits, and it is not called a bound. Relative errors are of truths of
.05 bits and more. Seconds are of the processor, for the call alone, with all compilation. Written by
`python -m tests.benchmarks.traps --report`.{missing}

![Held, honest and relative error by family and method; dashed at 92 %, 85 % and 3 %]({picture})
"""


def _totals(records: list[Record], half: str) -> str:
    chosen = [record for record in records if record["half"] == half]
    if not chosen:
        return ""
    rows = []
    for method, runs in grouped(chosen, lambda record: record["method"]).items():
        rows.append([f"**{method}**", "all", *cells(tally(runs))])
        sizes = grouped(runs, lambda record: record["n"])
        rows += [[method, f"{n:,}", *cells(tally(sizes[n]))] for n in sorted(sizes)]
    return f"## {HALF_TITLES[half]}\n\n" + as_table(["method", "n", *TALLY_HEAD], rows)


def _families(records: list[Record]) -> str:
    parts = ["## By family\n"]
    for method, runs in grouped(records, lambda record: record["method"]).items():
        families = grouped(runs, lambda record: record["family"])
        rows = [[f, HALVES[f], *cells(tally(families[f]))] for f in FAMILIES if f in families]
        parts += [f"### {method}\n", as_table(["family", "half", *TALLY_HEAD], rows)]
    return "\n".join(parts)


def _peers(records: list[Record]) -> str:
    """Mean errors of two methods over the runs that both answered."""
    each = {
        method: {(r["task"], r["n"], r["seed"]): r for r in runs if answered(r) and not r["upper_only"]}
        for method, runs in grouped(records, lambda record: record["method"]).items()
    }
    first, rows = next(iter(each), ""), []
    for half in HALF_TITLES:
        for method in each:
            both = [k for k in each.get(first, {}) if k in each[method] and each[method][k]["half"] == half]
            if method == first or not both:
                continue
            errors = [np.abs([error(each[name][k]) for k in both]) for name in (first, method)]
            better = int((errors[0] <= errors[1]).sum())
            means = [number(float(part[np.isfinite(part)].mean())) for part in errors]
            rows.append([method, half, str(len(both)), *means, share(better, len(both))])
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
    return "## Beside others, over what both answered\n\n" + as_table(head, rows)


def _independent(records: list[Record]) -> str:
    chosen = [r for r in records if r["truth"] == 0 and answered(r)]
    rows = []
    for (method, family), runs in grouped(chosen, lambda r: (r["method"], r["family"])).items():
        states = [held(r) for r in runs if held(r) is not None]
        bits = [r["bits"] for r in runs if r.get("bits") is not None]
        shown = [in_bits(float(np.median(bits))), in_bits(max(bits))] if bits else ["–", "–"]
        rows.append([method, family, str(len(runs)), share(sum(states), len(states)), *shown])
    if not rows:
        return ""
    head = ["method", "family", "runs", "0 is inside", "median bits", "largest"]
    return "## Independent pairs\n\n" + as_table(head, rows)


def _p_values(records: list[Record]) -> str:
    chosen = [r for r in records if r["method"] == PERMUTATION and "p_value" in r]
    rows = []
    for family, runs in grouped(chosen, lambda r: r["family"]).items():
        for words, dependent in (("independent", False), ("dependent", True)):
            values = [r["p_value"] for r in runs if (r["truth"] > 0) == dependent]
            if values:
                # Permutations make them stand on a grid and no smaller than they should be: larger is no fault.
                uniform = "" if dependent else f"{stats.kstest(values, 'uniform', alternative='greater').pvalue:.3f}"
                below = share(sum(value <= 0.05 for value in values), len(values))
                rows.append([family, words, str(len(values)), below, uniform or "–"])
    if not rows:
        return ""
    head = ["family", "pairs", "tests", "p at most .05", "chance of p so small together, if uniform"]
    return "## p-values of the permutation test\n\n" + as_table(head, rows)


def _misses(records: list[Record]) -> str:
    """Runs of the first method that did not hold."""
    first = records[0]["method"] if records else ""
    missed = [r for r in records if r["method"] == first and held(r) is False]
    missed.sort(key=lambda r: -abs(error(r)) / max(r["truth"], 0.5))
    rows = []
    for r in missed[:MAX_MISSES]:
        ends = ", ".join(in_bits(r.get(end)) for end in ("low", "high"))
        rows.append(
            [
                r["task"],
                f"{r['n']:,}",
                str(r["seed"]),
                in_bits(r["truth"]),
                in_bits(r.get("bits")),
                f"[{ends}]",
                r.get("chosen", "–"),
            ]
        )
    if not rows:
        return ""
    head = ["task", "n", "seed", "truth", "bits", "interval", "by"]
    return f"## What {first} missed, worst first: {len(missed)} runs\n\n" + as_table(head, rows)


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
    rows_as_table = as_table(["task", "truth by", "bits", "n", *methods], rows)
    return f"## Every task\n\nMedian over seeds, bits; bold where close.\n\n{rows_as_table}"


def _middle(runs: list[Record]) -> str:
    figures = [r["bits"] for r in runs if r.get("bits") is not None]
    if not figures:
        return "–"
    middle = float(np.median(figures))
    near = tally([runs[0] | {"bits": middle, "seconds": 0.0}]).close
    return f"**{in_bits(middle)}**" if near else in_bits(middle)


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
