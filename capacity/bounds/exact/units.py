"""Bits by unit from a listed code: joint, marginal and increment, and what units say more than once."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp

from capacity.bounds.exact.listing import Listed
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
    controls, channel = sample.controls, joint.channel
    alone, own_noise = _each_alone(channel, sample)
    known = [
        [controls.noise, controls.radius, controls.between],
        [own_noise, controls.own, controls.between],
        [controls.radius.sum(1), controls.own.sum(1), controls.between.sum(1)],
    ]
    if channel.atomic:
        prefix, each = (message_entropy_gone(joint, sample, part) for part in (sample.q.prefixes, sample.q.units))
        told = _Told(jnp.diff(prefix, axis=1, prepend=0.0), each, each.sum(1) - prefix[:, -1])
    else:
        unforeseen = _surprise_by_unit(sample, alone)
        known = [[*columns, one] for columns, one in zip(known, unforeseen, strict=True)]
        told = _told_by_unit(sample, alone, listed.equally_likely, unforeseen)
    columns = [jnp.stack(parts, -1) for parts in known]
    by_unit = jax.vmap(sample.plain_mean, in_axes=1)
    increment, marginal = by_unit(told.increments, columns[0]), by_unit(told.each, columns[1])
    shared = sample.plain_mean(told.more, columns[2])
    effects = jnp.zeros_like(marginal.bits), jnp.zeros_like(marginal.bits), jnp.zeros_like(shared.bits)
    if channel.atomic:
        effect = partial(control_effect, sample)
        effect_by_unit = jax.vmap(effect, in_axes=1)
        effects = (
            effect_by_unit(told.each, columns[1]),
            effect_by_unit(told.increments, columns[0]),
            effect(told.more, columns[2]),
        )
    else:
        down, up = unseen_noise(marginal.bits, joint, listed, sample, sample.q.units)
        marginal, increment = marginal.widened_to(down, up), increment.widened_to(up, up)
        shared = shared.widened_to(up.sum(), up.sum())
    found = _unit_reach(joint, listed, (marginal, increment, shared), effects, len(sample.z))
    return UnitBits(increment.bits.mean(), *found)


class _Told(NamedTuple):
    """What samples tell, nats: units after those before (n, units), units alone (n, units), and more than once (n,)."""

    increments: jax.Array
    each: jax.Array
    more: jax.Array


def _told_by_unit(sample: Sample, alone: jax.Array, equally_likely: jax.Array, unforeseen: _Told) -> _Told:
    """Log densities of what was received, given the message less without it, weighted.

    Equally likely messages start from the average over all that could have been, as in `information_of`.
    """
    q, conditional = sample.q, sample.conditional
    raw = _Told(
        conditional - jnp.diff(q.prefix, axis=1, prepend=0.0),
        alone - q.marginal,
        (alone - conditional).sum(1) + q.joint - q.marginal.sum(1),
    )
    nats = jax.tree.map(lambda one, other: one - jnp.where(equally_likely, other, 0.0), raw, unforeseen)
    by_unit = jax.vmap(sample.weighted, 1, 1)
    return _Told(by_unit(nats.increments), by_unit(nats.each), sample.weighted(nats.more))


def _surprise_by_unit(sample: Sample, alone: jax.Array) -> _Told:
    """`surprise` of the units so far, less that of those before; of each unit alone; of all of these less the whole."""
    log_prob = sample.log_prob[:, None]
    so_far = jnp.cumsum(sample.conditional, 1) + log_prob - sample.q.prefixes.posterior
    own = alone + log_prob - sample.q.units.posterior
    # That of no unit is log p(m) less its mean over messages, which is not of the sample: it stays with the first.
    return _Told(jnp.diff(so_far, axis=1, prepend=0.0), own, own.sum(1) - so_far[:, -1])


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
    _, most = unseen_messages(joint.channel, listed, 0.0, n)
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
