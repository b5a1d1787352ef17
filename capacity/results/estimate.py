"""Figures in bits: one estimate with its interval, and a bracket of two.

An `Estimate` carries its standard error, its 95 % interval, what kind of figure it is and the most that its method
could have reported.  A `Bracket` is a lower and an upper bound on the same bits, with the trace of how it narrowed.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from capacity.results.html import MAX_ROWS, html_table, number
from capacity.results.intervals import CONSERVATIVE_ERRORS, Z95, Numbers, less_explained, mean_and_ends
from capacity.runtime.pytrees import register_dataclass

Kind: TypeAlias = Literal["exact", "lower", "upper", "point"]
"""What an expectation is to the truth: itself, below it, above it, or nothing that is known."""
Numeric: TypeAlias = Any
"""A float, or an array of them when lanes are stacked: whoever reads one knows which."""
NATS_PER_BIT = 0.6931471805599453


@register_dataclass
@dataclass(frozen=True)
class Estimate:
    """A figure in bits with its 95 % interval.

    Attributes:
        bits: the estimate.
        stderr: its standard error, in bits; 0 where the figure is a closed form.
        low, high: the 95 % confidence interval, in bits.
        limit: the most that this method could have reported here, in bits (`inf` if nothing limits it).
        n: how many independent samples stand behind it.
        kind: `exact` (unbiased for the truth), `lower` or `upper` (a bound in expectation), or `point`.
        dropped: how many rows were left out before, because a value was missing in them.
    """

    bits: Numeric
    stderr: Numeric
    low: Numeric
    high: Numeric
    limit: Numeric
    n: Numeric
    kind: Kind = field(metadata={"static": True})
    dropped: Numeric = field(default=0, metadata={"static": True})

    @property
    def saturated(self) -> Numeric:
        """Whether the interval reaches the limit: the truth may then be larger than any figure shown."""
        return jnp.isfinite(self.limit) & (self.high >= self.limit)

    @classmethod
    def from_samples(
        cls,
        *,
        nats: jax.Array,
        kind: Kind,
        limit: Numbers = jnp.inf,
        controls: jax.Array | None = None,
        per_stratum: int | None = None,
    ) -> Estimate:
        """The mean of independent values, in nats, as an estimate in bits; traceable.

        The interval has arms of unequal length where the values are skewed, and reaches for events as far off as the
        most extreme of them that come less often than 3 times in n.

        Args:
            nats: shape (n,), independent and identically distributed.
            kind: what the expectation of the values is to the truth.
            limit: the most that the method could report, in bits.
            controls: shape (n, c), control variates, in nats: quantities whose expectation is exactly zero.  Their
                best combination, of weights drawn towards 0, is subtracted, which leaves the expectation as it is and
                takes away the variance that they explain (Owen 2013, section 8.9); each half of the values has the
                weights that the other half gives.
            per_stratum: how many in a row are of one stratum of a stratified sample, an even number, 4 or more; None:
                all are alike.

        Raises:
            ValueError: if the shapes do not agree.
        """
        if nats.ndim != 1 or nats.shape[0] < 2:
            raise ValueError(f"Expected at least two values of shape (n,); got shape {nats.shape}.")
        n, fitted = nats.shape[0], 0
        if controls is not None:
            if controls.ndim != 2 or controls.shape[0] != n:
                raise ValueError(f"Expected controls of shape ({n}, c); got {controls.shape}.")
            fitted = controls.shape[1]
            nats = less_explained(nats, controls, per_stratum)
        bits, stderr, low, high = (part / NATS_PER_BIT for part in mean_and_ends(nats, fitted, per_stratum))
        return cls(bits, stderr, low, high, jnp.asarray(limit), jnp.asarray(n), kind=kind)

    @classmethod
    def closed_form(cls, bits: float, n: int) -> Estimate:
        """A figure of n points that nothing is drawn for, in bits."""
        return cls(bits, 0.0, bits, bits, np.inf, n, kind="exact")

    @classmethod
    def from_normal(
        cls, *, bits: Numbers, stderr: Numbers, kind: Kind, n: Numbers = 0, limit: Numbers = jnp.inf
    ) -> Estimate:
        """An estimate with the normal 95 % interval around it; all in bits.

        Args:
            bits: the figure.
            stderr: its standard error.
            kind: what the figure is to the truth.
            n: how many independent samples stand behind it.
            limit: the most that the method could report.

        Examples:
            >>> e = Estimate.from_normal(bits=2.0, stderr=0.1, kind="lower", limit=2.1)
            >>> round(float(e.low), 3), round(float(e.high), 3), bool(e.saturated)
            (1.804, 2.196, True)
        """
        bits, stderr = jnp.asarray(bits), jnp.asarray(stderr)
        low, high = bits - Z95 * stderr, bits + Z95 * stderr
        return cls(bits, stderr, low, high, jnp.asarray(limit), jnp.asarray(n), kind=kind)

    @classmethod
    def from_nats(
        cls,
        *,
        nats: float,
        stderr: float,
        kind: Kind,
        n: int,
        limit: float = np.inf,
        low: float | None = None,
        high: float | None = None,
    ) -> Estimate:
        """An estimate in bits from figures in nats: float64 throughout; a normal 95 % interval unless one is given.

        Information is not negative: where an interval would end below 0, the method errs by more than it knows, and
        the interval is widened to reach 0.

        Args:
            nats: the figure.
            stderr: its standard error, nats.
            kind: what the figure is to the truth.
            n: how many independent samples stand behind it.
            limit: the most that the method could report, nats.
            low, high: the ends of its 95 % interval, nats.
        """
        low = nats - Z95 * stderr if low is None else low
        high = max(nats + Z95 * stderr if high is None else high, 0.0)
        bits, error, low_bits, high_bits, limit_bits = (
            float(value) / NATS_PER_BIT for value in (nats, stderr, low, high, limit)
        )
        return cls(bits, error, low_bits, high_bits, limit_bits, n, kind=kind)

    def __float__(self) -> float:
        return float(self.bits)

    def __format__(self, form: str) -> str:
        """As its bits where a form is asked for, `f"{estimate:.2f}"`."""
        return format(float(self.bits), form) if form else str(self)

    def widened_to(self, down: Numbers = 0.0, up: Numbers = 0.0) -> Estimate:
        """The same figure, its interval reaching at least so far below and above it, in bits."""
        low, high = jnp.minimum(self.low, self.bits - down), jnp.maximum(self.high, self.bits + up)
        return replace(self, low=low, high=high)

    def scaled_interval(self, factor: Numbers) -> Estimate:
        """The same figure, its interval so many times as wide either way."""
        low, high = (self.bits + factor * (end - self.bits) for end in (self.low, self.high))
        return replace(self, low=low, high=high)

    def conservative(self) -> Estimate:
        """A bracket's bound: its 95 % interval widened to `CONSERVATIVE_ERRORS` standard errors."""
        return self.scaled_interval(CONSERVATIVE_ERRORS / Z95)

    def _repr_html_(self) -> str:
        """One figure as a row; a stack of them as a row each, the first twenty."""
        columns = ["bits", "95 % interval", "kind", "most it could say", "n"]
        parts = [np.atleast_1d(np.asarray(part)) for part in (self.bits, self.low, self.high, self.limit, self.n)]
        flat = [part.ravel() for part in np.broadcast_arrays(*parts)]
        rows = [
            [number(bits), f"{number(low)} to {number(high)}", self.kind, number(limit, "no limit"), f"{int(n):,}"]
            for bits, low, high, limit, n in list(zip(*flat, strict=True))[:MAX_ROWS]
        ]
        notes = []
        if len(flat[0]) > MAX_ROWS:
            notes.append(f"the first {MAX_ROWS} of {len(flat[0])}")
        if bool(np.any(np.asarray(self.saturated))):
            notes.append("saturated: the truth may be larger")
        if self.dropped:
            notes.append(f"{self.dropped:,} rows with missing values were left out")
        return html_table("Estimate, bits", columns, rows, "; ".join(notes))


class TracePoint(NamedTuple):
    """What was known after so much work.

    Attributes:
        work: billions of operations spent so far.
        lower, upper: the two bounds, bits.
        low, high: the interval of both at 95 %, bits.
        stage: what was done for it.
    """

    work: float
    lower: float
    upper: float
    low: float
    high: float
    stage: str


@dataclass(frozen=True)
class Bracket:
    """A lower and an upper bound on the same bits; `low` and `high` hold both their uncertainties at 95 % or more.

    Attributes:
        lower, upper: the bounds, bits.
        method: how they were found, in words.
        trace: the bracket against the work, in order: each pilot, the last with more controls, the chains that count.
    """

    lower: Estimate
    upper: Estimate
    method: str
    trace: tuple[TracePoint, ...] = ()

    @property
    def low(self) -> Numeric:
        """Lower end of the lower bound's interval, in bits."""
        return self.lower.low

    @property
    def high(self) -> Numeric:
        """Upper end of the upper bound's interval, in bits."""
        return self.upper.high

    @property
    def width(self) -> Numeric:
        """high - low, in bits."""
        return self.high - self.low

    def _repr_html_(self) -> str:
        rows = [
            [name, number(bound.bits), f"{number(bound.low)} to {number(bound.high)}", bound.kind]
            for name, bound in (("below", self.lower), ("above", self.upper))
        ]
        title = f"{number(self.low)} to {number(self.high)} bits at 95 %"
        return html_table(title, ["bound", "bits", "95 % interval", "kind"], rows, self.method)
