"""Less Monte-Carlo noise in z: control variates, some of zero mean, others whose mean is learnt from cheap samples.

A bound's values v cost a chain each; how z came to lie where it does explains most of their spread and costs nothing.
With columns c computed for the n dear samples of a second phase and for N >> n cheap ones of a first,

    estimate = mean_n(v - (c - mean_N(c)) b)

has the same expectation whatever b is (Owen 2013, section 8.9, with a sampled mean as in two-phase regression
estimators, Cochran 1977, section 12.6), and the variances of the two parts add.  b comes from the other half of the
dear samples each time, so that it is independent of what it is applied to: no bias is left, however small n.  What the
error of b adds is s^2 d' (C'C)^-1 d for each half, d being the mean of its columns, C the other half's and s^2 what is
left of the variance: the same for all values of a half, so that their spread does not show it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, PyTree

from capacity.joint.joint import Joint
from capacity.results.estimate import NATS_PER_BIT, Estimate, Kind
from capacity.results.intervals import RARE_LOSS, Z95, rule_of_three
from capacity.runtime.devices import programs
from capacity.runtime.shapes import Units

Values: TypeAlias = Float[np.ndarray, " n"]
"""One number for each sample, nats."""
ControlFunction: TypeAlias = Callable[[PyTree, Units], jax.Array]
"""(message, z) of one sample -> a scalar, nats: a callable pytree that was fixed before the samples were drawn."""
SINGULAR_TOLERANCE = 1e-8  # of the largest singular value: what is smaller counts as a direction not spanned
CONTROL_BATCH = 128  # samples whose controls are computed at once: as many as there are chains in a batch


class Controls(NamedTuple):
    """Columns for the same samples, in nats.

    Attributes:
        zero: (n, a), of exactly zero mean.
        learnt: (n, c), of unknown mean.
    """

    zero: Float[np.ndarray, "n zero"]
    learnt: Float[np.ndarray, "n learnt"]


def controls_of(
    joint: Joint, functions: Sequence[ControlFunction], message: PyTree, code: PyTree, z: PyTree
) -> Controls:
    """Controls of n samples, learnt: what each function gives; and of zero mean, where there are any.

    These are the noise, -log p(z|m) less its known entropy; and what each function would lose if the noise were
    mirrored, z taken for 2 E[z|m] - z: normal noise is as likely the one way as the other (antithetic variates,
    Hammersley & Morton 1956).  They take away what is odd in the noise, from the means of the learnt ones too.

    Args:
        joint: that the samples are of.
        functions: whatever is cheap and moves as the values do, such as log q(m|z) of a decoder.
        message, code, z: of the samples, leaves (n, ...).
    """
    samples = jax.tree.map(np.asarray, (message, code, z))

    def block(start: int) -> tuple[np.ndarray, ...]:
        some = jax.tree.map(lambda a: a[start : start + CONTROL_BATCH], samples)
        return tuple(map(np.asarray, _columns(joint, tuple(functions), *some)))

    with programs() as pool:
        blocks = list(pool.map(block, range(0, len(z), CONTROL_BATCH)))
    return Controls(*map(np.concatenate, zip(*blocks, strict=True)))


@jax.jit
def _columns(
    joint: Joint, functions: tuple[ControlFunction, ...], message: PyTree, code: PyTree, z: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Of some samples at once: one program for any number of them, since compiling takes longer than many a call."""
    channel = joint.channel

    def columns(sample: tuple[PyTree, PyTree, jax.Array]) -> tuple[jax.Array, jax.Array]:
        message, code, z = sample
        learnt, zero = jnp.stack([function(message, z) for function in functions]), jnp.zeros(1)
        if channel.has_entropy:
            zero = -(channel.log_prob(z, code) + channel.entropy(code)).sum()[None]
        if channel.normal:
            mirrored = 2 * channel.moments(code)[0] - z
            lost = learnt - jnp.stack([function(message, mirrored) for function in functions])
            zero = jnp.concatenate([zero, lost])
        return zero, learnt

    return jax.vmap(columns)((message, code, z))


def controlled(
    values: Values, second: Controls, first: Controls, kind: Kind, limit: float = np.inf, loss: float = RARE_LOSS
) -> Estimate:
    """The expectation of the values, in bits, with a 95 % interval that holds the noise of both phases.

    Args:
        values: (n,), nats, of the second phase.
        second: controls of the same samples.
        first: controls of the first phase: other, independent samples.
        kind: what the expectation is to the truth.
        limit: the most that could have been reported, bits.
        loss: what an event that is not among the samples may take, bits.
    """
    reduced, slope, leverage = reduce(values, second, first)
    main = Estimate.from_samples(nats=jnp.asarray(reduced, jnp.float32), kind=kind, limit=limit)
    more = float(np.sqrt(1 + len(reduced) * leverage))
    main, error = replace(main, stderr=more * main.stderr).scaled_interval(more), error_of_means(slope, first)
    bits = reduced.mean() / NATS_PER_BIT
    low = bits - np.hypot(
        _down(main, limit, loss), max(Z95 * error, float(rule_of_three(limit - bits, len(first.learnt), loss)))
    )
    high = bits + np.hypot(float(main.high - main.bits), Z95 * error)
    bits, stderr, low, high = map(jnp.asarray, (bits, np.hypot(float(main.stderr), error), low, high))
    least = rounding(values, second.learnt)
    return replace(main, bits=bits, stderr=stderr, low=low, high=high).widened_to(least, least)


def error_of_means(slope: Float[np.ndarray, " columns"], first: Controls) -> float:
    """Standard error, in bits, of the means of the learnt controls times their coefficients, the last of the slope."""
    cheap = (first.learnt.astype(np.float64) - _residual_mean(first)) @ slope[first.zero.shape[1] :]
    cheap = cheap - first.zero @ _slope(cheap, first.zero.astype(np.float64))
    return float(cheap.std(ddof=first.zero.shape[1] + 1) / np.sqrt(len(cheap)) / NATS_PER_BIT)


def rounding(*nats: Float[np.ndarray, "n ..."]) -> float:
    """What single precision may hide in means of such figures, in bits, where controls leave hardly any noise.

    One unit in the last place of the largest of them: figures are rounded, and so is what they were computed from.
    """
    return float(np.finfo(np.float32).eps * max(np.abs(part).mean(0).max() for part in nats) / NATS_PER_BIT)


def _down(main: Estimate, limit: float, loss: float) -> float:
    """How far the second phase's interval reaches down, in bits."""
    return max(float(main.bits - main.low), float(rule_of_three(limit - main.bits, main.n, loss)))


def reduce(values: Values, second: Controls, first: Controls) -> tuple[Values, Float[np.ndarray, " columns"], float]:
    """The values less their controls, (n,) nats, each half with the other half's coefficients; the mean of these; and
    what their errors add to the variance of the mean, in units of a value's."""
    columns = np.concatenate([second.zero, second.learnt - _residual_mean(first)], axis=1).astype(np.float64)
    values, half = np.asarray(values, np.float64), np.arange(len(values)) % 2 == 0
    other, own = (_slope(values[part], columns[part]) for part in (~half, half))
    reduced = values - np.where(half, columns @ other, columns @ own)
    leverage = float(sum(_leverage(columns[part].mean(0), columns[~part]) * part.mean() ** 2 for part in (half, ~half)))
    return reduced, half.mean() * other + (~half).mean() * own, leverage


def _residual_mean(first: Controls) -> np.ndarray:
    """Means of the learnt columns, (c,), with the zero ones as controls of their own."""
    learnt, zero = first.learnt.astype(np.float64), first.zero.astype(np.float64)
    return np.array([column.mean() - zero.mean(0) @ _slope(column, zero) for column in learnt.T])


def _slope(values: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Least-squares coefficients; directions that the columns do not span get none."""
    centred = columns - columns.mean(0)
    coefficients: np.ndarray = np.linalg.lstsq(centred, values - values.mean(), rcond=SINGULAR_TOLERANCE)[0]
    return coefficients


def _leverage(at: np.ndarray, columns: np.ndarray) -> float:
    """Variance of `at` times the coefficients that are fitted on these columns, in units of a value's."""
    left = np.linalg.pinv((columns - columns.mean(0)).T, rcond=SINGULAR_TOLERANCE) @ at
    return float(left @ left)
