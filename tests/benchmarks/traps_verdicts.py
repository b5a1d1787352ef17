"""What a record of a run on a trap is worth, and runs summed up."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

Record = dict[str, Any]
TENTH, NEAR = 0.1, 0.05  # of the truth, and bits: the larger counts
FAR = 0.25  # of the truth
USEFUL, NARROW = 0.5, 0.3  # of the truth, and bits: the larger counts
LEAST = 0.05  # bits from which an error is set in relation to the truth
TRUTH_ERRORS = 2.0  # standard errors of a truth by Monte Carlo that are let pass
FAULTS = ("refused", "over_time", "crashed")


def answered(record: Record) -> bool:
    """Whether there is a figure in bits."""
    return record.get("bits") is not None or record.get("low") is not None


def bound(record: Record) -> bool:
    """Whether the figure is called a lower bound, or saturated."""
    return record.get("kind") == "lower" or bool(record.get("saturated"))


def error(record: Record) -> float:
    """Bits less the truth; infinite where the figure is."""
    bits = record.get("bits")
    return math.inf if bits is None else float(bits) - record["truth"]


def held(record: Record) -> bool | None:
    """Whether what was said is true: the interval, or the lower end where that is all that is claimed.

    None where there is no interval, or no figure.
    """
    if not answered(record) or ("low" not in record and "high" not in record):
        return None
    slack = TRUTH_ERRORS * record["truth_error"]
    low, high = (
        record[end] if record.get(end) is not None else other for end, other in (("low", -math.inf), ("high", math.inf))
    )
    below = low <= record["truth"] + slack
    return below and (record["upper_only"] or bound(record) or record["truth"] - slack <= high)


def close(record: Record) -> bool | None:
    """Whether it is within a tenth of the truth or .05 bits; None where there is no figure or only a bound is known."""
    if not answered(record) or record["upper_only"]:
        return None
    return abs(error(record)) <= max(TENTH * record["truth"], NEAR) + TRUTH_ERRORS * record["truth_error"]


def honest(record: Record) -> bool | None:
    """Whether the figure is close, or is called a bound or saturated and is one."""
    near = close(record)
    return near if near is None else near or (bound(record) and bool(held(record)))


def too_wide(record: Record) -> bool:
    """Whether an interval tells little, wider than half of the truth and .3 bits, of a figure not called a bound."""
    if held(record) is None or bound(record) or record["upper_only"]:
        return False
    return width(record) > max(USEFUL * record["truth"], NARROW)


def width(record: Record) -> float:
    """High less low; infinite where an end is open."""
    ends = record.get("low"), record.get("high")
    return math.inf if ends[0] is None or ends[1] is None else float(ends[1] - ends[0])


def wrong(record: Record) -> bool:
    """Whether a plain figure is off by more than a quarter, and its interval misses the truth too."""
    off = abs(error(record)) > max(FAR * record["truth"], NEAR)
    return answered(record) and not record["upper_only"] and not bound(record) and off and held(record) is not True


@dataclass(frozen=True)
class Tally:
    """Runs summed up: counts, medians of what there is (NaN where nothing is).

    Attributes:
        runs: how many, faults among them.
        answers: with a figure.
        intervals: with an interval, of which `held` are true.
        judged: with a figure and a known truth, of which `close` are within a tenth and `honest` close or true bounds.
        wrong: plain figures off by a quarter outside their intervals.
        too_wide: plain figures whose interval tells little.
        faults: refused, over time, crashed.
        relative: median |bits / truth - 1| where the truth is at least .05 bits.
        width: median of high less low, bits.
        seconds, slowest: median and largest, of processor time.
    """

    runs: int
    answers: int
    intervals: int
    held: int
    judged: int
    close: int
    honest: int
    wrong: int
    too_wide: int
    faults: tuple[int, int, int]
    relative: float
    width: float
    seconds: float
    slowest: float


def tally(records: Iterable[Record]) -> Tally:
    """Sum up runs of one method."""
    records = list(records)
    answers = [record for record in records if answered(record)]
    states = [held(record) for record in answers if held(record) is not None]
    judged = [record for record in answers if close(record) is not None]
    ratios = [abs(error(record)) / record["truth"] for record in judged if record["truth"] >= LEAST]
    widths = [width(record) for record in answers if "low" in record]
    seconds = [record.get("cpu_seconds", record["seconds"]) for record in records]
    return Tally(
        runs=len(records),
        answers=len(answers),
        intervals=len(states),
        held=sum(states),
        judged=len(judged),
        close=sum(bool(close(record)) for record in judged),
        honest=sum(bool(honest(record)) for record in judged),
        wrong=sum(wrong(record) for record in answers),
        too_wide=sum(too_wide(record) for record in answers),
        faults=tuple(sum(fault in record for record in records) for fault in FAULTS),
        relative=_median(ratios),
        width=_median(widths),
        seconds=_median(seconds),
        slowest=max(seconds, default=math.nan),
    )


def _median(values: list[float]) -> float:
    return float(np.median(values)) if values else math.nan
