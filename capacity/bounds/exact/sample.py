"""Noisy codes held against the list of all codes: densities, and controls whose mean is known.

A control's mean is 0 given the message that was sent, whichever messages were drawn; or its mean over all messages is
summed up from the list, and it is bounded.  One of mean 0 over messages alone, unbounded, would be a constant wherever
the message that carries its variance was not drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.custom_batching import sequential_vmap
from jaxtyping import Array, Float

from capacity.bounds.exact.densities import Densities, log_densities
from capacity.bounds.exact.listing import (
    MAX_VARIANCE,
    Listed,
    capped_distance,
    capped_length,
    draw_listed,
    held_moments,
)
from capacity.bounds.exact.proposal import PER_STRATUM, stratified_size
from capacity.channels.channel import Channel, Code
from capacity.joint.joint import Joint
from capacity.results.estimate import Estimate
from capacity.runtime.shapes import Key

PATTERN_BATCH = 64  # items at a time, of a channel with memory


class UnitControls(NamedTuple):
    """Controls of zero mean by unit, each (n, units), in nats: with weight 1 each is a change in some log density.

    Attributes:
        noise: log p(z_j|z_<j, u) less its mean given the code; 0 where that is not known.
        radius: half the squared length of z, whitened, in entry j, less its mean given the code; less of it for far
            codes, by a factor that depends on the code alone.
        own: half the squared distance of z_j from its mean, in variances, less its mean given the code; as before.
        between: half the squared distance of the code's unit from its mean, capped, less its mean over all codes.
        length: (n,), half the squared length of the code, whitened and capped, less its mean over all codes.
    """

    noise: jax.Array
    radius: jax.Array
    own: jax.Array
    between: jax.Array
    length: jax.Array

    @property
    def joint(self) -> list[jax.Array]:
        """The controls of all units together, each (n,)."""
        return [self.noise.sum(1), self.radius.sum(1), self.length, self.own.sum(1), self.between.sum(1)]


class Sample(NamedTuple):
    """n noisy codes and what the list says of them; densities in nats.

    Attributes:
        weight: (n,), p(m)/s(m): means over samples are means over messages with it.
        log_prob: (n,), of the messages sent.
        codes: leaves (n, ...).
        z: (n, units).
        conditional: (n, units), log p(z_j|z_<j, u).
        controls: by unit, not yet weighted.
        q: log densities by the whole list.
    """

    weight: jax.Array
    log_prob: jax.Array
    codes: Code
    z: jax.Array
    conditional: jax.Array
    controls: UnitControls
    q: Densities

    def mean(self, nats: Float[Array, " n"], controls: Float[Array, "n controls"]) -> Estimate:
        """The mean over messages and noise of values (n,), in bits, unbiased but for the coefficients of the controls.

        Args:
            nats: values of the samples.
            controls: (n, c), of zero mean over messages and noise.
        """
        return self.plain_mean(self.weighted(nats), controls)

    def plain_mean(self, nats: Float[Array, " n"], controls: Float[Array, "n controls"]) -> Estimate:
        """The same of values that are weighted already."""
        weighted = self.weight[:, None] * controls
        return Estimate.from_samples(nats=nats, kind="exact", controls=weighted, per_stratum=PER_STRATUM)

    def weighted(self, nats: Float[Array, " n"]) -> Float[Array, " n"]:
        """Values whose plain mean is the mean over messages; about a level, which an uneven weight leaves alone."""
        level = (self.weight * nats).mean()
        return self.weight * (nats - level) + level


@partial(jax.jit, static_argnames=("n", "per_unit", "in_turn"))
def sampled(key: Key, joint: Joint, listed: Listed, n: int, per_unit: bool = False, in_turn: bool = False) -> Sample:
    """n fresh samples (rounded up to whole strata), held against the whole list; traceable.

    Args:
        key: of the samples.
        joint: whose source can be listed.
        listed: its codes.
        n: how many.
        per_unit: hold them against the list unit by unit as well.
        in_turn: densities of joints that are mapped over are computed one after another: tables of all pairs of many
            would be far from the processor.
    """
    channel = joint.channel
    densities = partial(log_densities, per_unit=per_unit)
    drawn = draw_listed(key, channel, listed, stratified_size(n))
    conditional = over_items(channel, channel.log_prob)(drawn.z, drawn.codes)
    return Sample(
        listed.proposal.weight[drawn.rows],
        listed.log_probs[drawn.rows],
        drawn.codes,
        drawn.z,
        conditional,
        unit_controls(channel, listed, drawn.codes, drawn.z, conditional),
        (sequential_vmap(densities) if in_turn else densities)(listed, channel, drawn.z),
    )


def unit_controls(
    channel: Channel,
    listed: Listed,
    codes: Code,
    z: Float[Array, "n units"],
    conditional: Float[Array, "n units"],
) -> UnitControls:
    """The controls of noisy codes.

    Args:
        channel: of the noisy codes.
        listed: all codes, and the moments of Z.
        codes: that were sent, leaves (n, ...).
        z: what was received.
        conditional: log p(z_j|z_<j, u), nats.
    """
    noise = jnp.zeros_like(conditional)
    if channel.has_entropy:
        noise = conditional + over_items(channel, channel.entropy)(codes)
    centre, variance = held_moments(channel, codes)
    error, white, usual = z - centre, listed.usual.whitener, listed.usual
    code = centre - usual.mean[None]
    own = _length_gained(code, error, variance) / usual.scale[None] * usual.nearness(code)
    if channel.memoryless:
        expected = variance @ jnp.square(white).T
    else:
        expected = jax.lax.map(lambda code: ((white @ channel.covariance(code)) * white).sum(1), codes)
    radius = _length_gained(code @ white.T, error @ white.T, expected) * usual.nearness(code).min(1, keepdims=True)
    between = capped_distance(usual, centre) - listed.capped[None]
    length = capped_length(code @ white.T) - listed.capped_length
    known = (variance < MAX_VARIANCE).all() & (jnp.square(centre) < MAX_VARIANCE).all()
    radius, own, between, length = (jnp.where(known, 0.5 * part, 0.0) for part in (radius, own, between, length))
    return UnitControls(noise, radius, own, between, length)


def _length_gained(code: jax.Array, error: jax.Array, expected: jax.Array) -> jax.Array:
    """(code + error)^2 less its mean given the code, `expected` being that of error^2."""
    return 2 * code * error + jnp.square(error) - expected


def over_items(channel: Channel, function: Callable[..., jax.Array]) -> Callable[..., jax.Array]:
    """A function of one item over many, a few at a time where each makes a table of patterns."""
    if channel.memoryless:
        return jax.vmap(function)
    return lambda *items: jax.lax.map(lambda item: function(*item), items, batch_size=PATTERN_BATCH)


def surprise(sample: Sample) -> jax.Array:
    """log p(m, z) of the message sent less its mean over p(m|z), shape (n,): a control of zero mean at every z."""
    return sample.conditional.sum(1) + sample.log_prob - sample.q.posterior
