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

from capacity.joint.joint import Joint

PROBES = 8  # messages over which effects are averaged
PAIRED = 64  # the likeliest flips, all pairs of which are counted
PAIR = 4e-7  # billions of operations that a pair takes as long as
TOGETHER = 1024  # codes at once
LEAST = -1e30  # log of the odds of a flip that leaves no possible message


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Neighbours:
    """The control, a teller of `controls_of`; made by `fit_neighbours`.

    Attributes:
        joint: a discrete source, an encoder and a channel.
        overlaps: (k, k), G.
    """

    joint: Joint
    overlaps: jax.Array

    def __call__(self, message: jax.Array, z: jax.Array) -> jax.Array:
        """The control of one message (k,) and noisy code, nats."""
        source, digits = self.joint.source, message.astype(jnp.float32)

        def flipped(i: jax.Array) -> jax.Array:
            return source.log_prob(message.at[i].set(1 - message[i]))

        slope = jax.grad(lambda m: self.joint.conditional(z, self.joint.encoder(source.embed(m))))(digits)
        slope = jnp.where(jnp.isfinite(slope), slope, 0.0)
        prior = jax.lax.map(flipped, jnp.arange(len(digits)), batch_size=PAIRED) - source.log_prob(message)
        sign = 1 - 2 * digits
        single = jnp.maximum(slope * sign - 0.5 * jnp.diagonal(self.overlaps) + prior, LEAST)
        likely, at = jax.lax.top_k(single, min(PAIRED, len(digits)))
        first, second = jnp.triu_indices(len(at), 1)
        shared = self.overlaps[at[first], at[second]] * sign[at[first]] * sign[at[second]]
        each = jnp.concatenate([jnp.zeros(1), single, likely[first] + likely[second] - shared])
        return jax.nn.logsumexp(each)

    def cost(self, truth: float) -> float:
        """About how many billions of operations it takes as long as, where log p(m, z) takes `truth` billions."""
        return 4.0 * truth + PAIR * min(PAIRED, len(self.overlaps)) ** 2 / 2


def fit_neighbours(key: jax.Array, joint: Joint) -> Neighbours:
    """The control of a joint with a discrete source."""
    return Neighbours(joint, overlaps(key, joint))


def overlaps(key: jax.Array, joint: Joint) -> jax.Array:
    """Products (k, k) of the effects of any two flips 0 to 1 on the units over the noise: means over some messages."""
    return _overlaps(joint, joint.source.sample(key, PROBES).message.astype(jnp.float32))


@jax.jit
def _overlaps(joint: Joint, messages: jax.Array) -> jax.Array:
    def moments(digits: jax.Array) -> tuple[jax.Array, jax.Array]:
        return joint.moments(joint.source.embed(digits))

    def add(total: jax.Array, digits: jax.Array) -> tuple[jax.Array, None]:
        mean, variance = moments(digits)
        moved = jax.lax.map(lambda m: moments(m)[0], _flipped(digits), batch_size=TOGETHER) - mean[None]
        # A unit without variance at one code is near sure there: its flips are as good as forbidden, not undefined.
        floor = jnp.maximum(variance, 1e-6 * jnp.square(mean) + 1e-12)
        effects = moved * (1 - 2 * digits)[:, None] / jnp.sqrt(floor)[None]
        return total + effects @ effects.T / len(messages), None

    digits = messages.shape[1]
    return jax.lax.scan(add, jnp.zeros((digits, digits)), messages)[0]


def _flipped(digits: jax.Array) -> jax.Array:
    """Digits (k,) with each flipped in turn, (k, k)."""
    return jnp.abs(digits[None] - jnp.eye(len(digits), dtype=digits.dtype))
