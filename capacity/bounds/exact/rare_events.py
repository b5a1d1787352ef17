"""What no sample saw: how far an interval must reach for messages and noise that are too rare to be in a sample.

Events that n samples did not see have a share below 3/n at 95 % (the rule of three, Hanley & Lippman-Hand 1983), and no
variance tells of them.  A message may tell anything between 0 and log 1/p(m).  All messages are listed, those whose
codes are outliers are drawn oftener (`proposal`), and one whose share of the draws is large enough is seen for certain.
The rest look like the others: what they may cost is reached for at the number of all messages.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from capacity.bounds.exact.densities import Density
from capacity.bounds.exact.listing import Listed, held_moments
from capacity.bounds.exact.proposal import PER_STRATUM
from capacity.bounds.exact.sample import Sample, over_items
from capacity.channels.channel import Channel
from capacity.joint.joint import Joint
from capacity.results.estimate import NATS_PER_BIT, Estimate
from capacity.results.intervals import RARE_LOSS, Numbers, less_explained, rule_of_three_bits
from capacity.runtime.shapes import Scalar

ALMOST = 0.999  # of the n-th part of all draws: a message that has so much of them is drawn
ENOUGH = 64  # samples, drawn in strata, in which what comes once in 100 hardly lacks
ROUNDED_NATS = 1e-5  # of a sum of squares in single precision
CERTAIN = 0.01  # bits: where half of all z leave so nearly the same entropy, what confuses is rare


def message_entropy_gone(joint: Joint, sample: Sample, q: Density) -> Float[Array, "n ..."]:
    """H(M) - H(M|z) of each z, nats, weighted, whose plain mean is the information: the entropy that is gone."""
    weight = jnp.expand_dims(sample.weight, tuple(range(1, q.log_prob.ndim)))
    gone: jax.Array = joint.source.bits * NATS_PER_BIT + weight * (q.posterior - q.log_prob)
    return gone


def control_effect(sample: Sample, values: Float[Array, " n"], controls: Float[Array, "n controls"]) -> Scalar:
    """How much the controls took from any weighted value at most, or gave it, in bits; twice that for an event beyond
    those."""
    left = less_explained(values, sample.weight[:, None] * controls, PER_STRATUM)
    return 2 * jnp.abs(values - left).max() / NATS_PER_BIT


def told_at_most(channel: Channel, listed: Listed) -> Float[Array, " messages"]:
    """How much each message may tell, D(p(z|m) || q(z)), in nats, at most.

    That is -log p(m).  Through normal noise it is also the mean of D(p(z|m) || p(z|m')) over all m', as a divergence is
    convex (Cover & Thomas 2006, theorem 2.7.2): a closed form by the moments of the list.
    """
    rare = -listed.log_probs
    if not (channel.normal and channel.memoryless):
        return rare
    probs = jnp.exp(listed.log_probs)
    centre, variance = held_moments(channel, listed.codes)
    centre = centre - listed.mean[None]

    def of_any() -> tuple[jax.Array, jax.Array]:
        square = (probs @ (jnp.square(centre) / variance)).sum()
        twice = (jnp.square(centre) + variance) @ (probs @ (1 / variance)) - 2 * centre @ (probs @ (centre / variance))
        return square, twice + (probs @ jnp.log(variance) - 1).sum() - jnp.log(variance).sum(1)

    def of_one() -> tuple[jax.Array, jax.Array]:
        """The same where all messages have one variance: the mean of the centre is 0."""
        square = jnp.square(centre) @ (1 / variance[0])
        return probs @ square, square

    square, rest = jax.lax.cond((variance == variance[:1]).all(), of_one, of_any)
    nats = 0.5 * (rest + square) + ROUNDED_NATS * square
    return jnp.where(jnp.isfinite(nats), jnp.minimum(rare, nats), rare)


def unseen_messages(channel: Channel, listed: Listed, bits: Numbers, n: int) -> tuple[jax.Array, jax.Array]:
    """How far down and up messages that were not drawn may take a figure, in bits.

    Args:
        channel: of the noisy codes.
        listed: all codes.
        bits: the figure, of any shape.
        n: samples.
    """
    log_probs = listed.log_probs
    maybe_missed = (listed.proposal.log_prob < jnp.log(ALMOST / n)) & (log_probs > -jnp.inf)
    told = listed.proposal.weight * told_at_most(channel, listed) / NATS_PER_BIT
    most = jnp.where(maybe_missed, told, 0.0).max()
    # Outliers are those out of what is usual in 98 of 100; more frequent ones are among enough samples.
    looked_at = max(n, len(log_probs)) if n >= ENOUGH else n
    losses = jnp.maximum(bits, 0.0), jnp.maximum(most - bits, 0.0)
    down, up = (jnp.where(maybe_missed.any(), rule_of_three_bits(loss, looked_at), 0.0) for loss in losses)
    return down, up


def unseen_noise(
    bits: Numbers, joint: Joint, listed: Listed, sample: Sample, q: Density
) -> tuple[jax.Array, jax.Array]:
    """How far down and up noise that no sample saw may take figures, in bits; of channels without atoms.

    A confusion costs some bits, and confusions are rare where nearly every z leaves the same entropy of the message, or
    none.  Where messages are drawn unevenly, a rare one may lie where the noise of a common one seldom goes: that costs
    what is left there at most.  And noise that is not normal may be silent nearly always: what it leaves then is no
    evidence that it never tells.

    Args:
        bits: of figures.
        joint: source and channel.
        listed: its codes.
        sample: behind the figures.
        q: of the same shape, after an axis of samples.
    """
    n, weight, entropy = len(sample.z), listed.proposal.weight, listed.entropy / NATS_PER_BIT
    left = (q.log_prob - q.posterior) / NATS_PER_BIT
    certain = jnp.median(jnp.abs(left - jnp.median(left, axis=0, keepdims=True)), axis=0) < CERTAIN
    most = rule_of_three_bits(RARE_LOSS * jnp.clip(bits, 0.0, 1.0), n)
    most = jnp.where(certain | (entropy - bits < 10 * most), most, 0.0)
    ranged = jnp.where(listed.proposal.uneven, rule_of_three_bits(left.max(0) - (entropy - bits), n), 0.0)
    silent = certain & jnp.asarray(not joint.channel.normal)
    up = jnp.where(silent, rule_of_three_bits(jnp.maximum(entropy - bits, 0.0), n), 0.0)
    return weight.max() * jnp.maximum(most, ranged), weight.max() * up


def with_unseen_atoms(found: Estimate, effect: Scalar, joint: Joint, listed: Listed) -> Estimate:
    """The interval reaching as far as noise that is too rare to be in the sample may take the figure.

    At one stroke noise with atoms may take all that passed, or give what did not (every unit dropped, or none); and
    controls, fitted to what was seen, take from such a value as much as their `effect`.

    Args:
        found: from n samples.
        effect: in bits.
        joint: whose channel has atoms.
        listed: its codes.
    """
    rest = jnp.maximum(joint.source.bits - found.bits, 0.0)
    most = listed.proposal.weight.max()
    down, up = (rule_of_three_bits(most * part + effect, found.n) for part in (jnp.maximum(found.bits, 0.0), rest))
    return unless_noiseless(found.widened_to(down, up), found, joint, listed)


def unless_noiseless(wide: Estimate, found: Estimate, joint: Joint, listed: Listed) -> Estimate:
    """The wide interval, but where there is no noise: nothing is rarer than a message then.

    Args:
        wide: reaching as far as unseen noise may take the figure.
        found: the same figure, as the sample has it.
        joint: source and channel.
        listed: its codes.
    """
    if not (joint.channel.atomic and joint.channel.has_entropy):
        return wide
    noise = over_items(joint.channel, joint.channel.entropy)(listed.codes).max()
    chosen: Estimate = jax.tree.map(lambda one, other: jnp.where(noise <= 0, one, other), found, wide)
    return chosen
