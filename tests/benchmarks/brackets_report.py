"""Records of brackets and of public methods as a Markdown document and a figure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.brackets import inside, width
from tests.benchmarks.brackets_cases import CASES
from tests.benchmarks.brackets_figure import draw
from tests.benchmarks.brackets_public import DECODED, SAMPLES
from tests.benchmarks.brackets_windows import section

Record = dict[str, Any]
WRONG_SIDE, NOISE = 0.02, 0.2  # of the truth, and bits: together more than the figures' own sampling noise
PUBLIC = {
    "info_nce": ("InfoNCE, lower", "lower"),
    "leave_one_out": ("leave-one-out, upper", "upper"),
    "pairwise_kl": ('pairwise KL, "upper"', "upper"),
    "maximum_entropy": ("maximum entropy, upper", "upper"),
    "receiver": ("linear receiver, lower", "lower"),
    "decoder": ("trained decoder, lower", "lower"),
}


def by_case(records: Iterable[Record], part: str) -> dict[str, list[Record]]:
    """All seeds' records of a part by case, in the cases' order; of several budgets, the largest.

    Raises:
        ValueError: no records of this part.
    """
    found: dict[str, dict[int, Record]] = {}
    for record in records:
        if record["part"] == part and record["case"] in CASES:
            seeds = found.setdefault(record["case"], {})
            other = seeds.get(record["seed"], record)
            seeds[record["seed"]] = max(other, record, key=lambda one: one["budget"] or 0.0)
    if not found:
        raise ValueError(f"Expected records of part {part!r}; got none.")
    return {name: [found[name][seed] for seed in sorted(found[name])] for name in CASES if name in found}


def markdown(records: list[Record], picture: str) -> str:
    """The document: how it was made, the brackets, the public methods."""
    brackets, public = by_case(records, "bracket"), by_case(records, "public")
    return "\n".join(
        [_opening(records, brackets, picture), _brackets(brackets), section(records), _public(public, brackets)]
    )


def _opening(records: list[Record], brackets: dict[str, list[Record]], picture: str) -> str:
    runs = [record for seeds in brackets.values() for record in seeds]
    known = [inside(record) for record in runs if record["truth"] is not None]
    firsts = [seeds[0] for seeds in brackets.values()]
    narrow = sum(width(record) <= record["asked_width"] for record in firsts)
    quick = sum(record["seconds"] <= record["asked_seconds"] for record in firsts)
    whole = sum(record["budget"] >= CASES[record["case"]].budget_gflop for record in firsts)
    busy = np.median([record["load_before"] for record in runs])
    cores = {r["cores"]: f"{r['cores']} core{'s' * (r['cores'] > 1)}" for r in records}
    described = {f"{cores[r['cores']]}, {r['backend']}, JAX {r['jax']}, Python {r['python']}" for r in records}
    machines = "; ".join(sorted(described))
    return f"""# Brackets from 8 to 1,000 bits

Each case is a source, an encoder and a channel, all known; `capacity.measure(..., method="bracket")` says how
many bits pass, as an interval [low, high] that holds both bounds' uncertainty at 95 % or more. Where the truth is
known (in closed form, or by enumeration of independent blocks), it stands beside it.

Of {len(firsts)} cases, {narrow} are as narrow as was asked and {quick} as quick; {whole} had the whole of their budget.
Of {len(known)} runs in which the truth is known, {sum(map(bool, known))} hold it.

    python -m tests.benchmarks.brackets --out runs/brackets.jsonl
    python -m tests.benchmarks.brackets --out runs/brackets.jsonl --report docs/brackets.md

Made on {machines}. Seconds are wall time with all compilation, but
without training; other work ran on the same cores (median load before a run {busy:.1f}), so they are upper limits, and
core s, the time that all cores together spent on a run, says more. The budget is in billions of operations, counted,
not timed: the same key and budget give the same bracket.

![Left: width against work; right: bits of the trained systems against their level]({picture})
"""


def _brackets(brackets: dict[str, list[Record]]) -> str:
    lines = [
        "## Brackets",
        "",
        "Bits. Width: high − low as a percentage of the middle. Decoder: the trained one's bits. Ceiling: the",
        "channel's capacity at the code's power, or with * the bound of maximum entropy, where it has none.",
        "",
    ]
    heads = ("truth", "lower", "upper", "[low, high]", "width %", "asked %", "truth inside", "decoder", "ceiling")
    lines += _header("case", *heads, "budget", "s", "asked s", "core s")
    for name, seeds in brackets.items():
        record = seeds[0]
        known = [inside(seed) for seed in seeds]
        held = "–" if known[0] is None else f"{sum(map(bool, known))} of {len(known)}"
        ceiling = f"{record['ceiling']:.2f}" if "ceiling" in record else f"{record['maximum_entropy']:.2f}*"
        cells = [
            _truth(record),
            f"{record['lower']:.3f}",
            f"{record['upper']:.3f}",
            f"[{record['low']:.3f}, {record['high']:.3f}]",
            _flagged(f"{width(record):.2f}", width(record) > record["asked_width"]),
            f"{record['asked_width']:g}",
            held,
            f"{record['decoder']:.2f}" if "decoder" in record else "–",
            ceiling,
            f"{record['budget']:,.0f}",
            _flagged(f"{record['seconds']:.0f}", record["seconds"] > record["asked_seconds"]),
            f"{record['asked_seconds']:g}",
            f"{record['core_seconds']:.0f}",
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    methods = [f"- {name}: {seeds[0]['method']}." for name, seeds in brackets.items()]
    fold = ["", "Bold: more than was asked.", "", "<details><summary>How each was found</summary>", "", *methods, ""]
    return "\n".join([*lines, *fold, "</details>", ""])


def _public(public: dict[str, list[Record]], brackets: dict[str, list[Record]]) -> str:
    lines = [
        "## Public methods on the same cases",
        "",
        f"Bits. The first three on {SAMPLES:,} samples, with the exact conditional density as critic: two of them",
        f"stop at log2 {SAMPLES:,} = {math.log2(SAMPLES):.0f} bits, and leave-one-out runs away above. Maximum",
        f"entropy: covariance of 65,536 samples or more; receiver and decoder: {DECODED:,} samples. Formulas and",
        "their sources are in `tests/benchmarks/brackets_public.py`. Where no truth is known, our bracket stands",
        f"in its place. Bold: on the wrong side of it by more than {WRONG_SIDE:.0%} and {NOISE} bits, which is more",
        "than the figures' own sampling noise.",
        "",
        *_header("case", "truth or bracket", *(title for title, _ in PUBLIC.values())),
    ]
    for name, seeds in public.items():
        record = seeds[0]
        bracket = brackets.get(name, [{}])[0]
        low, high = (record["truth"] if record["truth"] is not None else bracket.get(end) for end in ("low", "high"))
        shown = _truth(record) if record["truth"] is not None else "–" if low is None else f"[{low:.2f}, {high:.2f}]"
        cells = [_held(record[method], kind, low, high) for method, (_, kind) in PUBLIC.items()]
        lines.append(f"| {name} | {shown} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _truth(record: Record) -> str:
    if record["truth"] is None:
        return "–"
    stderr = f" ± {record['truth_stderr']:.3f}" if record["truth_stderr"] else ""
    return f"{record['truth']:.3f}{stderr}"


def _held(value: float | None, kind: str, low: float | None, high: float | None) -> str:
    """A figure; bold where it contradicts what is known."""
    if value is None:
        return "–"
    text = f"{value:,.2f}" if value < 1000 else f"{value:,.0f}"
    if low is None or high is None:
        return text
    beyond = (1 - WRONG_SIDE) * low - value if kind == "upper" else value - (1 + WRONG_SIDE) * high
    return _flagged(text, beyond > NOISE)


def _flagged(text: str, flag: bool) -> str:
    return f"**{text}**" if flag else text


def _header(first: str, *others: str) -> list[str]:
    return [f"| {' | '.join([first, *others])} |", f"| :-- |{' --: |' * len(others)}"]


def write(records: list[Record], path: Path) -> None:
    """Write the document to `path` and its figure beside it, as .png.

    Raises:
        ValueError: records of one part are missing.
    """
    picture = path.with_suffix(".png")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(markdown(records, picture.name))
    draw({name: seeds[0] for name, seeds in by_case(records, "bracket").items()}, picture)
