"""Tables of Markdown for the page of the traps: groups, numbers and tallies in words."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from tests.benchmarks.traps_verdicts import Tally

Record = dict[str, Any]


def grouped(records: Iterable[Record], key: Callable[[Record], Any]) -> dict[Any, list[Record]]:
    """Records by a key, in the order in which keys come."""
    groups: dict[Any, list[Record]] = defaultdict(list)
    for record in records:
        groups[key(record)].append(record)
    return dict(groups)


def listed(values: Iterable[int]) -> str:
    """Numbers in order, with commas."""
    return ", ".join(f"{value:,}" for value in sorted(values))


TALLY_HEAD = ["runs", "holds", "close", "honest", "wrong", "too wide", "median error", "median width, bits", "refused"]
TALLY_HEAD += ["over time", "crashed", "median processor s", "slowest"]


def cells(found: Tally) -> list[str]:
    """A tally under `TALLY_HEAD`."""
    counts = [
        share(found.held, found.intervals),
        share(found.close, found.judged),
        share(found.honest, found.judged),
    ]
    spread = [f"{100 * found.relative:.1f} %" if found.relative == found.relative else "–", number(found.width)]
    ends = [*map(str, found.faults), number(found.seconds), number(found.slowest)]
    return [str(found.runs), *counts, str(found.wrong), str(found.too_wide), *spread, *ends]


def share(part: int, whole: int) -> str:
    """A count as a share of a whole."""
    return f"{100 * part / whole:.0f} % of {whole}" if whole else "–"


def number(value: float) -> str:
    """Seconds or bits to two or three digits."""
    return "–" if math.isnan(value) else "∞" if math.isinf(value) else f"{value:.2f}" if value < 10 else f"{value:.0f}"


def in_bits(value: float | None) -> str:
    """Bits to three decimals."""
    return "–" if value is None else f"{round(value, 3) + 0.0:.3f}"


def as_table(head: list[str], rows: Iterable[list[str]]) -> str:
    """A table of Markdown."""
    lines = [f"| {' | '.join(head)} |", f"| :-- |{' --: |' * (len(head) - 1)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows), ""])
