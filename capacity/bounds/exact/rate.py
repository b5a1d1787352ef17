"""The rate of listed codes, and what it counts beyond the information: the divergence of Z's law from the prior."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from capacity.bounds.exact.listing import Listed, as_columns
from capacity.bounds.exact.sample import Sample, surprise
from capacity.bounds.variational.marginal import check_density, divergence, infinite_with_atoms
from capacity.channels.additive import LOG_2PI
from capacity.channels.channel import Channel
from capacity.joint.joint import Joint
from capacity.results.estimate import NATS_PER_BIT, Estimate
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


def marginal_kl(joint: Joint, listed: Listed, sample: Sample, prior_std: Scalar) -> Estimate:
    """KL(q(z) || r(z)) in bits, r = N(0, prior_std^2) on every unit (Hoffman & Johnson 2016).

    It is what the rate counts beyond the information.

    Args:
        joint: source, encoder and channel.
        listed: its codes.
        sample: by `sampled`.
        prior_std: of r.

    Raises:
        ValueError: if the channel has atoms.
    """
    check_density(joint.channel)
    z = sample.z
    log_r = (-0.5 * jnp.square(z / prior_std) - jnp.log(prior_std) - 0.5 * LOG_2PI).sum(1)
    second_moment = (jnp.diagonal(listed.covariance) + jnp.square(listed.mean)).sum()
    radius = jnp.square(z).sum(1) - second_moment
    columns = [*(c[:, -1] for c in sample.controls), radius, surprise(sample)]
    found = Estimate.from_samples(nats=sample.q.joint - log_r, kind="exact", controls=as_columns(columns, z))
    return infinite_with_atoms(found, joint.channel, sample.codes)
