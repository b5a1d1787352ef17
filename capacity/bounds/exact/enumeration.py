"""Exact information by listing every message: I(M;Z) = E log p(z|m) - log sum_m' p(m') p(z|m'),
the definition (Shannon 1948; Cover & Thomas 2006, equation 2.35).

The outer mean is over sampled (m, z), the inner sum over all messages, so the estimate is unbiased at any number of
samples and no log of a batch limits it.  Control variates whose mean is known exactly (from the listed codes) take
away most of the Monte-Carlo noise, which without them is about 0.73 sqrt(units) bits a sample.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from capacity.bounds.exact.listing import Densities, Density, Listed, as_columns, draw, list_codes, log_densities
from capacity.bounds.exact.whitening import _whitening
from capacity.bounds.variational.marginal import check_density, divergence, infinite_with_atoms
from capacity.channels.gaussian import LOG_2PI
from capacity.joint.joint import Joint
from capacity.results.estimate import NATS_PER_BIT, Estimate
from capacity.results.intervals import RARE_LOSS, less_explained, rule_of_three, rule_of_three_bits

PRECISION_SAMPLES = 8  # densities that are computed again in float64
PATTERN_BATCH = 64  # items at a time, of a channel with memory
MEAN_ROUNDING = 1e-6  # relative, of means in single precision: what an interval without spread would leave out


class Sample(NamedTuple):
    """n noisy codes and what the list says of them; densities in nats."""

    log_prob: jax.Array  # (n,), of the messages sent
    codes: Any  # leaves (n, ...)
    z: jax.Array  # (n, units)
    conditional: jax.Array  # (n, units), log p(z_j|u)
    controls: tuple[jax.Array, jax.Array]  # the noise's and the radius's, (n, units), cumulative over units
    q: Densities

    def first(self, n: int) -> Sample:
        """Its first n; as good as n fresh ones for a figure of its own."""
        return jax.tree.map(lambda leaf: leaf[:n], self)

    def by_unit(self, joint: Joint, listed: Listed) -> Sample:
        """The same, held against the list unit by unit as well."""
        return self._replace(q=log_densities(listed, joint.channel, self.z, per_unit=True))


def sampled(key: jax.Array, joint: Joint, listed: Listed, n: int) -> Sample:
    """n fresh samples, held against the whole list; traceable."""
    log_prob, codes, z = draw(key, joint, listed, n)
    conditional, controls = _conditional_and_controls(joint.channel, listed, codes, z)
    return Sample(log_prob, codes, z, conditional, controls, log_densities(listed, joint.channel, z))


def information(key: jax.Array, joint: Joint, listed: Listed, n: int) -> Estimate:
    """I(M;Z) in bits from n fresh samples and the listed codes; traceable, so lanes can be mapped over it."""
    return information_of(joint, listed, sampled(key, joint, listed, n))


def information_of(joint: Joint, listed: Listed, sample: Sample) -> Estimate:
    """I(M;Z) in bits from a sample.

    A third control is log p(m, z) of the message sent less its mean over p(m|z), whose expectation is 0 at every z:
    with weight 1 it replaces the message sent by the average over all that could have been (Rao & Blackwell).

    Where z has atoms that weight is not left to the sample, which may have seen none of a rare noise: the values are
    H(M) - H(M|z), a function of z between 0 and H(M) for equally likely messages.
    """
    z, controls, q = sample.z, sample.controls, sample.q
    if joint.channel.atomic:
        known = as_columns([c[:, -1] for c in controls], z)
        values = _resolved(joint, q.whole)
        return _with_the_unseen(
            Estimate.from_samples(nats=values, kind="exact", controls=known), _effect(values, known), joint, listed
        )
    columns = [*(c[:, -1] for c in controls), _surprise(sample)]
    # From the noise's entropy instead of its density in the sample: the same where a sample tells how they go together.
    found = Estimate.from_samples(
        nats=sample.conditional.sum(1) - controls[0][:, -1] - q.joint, kind="exact", controls=as_columns(columns, z)
    )
    return found.widened_to(down=rule_of_three(joint.source.bits - found.bits, found.n, RARE_LOSS))


def _resolved(joint: Joint, q: Density) -> jax.Array:
    """H(M) - H(M|z) of each z, nats, whose mean is the information: the entropy of the message that is gone."""
    return joint.source.bits * NATS_PER_BIT + q.posterior - q.log_prob


def _effect(values: jax.Array, controls: jax.Array) -> jax.Array:
    """How much the controls took from any value at most, or gave it, in bits; twice that for an event beyond those."""
    return 2 * jnp.abs(values - less_explained(values, controls)).max() / NATS_PER_BIT


def _with_the_unseen(found: Estimate, effect: jax.Array, joint: Joint, listed: Listed) -> Estimate:
    """The interval reaching as far as what is too rare to be in the sample may take the figure.

    At one stroke noise with atoms may take all that passed, or give what did not (every unit dropped, or none); and
    controls, fitted to what was seen, take from such a value as much as their `effect`.
    """
    rest = jnp.maximum(joint.source.bits - found.bits, 0.0)
    down, up = (rule_of_three_bits(part + effect, found.n) for part in (jnp.maximum(found.bits, 0.0), rest))
    return _if_noisy(found.widened_to(down, up), found, joint, listed)


def _if_noisy(wide: Estimate, found: Estimate, joint: Joint, listed: Listed) -> Estimate:
    """The wide interval, but where there is no noise and no rare message: nothing is rarer than a message then."""
    if not (joint.channel.atomic and joint.channel.has_entropy):
        return wide
    noise = _each(joint.channel, joint.channel.entropy)(listed.codes).max()
    common = listed.log_probs.min() > jnp.log(3 / found.n.max())
    return jax.tree.map(partial(jnp.where, (noise <= 0) & common), found, wide)


def listed_rate(listed: Listed, channel: Any, prior_std: jax.Array) -> Estimate:
    """The rate E KL(p(z|m) || r(z)) in bits over the listed codes, exact: an upper bound on I(M;Z).

    Raises:
        ValueError: if the channel has atoms, or its entropy is not known.
    """
    check_density(channel)
    nats = jax.vmap(divergence, (None, 0, None))(channel, listed.codes, prior_std)
    return Estimate.from_normal(
        bits=(jnp.exp(listed.log_probs) * nats).sum() / NATS_PER_BIT,
        stderr=0.0,
        kind="upper",
        n=listed.log_probs.shape[0],
    )


def excess(joint: Joint, listed: Listed, sample: Sample, prior_std: jax.Array) -> Estimate:
    """KL(q(z) || r(z)) in bits, r = N(0, prior_std^2) on every unit: what the rate counts beyond the information."""
    check_density(joint.channel)
    z = sample.z
    log_r = (-0.5 * jnp.square(z / prior_std) - jnp.log(prior_std) - 0.5 * LOG_2PI).sum(1)
    second_moment = (jnp.diagonal(listed.covariance) + jnp.square(listed.mean)).sum()
    radius = jnp.square(z).sum(1) - second_moment
    columns = [*(c[:, -1] for c in sample.controls), radius, _surprise(sample)]
    found = Estimate.from_samples(nats=sample.q.joint - log_r, kind="exact", controls=as_columns(columns, z))
    return infinite_with_atoms(found, joint.channel, sample.codes)


def widen(estimate: Estimate, channel: Any, listed: Listed, z: jax.Array, log_q: jax.Array) -> Estimate:
    """The estimate, its interval widened by the rounding error of single precision, in densities and in their mean.

    Args:
        z: shape (n, units), a few noisy codes.
        log_q: shape (n,), their log densities as computed in float32; held here against float64.
    """
    with jax.enable_x64(True):
        double = jax.tree.map(lambda a: jnp.asarray(np.asarray(a, np.float64)), (listed, channel, z))
        exact = np.asarray(_log_densities(*double).joint)
    error = float(np.abs(np.asarray(log_q, np.float64) - exact).max()) / NATS_PER_BIT
    error += MEAN_ROUNDING * abs(float(estimate.bits))
    return replace(estimate, low=estimate.low - error, high=estimate.high + error)


@dataclass(frozen=True)
class Enumeration:
    """The exact information of a source that can be listed, up to 2^20 messages.

    Raises (when called):
        ValueError: if the source cannot be listed.
    """

    samples: int = 4096
    name: ClassVar[str] = "enumeration"
    summary: ClassVar[str] = "exact bits by listing all messages (up to 2^20); unbiased, with 95 % interval"

    def __call__(self, key: jax.Array, joint: Joint) -> Estimate:
        """I(M;Z) in bits; the interval also holds the difference seen between float32 and float64 densities."""
        key_bits, key_check = jax.random.split(key)
        listed = _list_codes(joint)
        z = _draw(key_check, joint, listed, n=PRECISION_SAMPLES)[2]
        estimate = _information(key_bits, joint, listed, n=self.samples)
        return widen(estimate, joint.channel, listed, z, _log_densities(listed, joint.channel, z).joint)


_list_codes = jax.jit(list_codes)
_log_densities = jax.jit(log_densities)
_draw = jax.jit(draw, static_argnames="n")
_information = jax.jit(information, static_argnames="n")


def _conditional_and_controls(
    channel: Any, listed: Listed, codes: Any, z: jax.Array
) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    """log p(z_j|u), and two controls of exactly zero mean, cumulative over units; each (n, units).

    The noise control is log p(z|u) plus its entropy, where that is known; the radius control is the squared
    Mahalanobis length of z's leading units less its expectation, since the covariance of Z is known exactly from the
    list.  That is the number of units, or, where the covariance is near singular and whitened with a ridge, what the
    whitened covariance has on its diagonal.
    """
    conditional = _each(channel, channel.log_prob)(z, codes)
    noise = jnp.zeros_like(conditional)
    if channel.has_entropy:
        noise = jnp.cumsum(conditional + _each(channel, channel.entropy)(codes), axis=1)
    whitener, expected = _whitening(listed)
    white = (z - listed.mean[None]) @ whitener.T
    return conditional, (noise, jnp.cumsum(jnp.square(white) - expected[None], axis=1))


def _each(channel: Any, function: Any) -> Any:
    """A function of one item over many, a few at a time where each makes a table of patterns."""
    if channel.memoryless:
        return jax.vmap(function)
    return lambda *items: jax.lax.map(lambda item: function(*item), items, batch_size=PATTERN_BATCH)


def _surprise(sample: Sample) -> jax.Array:
    """log p(m, z) of the message sent less its mean over p(m|z), shape (n,): a control of zero mean at every z."""
    return sample.conditional.sum(1) + sample.log_prob - sample.q.posterior
