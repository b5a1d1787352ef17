"""Upper bounds that need no list: the rate E KL(p(z|m) || r(z)) = I(M;Z) + KL(q(z) || r) for any r, and the ceiling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from capacity.bits import NATS, Estimate, from_values, interval
from capacity.channels.gaussian import LOG_2PI
from capacity.joint import Joint


def divergence(channel: Any, code: Any, prior_std: jax.Array) -> jax.Array:
    """KL(p(z|u) || N(0, prior_std^2)) of one code, in nats, closed form for any channel with known moments."""
    mean, variance = channel.moments(code)
    cross = 0.5 * (LOG_2PI + (jnp.square(mean) + variance) / jnp.square(prior_std)) + jnp.log(prior_std)
    return (cross - channel.entropy(code)).sum()


@dataclass(frozen=True)
class Rate:
    """E KL(p(z|m) || r(z)), r normal with mean 0 and `prior_std` on every unit (Alemi et al. 2018, equation 3).

    Above I(M;Z) by exactly KL(q(z) || r).  Exact (stderr 0) where the messages can be listed.
    """

    prior_std: float | jax.Array = 1.0
    samples: int = 32768
    name: ClassVar[str] = "rate"
    summary: ClassVar[str] = "upper bound E KL(p(z|m)||r(z)) with a normal r (the rate of a VAE)"

    def __call__(self, key: jax.Array, joint: Joint) -> Estimate:
        """Upper bound on I(M;Z), in bits."""
        prior_std = jnp.asarray(self.prior_std, jnp.float32)

        def of_vector(x: jax.Array) -> jax.Array:
            return divergence(joint.channel, joint.encoder(x), prior_std)

        if joint.source.listable:
            vectors, log_probs = joint.source.codebook()
            nats = jax.lax.map(of_vector, vectors, batch_size=min(8192, len(vectors)))
            return interval((jnp.exp(log_probs) * nats).sum() / NATS, 0.0, "upper", n=len(vectors))
        return from_values(
            jax.lax.map(of_vector, joint.source.sample(key, self.samples).vector, batch_size=4096),
            "upper",
        )


@dataclass(frozen=True)
class Ceiling:
    """The channel's capacity at the power that the code was found to have, summed over units.

    The power of each unit is exact where messages can be listed, else from samples; capacity is concave in the
    power, so a sampled power makes this a point estimate of the bound, with its interval by the delta method.
    """

    samples: int = 32768
    name: ClassVar[str] = "ceiling"
    summary: ClassVar[str] = "the channel's capacity at the code's own power, in closed form"

    def __call__(self, key: jax.Array, joint: Joint) -> Estimate:
        """Capacity over all units, in bits.

        Raises:
            ValueError: if the channel has no ceiling.
        """

        def square(x: jax.Array) -> jax.Array:
            return jnp.square(joint.channel.signal(joint.encoder(x)))

        if joint.source.listable:
            vectors, log_probs = joint.source.codebook()
            squares = jax.lax.map(square, vectors, batch_size=min(8192, len(vectors)))
            power = (jnp.exp(log_probs)[:, None] * squares).sum(0)
            return interval(joint.channel.ceiling(power).sum(), 0.0, "upper", n=len(vectors))
        squares = jax.lax.map(square, joint.source.sample(key, self.samples).vector, batch_size=4096)
        bits, slope = jax.value_and_grad(lambda p: joint.channel.ceiling(p).sum())(squares.mean(0))
        return interval(bits, jnp.std(squares @ slope) / jnp.sqrt(self.samples), "point", n=self.samples)
