"""Records of runs on pairs of known information as a Markdown document and a figure."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from synthetic.pairs import EXTRA_TASKS, PUBLIC_TASKS
from tests.benchmarks.mi_figure import draw

Record = dict[str, Any]
NATS = math.log(2.0)
GROUPS = ("1-d", "low-d Gaussian-like", "25/50-d", "Student", "asinh-Student", "spiral", "others")


def group(task: str) -> str:
    """The group of a task, as the public results are summed up; "others" for what is not among the 40."""
    pair = PUBLIC_TASKS.get(task)
    if pair is None:
        return "others"
    for start, name in (("spiral", "spiral"), ("student", "Student"), ("asinh", "asinh-Student")):
        if task.startswith(start):
            return name
    return "1-d" if pair.dim_y == 1 else "25/50-d" if pair.dim_y >= 25 else "low-d Gaussian-like"


@dataclass(frozen=True)
class Cell:
    """One estimator on one task, over its seeds; nats but for `seconds` (median) and the counts."""

    truth: float
    estimate: float
    error: float
    covered: int
    held: int
    saturated: int
    refused: int
    runs: int
    kind: str
    seconds: float

    @property
    def close(self) -> bool:
        """Whether the mean absolute error is within 10 % of the truth; never where the truth is 0."""
        return self.error < 0.1 * self.truth


def cell(records: list[Record]) -> Cell:
    """Sum up the runs of one estimator on one task; a refusal has no error and covers nothing."""
    ran = [record for record in records if "refused" not in record]
    truth = records[0]["truth"]
    bits = np.array([_figure(record["bits"], math.inf) for record in ran])
    low = np.array([_figure(record["low"], -math.inf) for record in ran])
    high = np.array([_figure(record["high"], math.inf) for record in ran])
    kinds = {record["kind"] for record in ran}
    return Cell(
        truth=truth * NATS,
        estimate=float(bits.mean()) * NATS if ran else math.nan,
        error=float(np.abs(bits - truth).mean()) * NATS if ran else math.nan,
        covered=int(((low <= truth) & (truth <= high)).sum()),
        held=sum(_holds(record["kind"], a, b, truth) for record, a, b in zip(ran, low, high, strict=True)),
        saturated=sum(record["saturated"] for record in ran),
        refused=len(records) - len(ran),
        runs=len(records),
        kind="/".join(sorted(kinds)),
        seconds=float(np.median([record["seconds"] for record in records])),
    )


def _figure(value: float | None, missing: float) -> float:
    return missing if value is None else value


def _holds(kind: str, low: float, high: float, truth: float) -> bool:
    """Whether what was said is true: a lower bound may be as low as it likes, an upper bound as high."""
    return (low <= truth or kind == "upper") and (truth <= high or kind == "lower")


def cells(records: Iterable[Record]) -> dict[str, dict[str, Cell]]:
    """By estimator (in the records' order) and task (in the tasks' order).

    Raises:
        ValueError: no records, or records of different sample sizes or treatments.
    """
    records = list(records)
    settings = Counter((record["n"], record["rescaled"]) for record in records)
    if len(settings) != 1:
        raise ValueError(f"Expected records of one sample size, all rescaled or none; got {dict(settings)}.")
    runs: dict[str, dict[str, list[Record]]] = defaultdict(lambda: defaultdict(list))
    for record in records:
        runs[record["estimator"]][record["task"]].append(record)
    tasks = PUBLIC_TASKS | EXTRA_TASKS
    return {name: {task: cell(by[task]) for task in tasks if task in by} for name, by in runs.items()}


def markdown(records: list[Record], picture: str) -> str:
    """The document: summary, groups, tasks, and every figure."""
    table = cells(records)
    names = sorted(table, key=lambda name: _order(table[name]))
    table = {name: table[name] for name in names}
    parts = [_opening(records, picture), _summary(table), _groups(table), _tasks(table)]
    return "\n".join([*parts, *(_details(name, column) for name, column in table.items())])


def _order(column: dict[str, Cell]) -> float:
    error = _error(_public(column))
    return math.inf if math.isnan(error) else error


def _opening(records: list[Record], picture: str) -> str:
    first, runs = records[0], len(records)
    machines = sorted({f"{record['backend']}, {record['cores']} cores" for record in records})
    treatment = "rescaled first to unit standard deviation per column" if first["rescaled"] else "as they come"
    return f"""# Mutual information from samples: every estimator on pairs of known information

{runs} runs at N = {first["n"]:,} samples, {treatment}; seconds, with all compilation, on {"; ".join(machines)}.
The 40 tasks and their exact information are those of "Beyond Normal" (Czyż et al., NeurIPS 2023); "others" are tasks
that are not among them. An error is the mean over seeds of |estimate − truth|; within 10 % means that it is less than a
tenth of the truth. An interval covers when the truth is in it; a statement holds when the interval covers or, for a
bound, lies on its own side of the truth. Written by `python -m tests.benchmarks.mi_tasks --report`.

![Error by task and estimator]({picture})
"""


def _summary(table: dict[str, dict[str, Cell]]) -> str:
    lines = ["## Over the 40 tasks", ""]
    lines += _header("estimator", "kind", "tasks", "error, nats", "error, bits", "within 10 %")
    lines[-2] += " interval covers | statement holds | saturated | refused | median s | slowest s |"
    lines[-1] += " --: | --: | --: | --: | --: | --: |"
    for name, column in table.items():
        chosen = _public(column)
        runs = sum(c.runs for c in chosen)
        kind = "/".join(sorted({c.kind for c in chosen if c.kind}))
        error, close = _error(chosen), sum(c.close for c in chosen)
        counts = [sum(getattr(c, part) for c in chosen) for part in ("covered", "held", "saturated", "refused")]
        seconds = [c.seconds for c in chosen] or [math.nan]
        lines.append(
            f"| {name} | {kind} | {len(chosen)} | {error:.3f} | {error / NATS:.3f} | {close} "
            + "".join(f"| {count} of {runs} " for count in counts)
            + f"| {np.median(seconds):.1f} | {max(seconds):.1f} |"
        )
    return "\n".join([*lines, ""])


def _groups(table: dict[str, dict[str, Cell]]) -> str:
    """Mean error in nats by group, the least of each in bold."""
    means = {
        name: [_error([c for task, c in column.items() if group(task) == g]) for g in GROUPS]
        for name, column in table.items()
    }
    least = [
        min((row[i] for row in means.values() if not math.isnan(row[i])), default=math.nan) for i in range(len(GROUPS))
    ]
    lines = ["## Mean error by group, nats", "", *_header("estimator", *GROUPS)]
    for name, row in means.items():
        shown = (_shown(value, value == best) for value, best in zip(row, least, strict=True))
        lines.append(f"| {name} | {' | '.join(shown)} |")
    return "\n".join([*lines, ""])


def _tasks(table: dict[str, dict[str, Cell]]) -> str:
    lines = ["## Estimates by task, nats", "", "Bold: within 10 % of the truth.", "", *_header("task", "truth", *table)]
    for task in PUBLIC_TASKS | EXTRA_TASKS:
        row = [column.get(task) for column in table.values()]
        known = [c for c in row if c is not None]
        if known:
            shown = ("–" if c is None else _shown(c.estimate, c.close) for c in row)
            lines.append(f"| {task} | {known[0].truth:.3f} | {' | '.join(shown)} |")
    return "\n".join([*lines, ""])


def _details(name: str, column: dict[str, Cell]) -> str:
    lines = [f"<details><summary>{name}: every figure</summary>", ""]
    lines += _header("task", "truth, nats", "estimate, nats", "truth, bits", "estimate, bits", "error, nats")
    lines[-2] += " within 10 % | interval covers | s |"
    lines[-1] += " --: | --: | --: |"
    for task, c in column.items():
        figures = f"{c.truth:.4f} | {_shown(c.estimate)} | {c.truth / NATS:.4f} | {_shown(c.estimate / NATS)}"
        close = "yes" if c.close else "no"
        lines.append(f"| {task} | {figures} | {_shown(c.error)} | {close} | {c.covered}/{c.runs} | {c.seconds:.1f} |")
    return "\n".join([*lines, "", "</details>", ""])


def _header(first: str, *others: str) -> list[str]:
    return [f"| {' | '.join([first, *others])} |", f"| :-- |{' --: |' * len(others)}"]


def _shown(value: float, bold: bool = False) -> str:
    text = "–" if math.isnan(value) else f"{value:.3f}"
    return f"**{text}**" if bold else text


def _public(column: dict[str, Cell]) -> list[Cell]:
    return [c for task, c in column.items() if task in PUBLIC_TASKS]


def _error(chosen: list[Cell]) -> float:
    """Mean over tasks of the mean absolute error, nats, refusals left out (they are counted beside it)."""
    errors = [c.error for c in chosen if not math.isnan(c.error)]
    return float(np.mean(errors)) if errors else math.nan


def write(records: list[Record], path: Path) -> None:
    """Write the document to `path` and its figure beside it, as .png.

    Raises:
        ValueError: no records, or records that do not belong together.
    """
    table = cells(records)
    picture = path.with_suffix(".png")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(markdown(records, picture.name))
    errors = {
        name: {task: (c.estimate - c.truth, c.truth, group(task)) for task, c in column.items()}
        for name, column in table.items()
    }
    draw(errors, picture)
