"""Upper bounds that need no list: the rate E KL(p(z|m) || r(z)) = I(M;Z) + KL(q(z) || r) for any r, and the ceiling.

The best r of them that are normal has the mean and covariance of Z: maximum entropy.  A fitted r is one of any, so its
covariance may be as uncertain as it likes; what is paid for that is a little height, not the bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

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


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Normal:
    """A normal density r(z) on all units together: `mean` (units,), and `whitener`, L^-1 of its covariance L L'."""

    mean: jax.Array
    whitener: jax.Array

    def log_prob(self, z: jax.Array) -> jax.Array:
        """log r(z) in nats of one z (units,)."""
        # A product: a triangular system for every z would read the matrix anew each time.
        white = self.whitener @ (z - self.mean)
        return -0.5 * (jnp.square(white).sum() + LOG_2PI * len(white)) + jnp.log(jnp.diagonal(self.whitener)).sum()


def fit_normal(key: jax.Array, joint: Joint, samples: int = 2**16) -> Normal:
    """Mean and covariance of Z, from sampled codes and the noise's known variance; in float64."""
    means, variances = (np.asarray(part, np.float64) for part in _moments(key, joint, samples))
    covariance = np.atleast_2d(np.cov(means.T)) + np.diag(variances.mean(0))
    return Normal(jnp.asarray(means.mean(0), jnp.float32), jnp.asarray(whitener_of(covariance), jnp.float32))


def whitener_of(covariance: np.ndarray) -> np.ndarray:
    """The inverse of a covariance's lower Cholesky factor, in float64."""
    return np.tril(np.linalg.inv(np.linalg.cholesky(covariance)))


@partial(jax.jit, static_argnums=2)
def _moments(key: jax.Array, joint: Joint, samples: int) -> tuple[jax.Array, jax.Array]:
    def of_vector(vector: jax.Array) -> tuple[jax.Array, jax.Array]:
        return joint.channel.moments(joint.encoder(vector))

    return jax.lax.map(of_vector, joint.source.sample(key, samples).vector, batch_size=min(4096, samples))


@dataclass(frozen=True)
class MaximumEntropy:
    """E log p(z|m) - log r(z), r normal with the mean and covariance of Z (Cover & Thomas 2006, theorem 8.6.5).

    r is fitted to one sample and held against another, so the mean is an upper bound in expectation whatever the fit;
    log p(z|m) plus its known entropy, of zero mean, takes most of the noise away.
    """

    samples: int = 2**16
    name: ClassVar[str] = "maximum_entropy"
    summary: ClassVar[str] = "upper bound from the largest entropy that Z's covariance allows"

    def __call__(self, key: jax.Array, joint: Joint) -> Estimate:
        """Upper bound on I(M;Z), in bits."""
        key_fit, key_judge = jax.random.split(key)
        normal = fit_normal(key_fit, joint, self.samples)
        return against(key_judge, joint, normal, self.samples)


@partial(jax.jit, static_argnums=3)
def against(key: jax.Array, joint: Joint, density: Any, samples: int) -> Estimate:
    """E log p(z|m) - log r(z) in bits on fresh samples, for any density r with `log_prob`: an upper bound on I(M;Z)."""
    _, codes, z = joint.sample(key, samples)
    conditional = jax.vmap(joint.channel.log_prob)(z, codes).sum(1)
    noise = conditional + jax.vmap(joint.channel.entropy)(codes).sum(1)
    log_r = jax.lax.map(density.log_prob, z, batch_size=min(4096, samples))
    return from_values(conditional - log_r, "upper", controls=noise[:, None])


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
