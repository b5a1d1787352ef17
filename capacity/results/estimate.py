"""The one result type: a figure in bits, what kind of figure it is, and how sure.

An `Estimate` from n independent values v_i has their mean, its standard error s/sqrt(n), and a normal 95 % interval
(central limit theorem) corrected for skewness (Hall 1992, J. R. Stat. Soc. B 54).
A `Bracket` is a lower and an upper bound on the same bits, with the trace of how it narrowed.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp

Kind = Literal["exact", "lower", "upper", "point"]
Figure = Any  # a float, or an array of them when lanes are stacked

NATS = 0.6931471805599453  # nats in one bit
RARE_LOSS = 5.0  # bits that one rare confusion costs in continuous noise; at 2, signs near their limit covered 81 %
ROUNDING = 1e-5  # a control that spreads less is a constant and the rounding of single precision
Z95 = 1.959963984540054  # standard normal quantile of a two-sided 95 % interval
# Standard errors that a bracket reaches either way.  95 % is promised; but of twenty such intervals one misses by
# design, and a bracket chooses between bounds.  With three, none of twenty misses 19 times of 20.
SURE = 3.0


@jax.tree_util.register_dataclass
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
    """

    bits: Figure
    stderr: Figure
    low: Figure
    high: Figure
    limit: Figure
    n: Figure
    kind: Kind = field(metadata={"static": True})

    @property
    def saturated(self) -> Figure:
        """Whether the interval reaches the limit: the truth may then be larger than any figure shown."""
        return jnp.isfinite(self.limit) & (self.high >= self.limit)

    def _repr_html_(self) -> str:
        from capacity.results.html import of_estimate

        return of_estimate(self)


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
        trace: the bracket against the work, in order: each pilot, the last with more controls, the walks that count.
    """

    lower: Estimate
    upper: Estimate
    method: str
    trace: tuple[TracePoint, ...] = ()

    @property
    def low(self) -> Figure:
        """Lower end of the lower bound's interval, in bits."""
        return self.lower.low

    @property
    def high(self) -> Figure:
        """Upper end of the upper bound's interval, in bits."""
        return self.upper.high

    @property
    def width(self) -> Figure:
        """high - low, in bits."""
        return self.high - self.low

    def _repr_html_(self) -> str:
        from capacity.results.html import of_bracket

        return of_bracket(self)


def from_values(nats: jax.Array, kind: Kind, limit: Figure = jnp.inf, controls: jax.Array | None = None) -> Estimate:
    """The mean of independent values, in nats, as an estimate in bits.

    Args:
        nats: shape (n,), independent and identically distributed.
        kind: what the expectation of the values is to the truth.
        limit: the most that the method could report, in bits.
        controls: shape (n, c), control variates: quantities whose expectation is exactly zero.  Their
            least-squares combination is subtracted, which leaves the expectation as it is (up to O(1/n) from
            fitting the coefficients) and takes away the variance that they explain (Owen 2013, section 8.9).

    Raises:
        ValueError: if the shapes do not agree.
    """
    if nats.ndim != 1 or nats.shape[0] < 2:
        raise ValueError(f"Expected at least two values of shape (n,); got shape {nats.shape}.")
    n, fitted = nats.shape[0], 1
    if controls is not None:
        if controls.ndim != 2 or controls.shape[0] != n:
            raise ValueError(f"Expected controls of shape ({n}, c); got {controls.shape}.")
        fitted += controls.shape[1]
        nats = less_explained(nats, controls)
    mean = nats.mean()
    spread = jnp.sqrt(((nats - mean) ** 2).sum() / max(n - fitted, 1))
    skewness = (((nats - mean) / jnp.maximum(spread, jnp.finfo(nats.dtype).tiny)) ** 3).mean()
    bits, stderr = mean / NATS, spread / n**0.5 / NATS
    low, high = (bits - stderr * _unskew(y, skewness / n**0.5) for y in (Z95, -Z95))
    return Estimate(bits, stderr, low, high, jnp.asarray(limit), jnp.asarray(n), kind=kind)


@jax.jit  # a loop outside of a compiled program would be compiled anew at every call
def less_explained(nats: jax.Array, controls: jax.Array) -> jax.Array:
    """The values (n,) less the least-squares combination of the controls (n, c), column after column (modified Gram &
    Schmidt).

    A column that the ones before it explain is left out.  No LAPACK: its batched calls, made by lanes on several CPU
    devices at once, were seen to wait for each other forever.
    """
    centred = controls - controls.mean(0, keepdims=True)
    told = jnp.sqrt(jnp.square(centred).mean(0)) > ROUNDING * (1 + jnp.abs(controls).max(0))
    centred, controls = (jnp.where(told[None], c, 0.0) for c in (centred, controls))
    size, columns = jnp.square(centred).sum(0), jnp.arange(controls.shape[1])

    def remove(k: jax.Array, held: tuple[jax.Array, jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array, jax.Array]:
        nats, controls, centred = held
        one, power = centred[:, k], jnp.square(centred[:, k]).sum()
        scale = jnp.where(power > ROUNDING * size[k], 1 / jnp.where(power > 0, power, 1.0), 0.0)
        share = jnp.where(columns > k, one @ centred * scale, 0.0)
        amount = one @ (nats - nats.mean()) * scale
        shared = controls[:, k]
        return nats - amount * shared, controls - jnp.outer(shared, share), centred - jnp.outer(one, share)

    return jax.lax.fori_loop(0, controls.shape[1], remove, (nats, controls, centred))[0]


def share(loss: Figure, n: Figure) -> Figure:
    """What events that are not among n samples take at most, in bits, at 95 %, if each takes `loss`: 3/n of it."""
    return 3 / n * loss


def reaching(found: Estimate, down: Figure = 0.0, up: Figure = 0.0) -> Estimate:
    """The estimate, its interval reaching at least so far below and above the figure, in bits."""
    low, high = jnp.minimum(found.low, found.bits - down), jnp.maximum(found.high, found.bits + up)
    return replace(found, low=low, high=high)


def stretched(found: Estimate, factor: float) -> Estimate:
    """The estimate, its interval so many times as wide either way."""
    low, high = (found.bits + factor * (end - found.bits) for end in (found.low, found.high))
    return replace(found, low=low, high=high)


def sure(bound: Estimate) -> Estimate:
    """A bracket's bound: its 95 % interval widened to `SURE` standard errors."""
    return stretched(bound, SURE / Z95)


def unseen(distance: Figure, n: Figure, loss: Figure) -> Figure:
    """What events too rare to be among n samples may take, in bits, from a figure at this distance of its limit.

    Where nearly every sample gives the limit, events that cost up to `loss` bits come once in many samples; with none
    seen, their share is below 3/n at 95 % (the rule of three, Hanley & Lippman-Hand 1983), and no variance shows it.
    """
    most = share(loss, n)
    return jnp.where(distance < 10 * most, most, 0.0)


def _unskew(y: float, a: jax.Array) -> jax.Array:
    """The inverse of Hall's (1992, equation 2.4) cubic that makes a Student ratio of skewed values normal.

    With a = skewness/sqrt(n) it is 3 (cbrt(1 + a (y - a/6)) - 1) / a, which tends to y; near 0 by its series.
    Losses of a good code are rare and large: without it, 95 % intervals at high signal-to-noise covered 92 %.
    """
    small = jnp.abs(a) < 1e-2
    safe = jnp.where(small, 1.0, a)
    return jnp.where(small, y - a / 6 - a * y**2 / 3, 3 * (jnp.cbrt(1 + safe * (y - safe / 6)) - 1) / safe)


def interval(bits: Figure, stderr: Figure, kind: Kind, limit: Figure = jnp.inf, n: Figure = 0) -> Estimate:
    """An estimate with the normal 95 % interval around it; all in bits.

    Examples:
        >>> e = interval(2.0, 0.1, "lower", limit=2.1)
        >>> round(float(e.low), 3), round(float(e.high), 3), bool(e.saturated)
        (1.804, 2.196, True)
    """
    bits, stderr = jnp.asarray(bits), jnp.asarray(stderr)
    return Estimate(
        bits,
        stderr,
        bits - Z95 * stderr,
        bits + Z95 * stderr,
        jnp.asarray(limit),
        jnp.asarray(n),
        kind=kind,
    )
