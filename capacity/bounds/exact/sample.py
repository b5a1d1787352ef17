"""Noisy codes held against the list of all codes: densities, and the controls whose mean is known from the list."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from capacity.bounds.exact.densities import Densities, log_densities
from capacity.bounds.exact.listing import Listed, draw_listed
from capacity.bounds.exact.whitening import whitening
from capacity.channels.channel import Channel, Code
from capacity.joint.joint import Joint
from capacity.runtime.shapes import Key

PATTERN_BATCH = 64  # items at a time, of a channel with memory


class Sample(NamedTuple):
    """n noisy codes and what the list says of them; densities in nats."""

    log_prob: jax.Array  # (n,), of the messages sent
    codes: Code  # leaves (n, ...)
    z: jax.Array  # (n, units)
    conditional: jax.Array  # (n, units), log p(z_j|u)
    controls: tuple[jax.Array, jax.Array]  # the noise's and the radius's, (n, units), cumulative over units
    q: Densities

    def first(self, n: int) -> Sample:
        """Its first n; as good as n fresh ones for a figure of its own."""
        part: Sample = jax.tree.map(lambda leaf: leaf[:n], self)
        return part

    def by_unit(self, joint: Joint, listed: Listed) -> Sample:
        """The same, held against the list unit by unit as well."""
        return self._replace(q=log_densities(listed, joint.channel, self.z, per_unit=True))


def sampled(key: Key, joint: Joint, listed: Listed, n: int) -> Sample:
    """n fresh samples, held against the whole list; traceable.

    Args:
        key: of the samples.
        joint: whose source can be listed.
        listed: its codes.
        n: how many.
    """
    log_prob, codes, z = draw_listed(key, joint, listed, n)
    conditional, controls = conditional_and_controls(joint.channel, listed, codes, z)
    return Sample(log_prob, codes, z, conditional, controls, log_densities(listed, joint.channel, z))


def conditional_and_controls(
    channel: Channel, listed: Listed, codes: Code, z: Float[Array, "n units"]
) -> tuple[Float[Array, "n units"], tuple[Float[Array, "n units"], Float[Array, "n units"]]]:
    """log p(z_j|u), and two controls of exactly zero mean, cumulative over units; each (n, units).

    The noise control is log p(z|u) plus its entropy, where that is known; the radius control is the squared
    Mahalanobis length of z's leading units less its expectation, since the covariance of Z is known exactly from the
    list.  That is the number of units, or, where the covariance is near singular and whitened with a ridge, what the
    whitened covariance has on its diagonal.

    Args:
        channel: of the noisy codes.
        listed: all codes, and the moments of Z.
        codes: that were sent, leaves (n, ...).
        z: what was received.
    """
    conditional = over_items(channel, channel.log_prob)(z, codes)
    noise = jnp.zeros_like(conditional)
    if channel.has_entropy:
        noise = jnp.cumsum(conditional + over_items(channel, channel.entropy)(codes), axis=1)
    whitener, expected = whitening(listed)
    white = (z - listed.mean[None]) @ whitener.T
    return conditional, (noise, jnp.cumsum(jnp.square(white) - expected[None], axis=1))


def over_items(channel: Channel, function: Callable[..., jax.Array]) -> Callable[..., jax.Array]:
    """A function of one item over many, a few at a time where each makes a table of patterns."""
    if channel.memoryless:
        return jax.vmap(function)
    return lambda *items: jax.lax.map(lambda item: function(*item), items, batch_size=PATTERN_BATCH)


def surprise(sample: Sample) -> jax.Array:
    """log p(m, z) of the message sent less its mean over p(m|z), shape (n,): a control of zero mean at every z."""
    return sample.conditional.sum(1) + sample.log_prob - sample.q.posterior
