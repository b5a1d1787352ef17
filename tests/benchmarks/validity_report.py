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
ASKED = 0.95
WIDE = 0.05  # of the source's bits

HEAD = """# Validity

`[low, high]` should hold the truth for any network, also where a rare message or a rare event carries the bits. Here it
is put to the test: {count:,} random problems in {families} families, each with a truth that does not come from this
toolkit (float64 sums over all messages in NumPy, quadrature, closed forms, independent blocks), each measured once with
a key of its own. Misses are printed with their numbers, and can be run again by them.

    python -m tests.benchmarks.validity --out runs/validity.jsonl --jobs 2
    python -m tests.benchmarks.validity --out runs/validity.jsonl --report docs/validity.md

{held:,} of {count:,} problems are held; {refused} of them by a refusal that says what to do, where single precision
cannot hold the problem or no bracket exists. {nan} figures are NaN, {crashed} problems crashed. {judged} of the {large}
rows of at least {least} runs are held in 95 % or more.
A problem counts as held if every figure's 95 % interval reaches within two standard errors of its truth.

![Widths of the intervals by family, and where the truth lies within them](validity.png)

## Families

Held: problems, with the 95 % interval of that share (Clopper and Pearson 1934). Worst miss: in bits beyond the
interval, and as standard errors from the bound. Width: the median of high − low, in bits and as a share of the source's
bits.

"""

WIDE_WORDS = """## What is honestly wide, and why

An interval may be wide and right. The rows above whose median width is more than 5 % of the source's bits: {rows}.

- **Rare events** that no sample saw may cost up to the whole entropy of the source: the interval reaches for three in n
  (the rule of three), in both directions. More samples narrow it in proportion.
- **Rare messages** that hold most of the bits: with one message at 1 − ε, the source has few bits and the samples that
  tell of them are few; a width that is small in bits is then large as a share.
- **Brackets of small budgets** (1 to 20 billion operations here, a second or so) are wide where the posterior has many
  separate modes: parities, hashes and steps give chains no slope to follow. The default budget is 1,000.
- **Late layers** are bracketed with two sets of chains, over the message and over the noise inside, at 1 billion
  operations each.
- **Units far out**, told apart in single precision but only just: what float32 cannot tell is added to the interval.

"""


class Row(NamedTuple):
    """Problems of one family and method."""

    family: str
    method: str
    records: list[Record]

    @property
    def figures(self) -> list[Record]:
        """Of all problems that were measured."""
        return [figure for record in self.records for figure in record["figures"]]

    @property
    def held(self) -> int:
        """Problems held."""
        return sum(map(held, self.records))

    @property
    def refused(self) -> int:
        """Problems refused, and rightly."""
        return sum(record["outcome"] == "refused" for record in self.records)

    def share(self) -> float:
        """Median width as a share of the source's bits."""
        return _median(
            [f["width"] / r["source_bits"] for r in self.records for f in r["figures"] if f["width"] is not None]
        )


def rows_of(records: list[Record]) -> list[Row]:
    """By family in their order, then by method."""
    rows = []
    for name in FAMILIES:
        own = [record for record in records if record["family"] == name]
        for method in dict.fromkeys(sorted(record["method"] for record in own)):
            rows.append(Row(name, method, [record for record in own if record["method"] == method]))
    return rows


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
        low, high = binomial(row.held, len(row.records))
        missed = [figure for figure in row.figures if figure["off"]]
        worst = max(missed, key=lambda figure: figure["off"]) if missed else None
        errors = [figure["errors"] for figure in missed if figure["errors"] is not None]
        bits = f"{worst['off']:.4g}" if worst else "–"
        widths = [figure["width"] for figure in row.figures if figure["width"] is not None]
        lines.append(
            f"| {row.family} | {row.method} | {len(row.records)} | {row.held} | {100 * low:.1f} to {100 * high:.1f} % "
            f"| {row.refused} | {bits} | {_errors(errors, bool(missed))} | {_median(widths):.3g} "
            f"| {100 * row.share():.2g} |"
        )
    return "\n".join(lines)


def _errors(errors: list[float], missed: bool) -> str:
    if not missed:
        return "–"
    return f"{max(errors):.3g}" if errors else "no spread"


def _median(values: list[float]) -> float:
    return float(np.median(values)) if values else float("nan")


def markdown(records: list[Record]) -> str:
    """The page."""
    rows = rows_of(records)
    large = [row for row in rows if len(row.records) >= MIN_RUNS]
    figures = [figure for record in records for figure in record["figures"]]
    text = HEAD.format(
        count=len(records),
        families=len({record["family"] for record in records}),
        held=sum(map(held, records)),
        refused=sum(record["outcome"] == "refused" for record in records),
        nan=sum(figure["nan"] for figure in figures),
        crashed=sum(record["outcome"] == "crashed" for record in records),
        judged=sum(row.held >= ASKED * len(row.records) for row in large),
        large=len(large),
        least=MIN_RUNS,
    )
    text += table(rows) + "\n\n"
    about = [f"- **{name}**: {family.about}." for name, family in FAMILIES.items()]
    text += "\n".join(["Families:", "", *about]) + "\n\n"
    wide = [f"{row.family} by {row.method} ({100 * row.share():.2g} %)" for row in rows if row.share() > WIDE]
    text += WIDE_WORDS.format(rows=", ".join(wide) or "none")
    missed = [record for record in records if not held(record)]
    if missed:
        order = list(FAMILIES)
        missed.sort(key=lambda record: (order.index(record["family"]), record["number"]))
        text += "## Misses\n\n" + "\n".join(f"- {said(record)}" for record in missed) + "\n\n"
    core = sum(record["core_seconds"] for record in records)
    versions = ", ".join(sorted({record["jax"] for record in records}))
    text += f"{core:,.0f} seconds of a core in all, truths and compilation included; JAX {versions}.\n"
    return text


def write(records: list[Record], path: Path) -> None:
    """The page at `path` and its figure beside it, as .png.

    Raises:
        ValueError: without any records.
    """
    if not records:
        raise ValueError("Expected records of the study; got an empty file: run it without --report first.")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(markdown(records))
    draw(records, path.with_suffix(".png"))
