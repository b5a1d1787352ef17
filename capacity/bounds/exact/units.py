"""Bits by unit from a listed code: joint, marginal and increment, and what units say more than once."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp

from capacity.bounds.exact.listing import Listed, as_columns
from capacity.bounds.exact.rare_events import control_effect, message_entropy_gone, unless_noiseless
from capacity.bounds.exact.sample import Sample, over_items, sampled
from capacity.bounds.exact.whitening import VARIANCE_TOLERANCE
from capacity.channels.channel import Channel, Code, sliced
from capacity.joint.joint import Joint
from capacity.results.estimate import Estimate
from capacity.results.intervals import RARE_LOSS, Numbers, rule_of_three, rule_of_three_bits
from capacity.runtime.shapes import Key


class UnitBits(NamedTuple):
    """The three figures called `bits per unit`, and what units say more than once; all in bits.

    Attributes:
        joint: I(M;Z) / units, a scalar.
        marginal: I(M;Z_j), leaves (units,).
        increment: I(M;Z_j | Z_<j), leaves (units,), by differences of the same samples.
        redundancy: sum_j I(M;Z_j) - I(M;Z), a scalar: for a memoryless channel the units' total correlation.
    """

    joint: jax.Array
    marginal: Estimate
    increment: Estimate
    redundancy: Estimate


def unit_information(key: Key, joint: Joint, listed: Listed, n: int) -> UnitBits:
    """Bits per unit, the three kinds, from n fresh samples and the listed codes; traceable.

    Args:
        key: of the samples.
        joint: whose source can be listed.
        listed: its codes, by `list_codes`.
        n: samples, at least 2.
    """
    return unit_information_of(joint, listed, sampled(key, joint, listed, n).by_unit(joint, listed))


def unit_information_of(joint: Joint, listed: Listed, sample: Sample) -> UnitBits:
    """Bits per unit, the three kinds, from a sample that was held against the list by unit."""
    codes, z, conditional, (noise, radius), q = sample.codes, sample.z, sample.conditional, sample.controls, sample.q
    alone, own_noise = _each_alone(joint.channel, codes, z, conditional, noise)
    if joint.channel.atomic:
        prefix, each = message_entropy_gone(joint, q.prefixes), message_entropy_gone(joint, q.units)
        more = each.sum(1) - prefix[:, -1]
    else:
        prefix, each = jnp.cumsum(conditional, axis=1) - q.prefix, alone - own_noise - q.marginal
        more = (alone - conditional).sum(1) + q.joint - q.marginal.sum(1)
    increments, more_noise = (jnp.diff(part, axis=1, prepend=0.0) for part in (prefix, noise))
    if not joint.channel.atomic:
        increments = increments - more_noise
    own_radius = jnp.diff(radius, axis=1, prepend=0.0)
    variance = jnp.diagonal(listed.covariance)
    constant = variance <= VARIANCE_TOLERANCE * jnp.square(listed.mean)
    z_score = jnp.square(z - listed.mean[None]) / jnp.where(constant, 1.0, variance)[None] - 1
    z_score = jnp.where(constant[None], 0.0, z_score)
    known = jnp.stack([more_noise, own_radius], 2), jnp.stack([own_noise, z_score], 2)

    def exact(nats: jax.Array, controls: jax.Array) -> Estimate:
        return Estimate.from_samples(nats=nats, kind="exact", controls=controls)

    both = jax.vmap(jax.vmap(exact, in_axes=1))(jnp.stack([increments, each]), jnp.stack(known))
    increment, marginal = (jax.tree.map(lambda a, i=i: a[i], both) for i in range(2))
    columns = as_columns([radius[:, -1], *z_score.T], z)
    shared = Estimate.from_samples(nats=more, kind="exact", controls=columns)
    effects = jnp.zeros_like(marginal.bits), jnp.zeros_like(marginal.bits), jnp.zeros_like(shared.bits)
    if joint.channel.atomic:
        effect = jax.vmap(control_effect, in_axes=1)
        effects = effect(each, known[1]), effect(increments, known[0]), control_effect(more, columns)
    return UnitBits(increment.bits.mean(), *_unit_reach(joint, listed, (marginal, increment, shared), effects))


Three: TypeAlias = tuple[Estimate, Estimate, Estimate]


def _unit_reach(joint: Joint, listed: Listed, found: Three, effects: tuple[jax.Array, ...]) -> Three:
    """Intervals of figures by unit, reaching as far as what is too rare to be in the sample may take them.

    A rare noise may take what a unit tells; and as much as the units before it tell may come to lie on it, or be
    thrown into doubt by it.
    """
    marginal, increment, shared = found
    n, loss = marginal.n.max(), joint.source.bits if joint.channel.atomic else RARE_LOSS

    def at_most(bits: jax.Array, effect: jax.Array) -> Numbers:
        # In continuous noise a confusion of a bit costs some bits.
        taken = bits if joint.channel.atomic else RARE_LOSS * bits
        return rule_of_three_bits(jnp.clip(taken, 0.0, loss) + effect, n)

    # Nearly nothing passes where nearly every unit is dropped: what the others would have told is not in the sample.
    more = [rule_of_three(one.bits, one.n, loss) if joint.channel.atomic else 0.0 for one in (marginal, increment)]
    alone = at_most(marginal.bits, effects[0])
    so_far = at_most(jnp.cumsum(increment.bits), effects[1])
    whole = at_most(marginal.bits.sum(), effects[2])
    up_alone = jnp.maximum(rule_of_three_bits(effects[0], n), more[0])
    wide = (
        marginal.widened_to(alone, up_alone),
        increment.widened_to(so_far, jnp.maximum(so_far, more[1])),
        shared.widened_to(whole, whole),
    )
    one, other, third = (unless_noiseless(w, narrow, joint, listed) for w, narrow in zip(wide, found, strict=True))
    return one, other, third


def _each_alone(
    channel: Channel, codes: Code, z: jax.Array, conditional: jax.Array, noise: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """log p(z_j|u) of every unit without the others, and its noise control; each (n, units)."""
    if channel.memoryless:
        return conditional, jnp.diff(noise, axis=1, prepend=0.0)
    alone, controls = [], []
    for j in range(z.shape[1]):
        own, codes_j = channel.part(slice(j, j + 1)), sliced(codes, slice(j, j + 1))
        alone.append(over_items(own, own.log_prob)(z[:, j : j + 1], codes_j)[:, 0])
        entropy = over_items(own, own.entropy)(codes_j)[:, 0] if own.has_entropy else -alone[-1]
        controls.append(alone[-1] + entropy)
    return jnp.stack(alone, 1), jnp.stack(controls, 1)
