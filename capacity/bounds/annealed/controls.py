"""Less Monte-Carlo noise in z: control variates, some of zero mean, others whose mean is learnt from cheap samples.

A bound's values v cost a walk each; how z came to lie where it does explains most of their spread and costs nothing.
With columns c computed for the n dear samples and for N >> n cheap ones,

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
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial

from capacity.bounds.annealed.chains import Walks
from capacity.bounds.variational.marginal import Normal, fit_normal
from capacity.joint.joint import Joint
from capacity.results.estimate import NATS_PER_BIT, Z95, Estimate, Kind
from capacity.results.intervals import RARE_LOSS, rule_of_three
from capacity.runtime.devices import programs

Floats = np.ndarray
Teller: TypeAlias = Callable[[Any, jax.Array], jax.Array]
SMALLEST = 1e-8  # of the largest singular value: what is smaller counts as a direction not spanned
TOGETHER = 128  # samples whose controls are computed at once: as many as walk together


class Controls(NamedTuple):
    """Columns for the same samples, in nats: `zero` (n, a) of exactly zero mean, `learnt` (n, c) of unknown mean."""

    zero: Floats
    learnt: Floats


def controls_of(joint: Joint, tellers: Sequence[Teller], message: Any, code: Any, z: jax.Array) -> Controls:
    """Controls of n samples, learnt: what each teller says; and of zero mean, where there are any.

    These are the noise, -log p(z|m) less its known entropy; and what each teller would lose if the noise were
    mirrored, z taken for 2 E[z|m] - z: normal noise is as likely the one way as the other (antithetic variates,
    Hammersley & Morton 1956).  They take away what is odd in the noise, from the means of the learnt ones too.

    Args:
        tellers: callable pytrees, `(message, z) -> nats` of one sample, fixed before; whatever is cheap and moves as
            the values do, such as log q(m|z) of a decoder.
        message, code, z: of the samples, leaves (n, ...).
    """
    samples = jax.tree.map(np.asarray, (message, code, z))

    def block(start: int) -> tuple[Floats, ...]:
        some = jax.tree.map(lambda a: a[start : start + TOGETHER], samples)
        return tuple(map(np.asarray, _columns(joint, tuple(tellers), *some)))

    with programs() as pool:
        blocks = list(pool.map(block, range(0, len(z), TOGETHER)))
    return Controls(*map(np.concatenate, zip(*blocks, strict=True)))


@jax.jit
def _columns(
    joint: Joint, tellers: tuple[Teller, ...], message: Any, code: Any, z: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Of some samples at once: one program for any number of them, since compiling takes longer than many a call."""
    channel = joint.channel

    def columns(sample: tuple[Any, Any, jax.Array]) -> tuple[jax.Array, jax.Array]:
        message, code, z = sample
        told, zero = jnp.stack([tell(message, z) for tell in tellers]), jnp.zeros(1)
        if channel.has_entropy:
            zero = -(channel.log_prob(z, code) + channel.entropy(code)).sum()[None]
        if channel.normal:
            mirrored = 2 * channel.moments(code)[0] - z
            zero = jnp.concatenate([zero, told - jnp.stack([tell(message, mirrored) for tell in tellers])])
        return zero, told

    return jax.vmap(columns)((message, code, z))


def controlled(
    values: Floats, near: Controls, far: Controls, kind: Kind, limit: float = np.inf, loss: float = RARE_LOSS
) -> Estimate:
    """The expectation of the values, in bits, with a 95 % interval that holds both samples' noise.

    Args:
        values: (n,), nats, of the dear samples.
        near: controls of the dear samples.
        far: controls of other, independent samples.
        kind: what the expectation is to the truth.
        limit: the most that could have been reported, bits.
        loss: what an event that is not among the samples may take, bits.
    """
    reduced, slope, leverage = reduce(values, near, far)
    main = Estimate.from_samples(nats=jnp.asarray(reduced, jnp.float32), kind=kind, limit=limit)
    more = float(np.sqrt(1 + len(reduced) * leverage))
    main, error = replace(main, stderr=more * main.stderr).scaled_interval(more), error_of_means(slope, far)
    bits = reduced.mean() / NATS_PER_BIT
    low = bits - np.hypot(
        _down(main, limit, loss), max(Z95 * error, float(rule_of_three(limit - bits, len(far.learnt), loss)))
    )
    high = bits + np.hypot(float(main.high - main.bits), Z95 * error)
    bits, stderr, low, high = map(jnp.asarray, (bits, np.hypot(float(main.stderr), error), low, high))
    least = rounding(values, near.learnt)
    return replace(main, bits=bits, stderr=stderr, low=low, high=high).widened_to(least, least)


def error_of_means(slope: Floats, far: Controls) -> float:
    """Standard error, in bits, of the means of the learnt controls times their coefficients, the last of the slope."""
    cheap = (far.learnt.astype(np.float64) - _residual_mean(far)) @ slope[far.zero.shape[1] :]
    cheap = cheap - far.zero @ _slope(cheap, far.zero.astype(np.float64))
    return float(cheap.std(ddof=far.zero.shape[1] + 1) / np.sqrt(len(cheap)) / NATS_PER_BIT)


def rounding(*nats: Floats) -> float:
    """What single precision may hide in means of such figures, in bits, where controls leave hardly any noise.

    One unit in the last place of the largest of them: figures are rounded, and so is what they were computed from.
    """
    return float(np.finfo(np.float32).eps * max(np.abs(part).mean(0).max() for part in nats) / NATS_PER_BIT)


def _down(main: Estimate, limit: float, loss: float) -> float:
    """How far the near sample's interval reaches down, in bits."""
    return max(float(main.bits - main.low), float(rule_of_three(limit - main.bits, main.n, loss)))


def reduce(values: Floats, near: Controls, far: Controls) -> tuple[Floats, Floats, float]:
    """The values less their controls, (n,) nats, each half with the other half's coefficients; the mean of these; and
    what their errors add to the variance of the mean, in units of a value's."""
    columns = np.concatenate([near.zero, near.learnt - _residual_mean(far)], axis=1).astype(np.float64)
    values, half = np.asarray(values, np.float64), np.arange(len(values)) % 2 == 0
    other, own = (_slope(values[part], columns[part]) for part in (~half, half))
    reduced = values - np.where(half, columns @ other, columns @ own)
    leverage = sum(_leverage(columns[part].mean(0), columns[~part]) * part.mean() ** 2 for part in (half, ~half))
    return reduced, half.mean() * other + (~half).mean() * own, leverage


def _residual_mean(far: Controls) -> Floats:
    """Means of the learnt columns, (c,), with the zero ones as controls of their own."""
    learnt, zero = far.learnt.astype(np.float64), far.zero.astype(np.float64)
    return np.array([column.mean() - zero.mean(0) @ _slope(column, zero) for column in learnt.T])


def _slope(values: Floats, columns: Floats) -> Floats:
    """Least-squares coefficients; directions that the columns do not span get none."""
    centred = columns - columns.mean(0)
    return np.linalg.lstsq(centred, values - values.mean(), rcond=SMALLEST)[0]


def _leverage(at: Floats, columns: Floats) -> float:
    """Variance of `at` times the coefficients that are fitted on these columns, in units of a value's."""
    left = np.linalg.pinv((columns - columns.mean(0)).T, rcond=SMALLEST) @ at
    return float(left @ left)


FEWEST_FAR, MOST_FAR = 2**13, 2**16


class Side(NamedTuple):
    """What cheap samples know: the controls' means, and the bound of maximum entropy."""

    joint: Joint
    tellers: tuple[Teller, ...]
    far: Controls
    entropy_bound: Estimate

    @classmethod
    def draw(cls, key: jax.Array, joint: Joint, approximation: Any, n: int) -> Side:
        """From n samples; the normal density from n others."""
        key_normal, key_far = jax.random.split(key)
        normal = fit_normal(key_normal, joint, n)
        message, code, z, conditional, still = _far_samples(key_far, joint, n)
        # The trained decoder as one more was tried, and took nothing away.
        tellers = Partial(_surprise, normal), Partial(_log_start, approximation)
        far = controls_of(joint, tellers, message, code, z)
        values = jnp.asarray(conditional + far.learnt[:, 0])
        entropy, least = (
            Estimate.from_samples(nats=values, kind="upper", controls=jnp.asarray(far.zero)),
            rounding(far.learnt),
        )
        if still.any() and not joint.channel.atomic:  # densities, of walks too, are no probabilities there
            raise ValueError(
                f"Expected units with a density, for a bracket by walks; got {joint.channel.name}, which left some "
                "unit of some message without any noise."
            )
        return cls(joint, tellers, far, entropy.widened_to(least, least).conservative())

    def joined(self, key: jax.Array, teller: Teller, n: int) -> Side:
        """With one more teller, from n samples of its own."""
        tellers = (*self.tellers, teller)
        message, code, z, *_ = _far_samples(key, self.joint, n)
        return self._replace(tellers=tellers, far=controls_of(self.joint, tellers, message, code, z))

    def near(self, walks: Walks) -> Controls:
        """The controls of the samples of some walks."""
        return controls_of(self.joint, self.tellers, walks.message, walks.code, walks.z)

    def bounds(
        self, walks: Walks, lower: np.ndarray | None = None, upper: np.ndarray | None = None
    ) -> tuple[Estimate, Estimate]:
        """The lower and the upper bound of some walks, in bits, or of other values for the same samples, in nats."""
        near, limit = self.near(walks), self.joint.source.bits
        loss = limit if self.joint.channel.atomic else RARE_LOSS

        def bound(values: np.ndarray, kind: Kind, worst: float) -> Estimate:
            if np.isfinite(values).all():
                return controlled(values, near, self.far, kind, limit, loss).conservative()
            # A walk that started at an impossible message: no bound, but no NaN either.
            return Estimate.from_normal(bits=worst, stderr=0.0, kind=kind, limit=limit, n=len(values))

        below = bound(walks.lower() if lower is None else lower, "lower", -np.inf)
        above = bound(walks.upper() if upper is None else upper, "upper", np.inf)
        return below, above.widened_to(up=untold(self.joint.source, walks.message))

    def spread(self, walks: Walks) -> tuple[float, float]:
        """Standard deviation of a lower value, its controls taken off, and standard error of these, in bits.

        A pilot's upper values are spread by short walks more than by z, and longer ones will not be.
        """
        if not np.isfinite(walks.lower()).all():
            return np.inf, 0.0
        reduced, slope, _ = reduce(walks.lower(), self.near(walks), self.far)
        return float(reduced.std() / NATS_PER_BIT), error_of_means(slope, self.far)

    def normal_is_near(self, walks: Walks) -> bool:
        """Whether maximum entropy may turn out the lower upper bound: it lies within a pilot's interval, or below."""
        # Against atoms a normal density is no bound.
        return not self.joint.channel.atomic and bool(self.entropy_bound.bits < self.bounds(walks)[1].high)


def untold(source: Any, message: Any) -> float:
    """By how many bits these messages say less than messages do on average: 0 if all are equally likely.

    Where a few rare messages have most of the bits, a sample may have none of them, and no spread shows it.
    """
    if not source.discrete:
        return 0.0
    log_prob = jax.vmap(getattr(source, "log_mass", source.log_prob))(message)
    return max(float(source.bits + log_prob.mean() / NATS_PER_BIT), 0.0)


def far_samples(each: float, room: float) -> int:
    """How many cheap samples, at so much each, there is room for: a power of two between 2^13 and 2^16."""
    return int(np.clip(2 ** np.floor(np.log2(max(room / each, 1.0))), FEWEST_FAR, MOST_FAR))


def _surprise(normal: Normal, message: Any, z: jax.Array) -> jax.Array:
    return -normal.log_prob(z)


def _log_start(approximation: Any, message: Any, z: jax.Array) -> jax.Array:
    heard = approximation.hear(z)
    return approximation.log_start(heard, approximation.place(heard, message))


def _far_samples(key: jax.Array, joint: Joint, n: int) -> tuple[Any, ...]:
    """Messages, codes, z, log p(z|u), and whether some unit had no noise, of n samples, a multiple of `FEWEST_FAR`: one
    program for any number."""
    blocks = [_far_block(jax.random.fold_in(key, block), joint) for block in range(n // FEWEST_FAR)]
    return jax.tree.map(lambda *parts: np.concatenate(list(map(np.asarray, parts))), *blocks)


@jax.jit
def _far_block(key: jax.Array, joint: Joint) -> tuple[Any, ...]:
    message, code, z = joint.sample(key, FEWEST_FAR)
    still = (jax.vmap(joint.channel.moments)(code)[1] == 0).any(1)
    return message, code, z, jax.vmap(joint.conditional)(z, code), still
