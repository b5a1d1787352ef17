"""What the messages next to the one that was sent claim of a noisy code: a control for the noise in z.

Where noise is weak, log p(z) lies above log p(m, z) by the few messages that m could be taken for, and moves with z as
they do.  With s_i = 1 - 2 m_i, a flip of digit i, and of i and j, changes log p(m, z) by about

    r_i = g_i s_i - G_ii / 2 + log p(m^i) / p(m),        r_i + r_j - s_i s_j G_ij,

g being the gradient of log p(z|m) in the digits and G the mean products of the flips' effects on the units over the
noise: exact where the code is linear, the noise normal and the digits independent.  The control is

    log (1 + sum_i exp r_i + sum_i<j exp(r_i + r_j - s_i s_j G_ij)),

the pairs among the likeliest flips alone.  A control may be any function of m and z: no promise rests on this one.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from capacity.bounds.exact.tiles import LOG_ZERO
from capacity.bounds.posterior.overlaps import flip_overlaps
from capacity.joint.joint import Joint
from capacity.runtime.pytrees import register_dataclass
from capacity.runtime.shapes import Key, Message, Scalar, Units

MAX_PAIRED = 64  # the likeliest flips, all pairs of which are counted
PAIR_GFLOP = 4e-7  # billions of operations that a pair takes as long as


@register_dataclass
@dataclass(frozen=True)
class Neighbours:
    """The control, a function for `controls_of`; made by `fit_neighbours`.

    Attributes:
        joint: a discrete source, an encoder and a channel.
        overlaps: (digits, digits), G.
    """

    joint: Joint
    overlaps: Float[Array, "digits digits"]

    def __call__(self, message: Message, z: Units) -> Scalar:
        """The control of one message and noisy code, nats."""
        source, digits = self.joint.source, message.astype(jnp.float32)

        def flipped(i: jax.Array) -> jax.Array:
            log_mass: jax.Array = source.log_prob(message.at[i].set(1 - message[i]))
            return log_mass

        slope = jax.grad(lambda m: self.joint.conditional(z, self.joint.encoder(source.embed(m))))(digits)
        slope = jnp.where(jnp.isfinite(slope), slope, 0.0)
        prior = jax.lax.map(flipped, jnp.arange(len(digits)), batch_size=MAX_PAIRED) - source.log_prob(message)
        sign = 1 - 2 * digits
        single = jnp.maximum(slope * sign - 0.5 * jnp.diagonal(self.overlaps) + prior, LOG_ZERO)
        likely, at = jax.lax.top_k(single, min(MAX_PAIRED, len(digits)))
        first, second = jnp.triu_indices(len(at), 1)
        shared = self.overlaps[at[first], at[second]] * sign[at[first]] * sign[at[second]]
        each = jnp.concatenate([jnp.zeros(1), single, likely[first] + likely[second] - shared])
        return jax.nn.logsumexp(each)

    def cost(self, truth: float) -> float:
        """About how many billions of operations it takes as long as, where log p(m, z) takes `truth` billions."""
        return 4.0 * truth + PAIR_GFLOP * min(MAX_PAIRED, len(self.overlaps)) ** 2 / 2


def fit_neighbours(key: Key, joint: Joint) -> Neighbours:
    """The control of a joint with a discrete source."""
    return Neighbours(joint, flip_overlaps(key, joint))
