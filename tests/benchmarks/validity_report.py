"""The page of the study of validity: families against what was held, how far misses lie, and how wide intervals are."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.stats import beta

from tests.benchmarks.mi_tasks import Record
from tests.benchmarks.validity import held, said
from tests.benchmarks.validity_figure import draw
from tests.families import FAMILIES

MIN_RUNS = 40
CHOSEN = 48  # few problems from this number on were looked at while constants were chosen
ASKED = 0.95
WIDE = 0.05  # of the source's bits
FAR_OFF = 0.01  # of the source's bits

HEAD = """# Validity

`[low, high]` should hold the truth for any network, also where a rare message or a rare event carries the bits. Here it
is put to the test: {count:,} random problems in {families} families, each with a truth that does not come from this
toolkit (float64 sums over all messages in NumPy, quadrature, closed forms, independent blocks), each measured once with
a key of its own. Misses stand below with their numbers, by which they can be run again.

    python -m tests.benchmarks.validity --out runs/validity.jsonl --jobs 2
    python -m tests.benchmarks.validity --out runs/validity.jsonl --report docs/validity.md

{held:,} of {runs:,} runs are held; {refused} of them by a refusal that says what to do, where single precision cannot
hold the problem or no bracket exists. {nan} figures are NaN, {crashed} problems crashed, {far} misses are by more than
1 % of the source's bits. {judged} of the {large} families of at least {least} runs are held in 95 % or more.

Constants (from how many samples on, from how far out a code counts as an outlier) were chosen while looking at problems
of these families, most of them with numbers below {chosen}. Of the runs from there on {unseen_held:,} of {unseen:,} are
held.

A run is one interval at 95 %: of a table of posteriors each figure is one, of a stack all layers are, whose intervals
hold at once. It is held if it reaches within two standard errors of the truth.

![Widths of the intervals by family, and where the truth lies within them](validity.png)

## Families

Held: runs, with the 95 % interval of that share [@clopper1934use]. Worst miss: in bits beyond the interval, and in
standard errors from the bound. Width: the median of high − low, in bits and as a share of the source's bits.

"""

WIDE_WORDS = """## What is honestly wide, and why

An interval may be wide and right. Median widths of more than 5 % of the source's bits: {rows}.

- **Rare events** that no sample saw may cost up to the whole entropy of the source: the interval reaches for three in n
  (the rule of three), in both directions. More samples narrow it in proportion.
- **Rare messages** that hold most of the bits: with one message at 1 − ε, the source has few bits and the samples that
  tell of them are few; a width that is small in bits is then large as a share.
- **Brackets of small budgets** (1 to 20 billion operations here, a second or a few) are wide where the posterior has
  many separate modes, or the code no slope for chains to follow, as in a hash. The default budget is 1,000.
- **Late layers** are bracketed with two sets of chains, over the message and over the noise inside.
- **Units far out** that single precision tells apart only just: what it cannot tell is added to the interval.

"""


class Run(NamedTuple):
    """One interval, or the intervals of all layers of a stack, or none where it was refused or crashed."""

    record: Record
    figures: list[Record]
    held: bool


class Row(NamedTuple):
    """Runs of one family and method."""

    family: str
    method: str
    runs: list[Run]

    @property
    def figures(self) -> list[Record]:
        """Of all runs that gave some."""
        return [figure for run in self.runs for figure in run.figures]

    @property
    def held(self) -> int:
        """Runs held."""
        return sum(run.held for run in self.runs)

    @property
    def refused(self) -> int:
        """Runs refused, and rightly."""
        return sum(run.record["outcome"] == "refused" for run in self.runs)

    def share(self) -> float:
        """Median width as a share of the source's bits."""
        return _median([f["width"] / r.record["source_bits"] for r in self.runs for f in r.figures if not f["nan"]])


def runs_of(record: Record) -> list[tuple[str, Run]]:
    """Each with its method; the figures of a table of posteriors count one by one, as each is at 95 %."""
    method, figures = record["method"], record["figures"]
    if method != "latent" or not figures:
        return [(method, Run(record, figures, held(record)))]
    return [(f"latent: {f['figure'].split(',')[0]}", Run(record, [f], f["held"])) for f in figures]


def rows_of(records: list[Record]) -> list[Row]:
    """By family in their order, then by method."""
    rows: dict[tuple[str, str], list[Run]] = {}
    for name in FAMILIES:
        own = sorted((record for record in records if record["family"] == name), key=lambda record: record["method"])
        for method, run in (pair for record in own for pair in runs_of(record)):
            rows.setdefault((name, method), []).append(run)
    return [Row(family, method, runs) for (family, method), runs in rows.items()]


def binomial(successes: int, runs: int) -> tuple[float, float]:
    """The exact 95 % interval of a share (Clopper & Pearson 1934)."""
    low = float(beta.ppf(0.025, successes, runs - successes + 1)) if successes else 0.0
    high = float(beta.ppf(0.975, successes + 1, runs - successes)) if successes < runs else 1.0
    return low, high


def table(rows: list[Row]) -> str:
    """A line a family and method."""
    lines = [
        "| family | method | runs | held | 95 % | refused | worst miss, bits | errors | width, bits | width, % |",
        "| :-- | :-- | --: | --: | --: | --: | --: | --: | --: | --: |",
    ]
    for row in rows:
        low, high = binomial(row.held, len(row.runs))
        off = [figure["off"] for figure in row.figures if figure["off"]]
        errors = [figure["errors"] for figure in row.figures if figure["off"] and figure["errors"] is not None]
        widths = [figure["width"] for figure in row.figures if not figure["nan"]]
        lines.append(
            f"| {row.family} | {row.method} | {len(row.runs)} | {row.held} | {100 * low:.1f} to {100 * high:.1f} % "
            f"| {row.refused} | {_most(off)} | {_most(errors) if len(errors) == len(off) else 'no spread'} "
            f"| {_median(widths):.3g} | {100 * row.share():.2g} |"
        )
    return "\n".join(lines)


def _most(values: list[float]) -> str:
    return f"{max(values):.3g}" if values else "–"


def _median(values: list[float]) -> float:
    return float(np.median(values)) if values else float("nan")


def markdown(records: list[Record]) -> str:
    """The page."""
    rows = rows_of(records)
    by_family = {name: [run for row in rows if row.family == name for run in row.runs] for name in FAMILIES}
    large = {name: runs for name, runs in by_family.items() if len(runs) >= MIN_RUNS}
    figures = [(figure, record) for record in records for figure in record["figures"]]
    unseen = [run for row in rows for run in row.runs if run.record["number"] >= CHOSEN]
    text = HEAD.format(
        count=len(records),
        families=sum(bool(runs) for runs in by_family.values()),
        held=sum(row.held for row in rows),
        chosen=CHOSEN,
        unseen_held=sum(run.held for run in unseen),
        unseen=len(unseen),
        runs=sum(len(row.runs) for row in rows),
        refused=sum(row.refused for row in rows),
        nan=sum(figure["nan"] for figure, _ in figures),
        crashed=sum(record["outcome"] == "crashed" for record in records),
        far=sum((figure["off"] or 0) > FAR_OFF * record["source_bits"] for figure, record in figures),
        judged=sum(sum(run.held for run in runs) >= ASKED * len(runs) for runs in large.values()),
        large=len(large),
        least=MIN_RUNS,
    )
    about = [f"- **{name}**: {family.about}." for name, family in FAMILIES.items()]
    text += "\n".join([table(rows), "", *about]) + "\n\n"
    wide = [f"{row.family} by {row.method} ({100 * row.share():.2g} %)" for row in rows if row.share() > WIDE]
    text += WIDE_WORDS.format(rows=", ".join(wide) or "none")
    missed = [record for name in FAMILIES for record in records if record["family"] == name and not held(record)]
    if missed:
        missed.sort(key=lambda record: (list(FAMILIES).index(record["family"]), record["number"]))
        text += "\n".join(["## Misses", "", *(f"- {said(record)}" for record in missed)]) + "\n\n"
    core = sum(record["core_seconds"] for record in records)
    versions = ", ".join(sorted({record["jax"] for record in records}))
    return text + f"{core:,.0f} seconds of a core in all, truths and compilation included; JAX {versions}.\n"


def write(records: list[Record], path: Path) -> None:
    """The page at `path` and its figure beside it, as .png.

    Raises:
        ValueError: without any records.
    """
    if not records:
        raise ValueError("Expected records of the study; got none: run it without --report first.")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(markdown(records))
    draw(records, path.with_suffix(".png"))
