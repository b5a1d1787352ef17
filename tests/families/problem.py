"""A problem whose information is known: its truth, how the toolkit is asked, and where a refusal is right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import numpy as np

from capacity import Joint, measure

SINGLE = 2.0**-23  # relative spacing of float32
RESOLVED = 1e-3  # of the noise's standard deviation: a code spaced more coarsely in float32 may be refused


class Truth(NamedTuple):
    """A figure's name, its bits, and the standard error of these."""

    figure: str
    bits: float
    stderr: float = 0.0


class Interval(NamedTuple):
    """What the toolkit says, in bits: the interval, and the bounds inside it with their standard errors."""

    low: float
    high: float
    lower: float
    upper: float
    lower_error: float
    upper_error: float

    @classmethod
    def of(cls, lower: Any, upper: Any) -> Interval:
        """From two estimates, or the same one twice."""
        figures = (lower.low, upper.high, lower.bits, upper.bits, lower.stderr, upper.stderr)
        return cls(*(float(figure) for figure in figures))


@dataclass(frozen=True)
class Problem:
    """Something to measure.

    Attributes:
        words: what was drawn.
        method: "enumeration", "bracket", "latent" or "layers".
        source_bits: the source's entropy, of which misses and widths are shares; where that is infinite, the truth.
        truths: what the figures should be.
        ask: gives the toolkit's intervals for a key, in the order of the truths.
        refusable: why a refusal would be right; empty where figures are due.
    """

    words: str
    method: str
    source_bits: float
    truths: tuple[Truth, ...]
    ask: Callable[[jax.Array], list[Interval]]
    refusable: str = ""


@dataclass(frozen=True)
class Family:
    """Problems of one kind.

    Attributes:
        name: as in the table.
        count: how many problems belong to the study.
        problem: from a generator, seeded by family and number, and the number.
        about: one sentence for the table of families.
    """

    name: str
    count: int
    problem: Callable[[np.random.Generator, int], Problem]
    about: str


def of_joint(
    words: str,
    joint: Joint,
    truth: tuple[float, float],
    method: str = "enumeration",
    budget_gflop: float = 1.0,
    refusable: str = "",
) -> Problem:
    """The information of a joint, by `measure`.

    Args:
        words: what was drawn.
        joint: source, encoder and channel.
        truth: bits and their standard error.
        method: of `measure`.
        budget_gflop: of a bracket.
        refusable: why a refusal would be right.
    """

    def ask(key: jax.Array) -> list[Interval]:
        found = measure(key, joint, method=method, budget_gflop=budget_gflop)
        return [Interval.of(found.lower, found.upper)]

    bits = joint.source.bits if np.isfinite(joint.source.bits) else truth[0]
    if method == "bracket":
        words += f", budget {budget_gflop:.3g}"
    return Problem(words, method, float(bits), (Truth("information", *truth),), ask, refusable)


def same(x: jax.Array) -> jax.Array:
    """The vector as its own code."""
    return x


def linear(weights: jax.Array, x: jax.Array) -> jax.Array:
    """The code W x."""
    return jax.numpy.matmul(weights, x, precision="highest")


def single(values: np.ndarray | float) -> np.ndarray:
    """Rounded to float32, as a network has them."""
    return np.asarray(values, np.float32)


def double(values: Any) -> np.ndarray:
    """What float32 holds, in float64."""
    return np.asarray(np.asarray(values, np.float32), np.float64)


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """A number between these, even in its logarithm."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def distinct(rng: np.random.Generator, rows: np.ndarray) -> np.ndarray:
    """Rows in float32, those that repeat others moved by a few per cent until none does."""
    rows = single(rows)
    while True:
        _, first = np.unique(rows, axis=0, return_index=True)
        again = np.setdiff1d(np.arange(len(rows)), first)
        if not len(again):
            return rows
        rows[again] *= single(1 + 0.05 * rng.normal(size=rows[again].shape))


def coarse(codes: np.ndarray, noise: float | np.ndarray) -> str:
    """Why a refusal is right: float32 does not resolve the noise around these codes (messages, units); else empty."""
    spacing = float((np.abs(np.asarray(codes, np.float64)) * SINGLE / noise).max())
    return f"float32 resolves {spacing:.2g} noise stds" if spacing > RESOLVED else ""
