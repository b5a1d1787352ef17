"""The rate of listed codes, and what it counts beyond the information: the divergence of Z's law from the prior."""

from __future__ import annotations

from dataclasses import replace

import jax
import jax.numpy as jnp

from capacity.bounds.exact.listing import Listed, as_columns, held_moments
from capacity.bounds.exact.rare_events import unseen_messages, unseen_noise
from capacity.bounds.exact.sample import Sample, surprise
from capacity.bounds.variational.marginal import check_density, divergence, infinite_with_atoms
from capacity.channels.additive import LOG_2PI
from capacity.channels.channel import Channel
from capacity.joint.joint import Joint
from capacity.results.estimate import NATS_PER_BIT, Estimate, Numeric
from capacity.results.intervals import MEAN_ROUNDING
from capacity.runtime.shapes import Scalar


def listed_rate(listed: Listed, channel: Channel, prior_std: Scalar) -> Estimate:
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


def rate_less_information(rate: Numeric, information: Estimate) -> Estimate:
    """KL(q(z) || r(z)) in bits where the rate is exact: what it counts beyond the information, with its interval."""
    low, high = rate - information.high, rate - information.low
    rounded = MEAN_ROUNDING * abs(rate)
    return replace(information, bits=rate - information.bits, low=low - rounded, high=high + rounded)


@jax.jit
def marginal_kl(joint: Joint, listed: Listed, sample: Sample, prior_std: Scalar) -> Estimate:
    """KL(q(z) || r(z)) in bits, r = N(0, prior_std^2) on every unit (Hoffman & Johnson 2016).

    It is what the rate counts beyond the information, also where noise whose entropy is not known gives no exact rate.
    -E log r(z) is a sum over the list, E log q(z) is sampled.

    Args:
        joint: source, encoder and channel.
        listed: its codes.
        sample: by `sampled`.
        prior_std: of r.

    Raises:
        ValueError: if the channel has atoms.
    """
    check_density(joint.channel)
    centre, variance = held_moments(joint.channel, listed.codes)
    second_moment = (jnp.exp(listed.log_probs)[:, None] * (jnp.square(centre) + variance)).sum(0)
    cross = (0.5 * second_moment / jnp.square(prior_std) + jnp.log(prior_std) + 0.5 * LOG_2PI).sum()
    unforeseen = surprise(sample)
    columns = as_columns([*sample.controls.joint, unforeseen], sample.z)
    # As in `information_of`, and less the noise, of which log q(z) is nearly all where messages are told apart.
    start = jnp.where(listed.equally_likely, unforeseen - sample.controls.noise.sum(1), 0.0)
    log_q = sample.mean(sample.q.joint + start, columns)
    down, up = unseen_messages(joint.channel, listed, joint.source.bits, len(sample.z))
    bits = sample.weighted(sample.conditional.sum(1) - sample.q.joint).mean() / NATS_PER_BIT
    down_noise, up_noise = unseen_noise(bits, joint, listed, sample, sample.q.whole)
    # What tells more has a smaller q(z): up for the information is down here.
    wide, more = log_q.widened_to(jnp.maximum(up, up_noise), jnp.maximum(down, down_noise)), cross / NATS_PER_BIT
    found = replace(wide, bits=wide.bits + more, low=wide.low + more, high=wide.high + more)
    rounded = MEAN_ROUNDING * (jnp.abs(more) + jnp.abs(log_q.bits))
    found = replace(found, low=found.low - rounded, high=found.high + rounded)
    return infinite_with_atoms(found, joint.channel, sample.codes)
