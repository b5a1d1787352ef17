"""What is too rare to be in a sample: how far an interval must reach where noise has atoms."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from capacity.bounds.exact.densities import Density
from capacity.bounds.exact.listing import Listed
from capacity.bounds.exact.sample import over_items
from capacity.joint.joint import Joint
from capacity.results.estimate import NATS_PER_BIT, Estimate
from capacity.results.intervals import less_explained, rule_of_three_bits
from capacity.runtime.shapes import Scalar


def message_entropy_gone(joint: Joint, q: Density) -> Float[Array, "n ..."]:
    """H(M) - H(M|z) of each z, nats, whose mean is the information: the entropy of the message that is gone."""
    gone: jax.Array = joint.source.bits * NATS_PER_BIT + q.posterior - q.log_prob
    return gone


def control_effect(values: Float[Array, " n"], controls: Float[Array, "n controls"]) -> Scalar:
    """How much the controls took from any value at most, or gave it, in bits; twice that for an event beyond those."""
    return 2 * jnp.abs(values - less_explained(values, controls)).max() / NATS_PER_BIT


def with_unseen_events(found: Estimate, effect: Scalar, joint: Joint, listed: Listed) -> Estimate:
    """The interval reaching as far as what is too rare to be in the sample may take the figure.

    At one stroke noise with atoms may take all that passed, or give what did not (every unit dropped, or none); and
    controls, fitted to what was seen, take from such a value as much as their `effect`.

    Args:
        found: from n samples.
        effect: in bits.
        joint: whose channel has atoms.
        listed: its codes.
    """
    rest = jnp.maximum(joint.source.bits - found.bits, 0.0)
    down, up = (rule_of_three_bits(part + effect, found.n) for part in (jnp.maximum(found.bits, 0.0), rest))
    return unless_noiseless(found.widened_to(down, up), found, joint, listed)


def unless_noiseless(wide: Estimate, found: Estimate, joint: Joint, listed: Listed) -> Estimate:
    """The wide interval, but where there is no noise and no rare message: nothing is rarer than a message then.

    Args:
        wide: reaching as far as unseen events may take the figure.
        found: the same figure, as the sample has it.
        joint: source and channel.
        listed: its codes.
    """
    if not (joint.channel.atomic and joint.channel.has_entropy):
        return wide
    noise = over_items(joint.channel, joint.channel.entropy)(listed.codes).max()
    common = listed.log_probs.min() > jnp.log(3 / found.n.max())
    chosen: Estimate = jax.tree.map(partial(jnp.where, (noise <= 0) & common), found, wide)
    return chosen
