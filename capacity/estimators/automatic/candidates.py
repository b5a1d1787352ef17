"""What was tried, what is believed so far, and how two figures are compared."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from capacity.results.estimate import Estimate
from capacity.runtime.deprecated import old_attribute

NARROW = 0.3  # bits: an interval no wider than this is of use, whatever the figure
BEYOND_CHANCE = 2.0  # standard errors


@dataclass(frozen=True)
class Candidate:
    """A method that was tried.

    Attributes:
        name: the method.
        estimate: from all pairs; None for models that were not chosen.
        held_out_bound: lower bound in bits on held-out pairs; None for methods that fit nothing.
        held_out_stderr: its standard error, bits.
    """

    name: str
    estimate: Estimate | None
    held_out_bound: float | None = None
    held_out_stderr: float | None = None

    evidence = old_attribute("evidence", "held_out_bound")
    evidence_stderr = old_attribute("evidence_stderr", "held_out_stderr")


@dataclass(frozen=True)
class Weighed:
    """The figure that was believed, whose it is, why, and all that was tried."""

    method: str
    estimate: Estimate
    why: str
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True)
class Held:
    """A figure that is believed so far, whose it is, and why.

    Attributes:
        settles: whether its interval is of a law that the data do not contradict.
        confirmed: whether neighbours bear that law out.
    """

    name: str
    estimate: Estimate
    why: str
    settles: bool = True
    confirmed: bool = False

    def less_sure(self, words: str) -> Held:
        """The same figure as a lower bound, and why."""
        if self.estimate.kind != "point":
            return self
        return replace(self, estimate=replace(self.estimate, kind="lower"), why=self.why + words, settles=False)


def opened(estimate: Estimate) -> tuple[Estimate, str]:
    """The estimate; where its interval is wider than it, open up to its limit, and that it is so."""
    width = float(estimate.high - estimate.low)
    if estimate.kind != "point" or width <= max(float(estimate.bits), NARROW) or bool(estimate.saturated):
        return estimate, ""
    limit = estimate.limit if np.isfinite(estimate.limit) else np.log2(max(float(estimate.n), 2.0))
    return (
        replace(estimate, limit=limit, high=max(float(estimate.high), float(limit))),
        " These pairs do not resolve it: the interval is wider than the figure, and its upper end is left open.",
    )


def excess(one: Estimate, other: Estimate) -> float:
    """How much more one figure says than another, in standard errors."""
    return float(one.bits - other.bits) / max(float(np.hypot(one.stderr, other.stderr)), 1e-12)


def said(name: str, more: float, than: str, beyond: float) -> str:
    """What a check from outside says, as a sentence.

    Args:
        name: the check.
        more: how much more it finds, in standard errors.
        than: what it is held against.
        beyond: from how many standard errors on it is taken.
    """
    if more > beyond:
        return f" {name} finds {more:.1f} standard errors more than {than}, which misses it: taken."
    return f" {name} agrees." if more >= -beyond else f" {name} finds less."
