"""Bits by unit from a listed code: joint, marginal and increment, and what units say more than once."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp

from capacity.bounds.exact.listing import Listed, as_columns
from capacity.bounds.exact.rare_events import (
    control_effect,
    message_entropy_gone,
    unless_noiseless,
    unseen_messages,
    unseen_noise,
)
from capacity.bounds.exact.sample import Sample, over_items, sampled
from capacity.channels.channel import Channel, sliced
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
    found: UnitBits = unit_information_of(joint, listed, sampled(key, joint, listed, n, per_unit=True))
    return found


@jax.jit
def unit_information_of(joint: Joint, listed: Listed, sample: Sample) -> UnitBits:
    """Bits per unit, the three kinds, from a sample that was held against the list by unit."""
    conditional, controls, q = sample.conditional, sample.controls, sample.q
    alone, own_noise = _each_alone(joint.channel, sample)
    if joint.channel.atomic:
        prefix, each = (message_entropy_gone(joint, sample, part) for part in (q.prefixes, q.units))
        increments, more = jnp.diff(prefix, axis=1, prepend=0.0), each.sum(1) - prefix[:, -1]
    else:
        increments = conditional - jnp.diff(q.prefix, axis=1, prepend=0.0)
        each = alone - q.marginal
        more = (alone - conditional).sum(1) + q.joint - q.marginal.sum(1)
        increments, each = (jax.vmap(sample.weighted, 1, 1)(part) for part in (increments, each))
        more = sample.weighted(more)
    known = (
        jnp.stack([controls.noise, controls.radius, controls.between], 2),
        jnp.stack([own_noise, controls.own, controls.between], 2),
    )
    both = jax.vmap(jax.vmap(sample.plain_mean, in_axes=1))(jnp.stack([increments, each]), jnp.stack(known))
    increment, marginal = (jax.tree.map(lambda a, i=i: a[i], both) for i in range(2))
    columns = as_columns([*controls.joint[1:], *controls.own.T, *controls.between.T], sample.z)
    shared = sample.plain_mean(more, columns)
    effects = jnp.zeros_like(marginal.bits), jnp.zeros_like(marginal.bits), jnp.zeros_like(shared.bits)
    if joint.channel.atomic:
        effect = partial(control_effect, sample)
        by_unit = jax.vmap(effect, in_axes=1)
        effects = by_unit(each, known[1]), by_unit(increments, known[0]), effect(more, columns)
    if not joint.channel.atomic:
        down, up = unseen_noise(marginal.bits, joint, listed, sample, q.units)
        marginal, increment = marginal.widened_to(down, up), increment.widened_to(up, up)
        shared = shared.widened_to(up.sum(), up.sum())
    found = _unit_reach(joint, listed, (marginal, increment, shared), effects, len(sample.z))
    return UnitBits(increment.bits.mean(), *found)


Three: TypeAlias = tuple[Estimate, Estimate, Estimate]


def _unit_reach(joint: Joint, listed: Listed, found: Three, effects: tuple[jax.Array, ...], n: int) -> Three:
    """Intervals of figures by unit, reaching as far as what is too rare to be in the sample may take them.

    A rare noise may take what a unit tells; and as much as the units before it tell may come to lie on it, or be
    thrown into doubt by it.
    """
    marginal, increment, shared = found
    loss = joint.source.bits if joint.channel.atomic else RARE_LOSS

    def at_most(bits: jax.Array, effect: jax.Array) -> Numbers:
        # In continuous noise a confusion of a bit costs some bits.
        taken = bits if joint.channel.atomic else RARE_LOSS * bits
        return rule_of_three_bits(jnp.clip(taken, 0.0, loss) + effect, n)

    # Nearly nothing passes where nearly every unit is dropped: what the others would have told is not in the sample.
    more = [rule_of_three(one.bits, n, loss) if joint.channel.atomic else 0.0 for one in (marginal, increment)]
    alone = at_most(marginal.bits, effects[0])
    so_far = at_most(jnp.cumsum(increment.bits), effects[1])
    whole = at_most(marginal.bits.sum(), effects[2])
    up_alone = jnp.maximum(rule_of_three_bits(effects[0], n), more[0])
    wide = (
        marginal.widened_to(alone, up_alone),
        increment.widened_to(so_far, jnp.maximum(so_far, more[1])),
        shared.widened_to(whole, whole),
    )
    noise_seen = (unless_noiseless(w, narrow, joint, listed) for w, narrow in zip(wide, found, strict=True))
    _, most = unseen_messages(listed, 0.0, n)
    one, other, third = (e.widened_to(most, most) for e in noise_seen)
    return one, other, third


def _each_alone(channel: Channel, sample: Sample) -> tuple[jax.Array, jax.Array]:
    """log p(z_j|u) of every unit without the others, and its noise control; each (n, units)."""
    codes, z = sample.codes, sample.z
    if channel.memoryless:
        return sample.conditional, sample.controls.noise
    alone, controls = [], []
    for j in range(z.shape[1]):
        own, codes_j = channel.part(slice(j, j + 1)), sliced(codes, slice(j, j + 1))
        alone.append(over_items(own, own.log_prob)(z[:, j : j + 1], codes_j)[:, 0])
        entropy = over_items(own, own.entropy)(codes_j)[:, 0] if own.has_entropy else -alone[-1]
        controls.append(alone[-1] + entropy)
    return jnp.stack(alone, 1), jnp.stack(controls, 1)
