"""Upper bounds that need no list: the rate E KL(p(z|m) || r(z)) = I(M;Z) + KL(q(z) || r) for any r, and the ceiling.

The best r of them that are normal has the mean and covariance of Z: maximum entropy.  A fitted r is one of any, so its
covariance may be as uncertain as it likes; what is paid for that is a little height, not the bound.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from capacity.channels.channel import no_ceiling
from capacity.channels.gaussian import LOG_2PI
from capacity.joint.joint import Joint, moments_of
from capacity.results.estimate import NATS_PER_BIT, Estimate


def check_density(channel: Any) -> None:
    """Refuse a normal r(z) for noisy units that are atoms.

    Raises:
        ValueError: if the channel has atoms.
    """
    if channel.atomic:
        raise ValueError(
            f"Expected a channel with a density; got {channel.name}, to whose atoms no normal r(z) gives any "
            "probability: the bound is infinite."
        )


def divergence(channel: Any, code: Any, prior_std: jax.Array) -> jax.Array:
    """KL(p(z|u) || N(0, prior_std^2)) of one code, in nats, closed form for any channel with known moments.

    Infinite where a unit has no variance: it is an atom then, and no density.
    """
    mean, variance = channel.moments(code)
    cross = 0.5 * (LOG_2PI + (jnp.square(mean) + variance) / jnp.square(prior_std)) + jnp.log(prior_std)
    return jnp.where(variance == 0, jnp.inf, cross - channel.entropy(code)).sum()


@dataclass(frozen=True)
class Rate:
    """E KL(p(z|m) || r(z)), r normal with mean 0 and `prior_std` on every unit (Alemi et al. 2018, equation 3).

    Above I(M;Z) by exactly KL(q(z) || r).  Exact (stderr 0) where the messages can be listed and the channel knows its
    entropy.

    Raises (when called):
        ValueError: if the channel has atoms.
    """

    prior_std: float | jax.Array = 1.0
    samples: int = 32768
    name: ClassVar[str] = "rate"
    summary: ClassVar[str] = "upper bound E KL(p(z|m)||r(z)) with a normal r (the rate of a VAE)"

    def __call__(self, key: jax.Array, joint: Joint) -> Estimate:
        """Upper bound on I(M;Z), in bits."""
        check_density(joint.channel)
        prior_std = jnp.asarray(self.prior_std, jnp.float32)
        if not joint.channel.has_entropy:
            units = jax.eval_shape(joint.encoder, joint.source.sample(key, 1).vector[0])
            still = jax.eval_shape(lambda code: joint.channel.moments(code)[0], units)
            whitener = jnp.eye(still.shape[0]) / prior_std
            return against(key, joint, Normal(jnp.zeros(still.shape[0]), whitener), self.samples)

        def of_vector(x: jax.Array) -> jax.Array:
            return divergence(joint.channel, joint.encoder(x), prior_std)

        if joint.source.listable:
            vectors, log_probs = joint.source.codebook()
            nats = jax.lax.map(of_vector, vectors, batch_size=min(8192, len(vectors)))
            return Estimate.from_normal(
                bits=(jnp.exp(log_probs) * nats).sum() / NATS_PER_BIT, stderr=0.0, kind="upper", n=len(vectors)
            )
        return Estimate.from_samples(
            nats=jax.lax.map(of_vector, joint.source.sample(key, self.samples).vector, batch_size=4096), kind="upper"
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
    means, variances = (np.asarray(part, np.float64) for part in _sampled_moments(key, joint, samples))
    covariance = np.atleast_2d(np.cov(means.T)) + np.diag(variances.mean(0))
    return Normal(jnp.asarray(means.mean(0), jnp.float32), jnp.asarray(whitener_of(covariance), jnp.float32))


def whitener_of(covariance: np.ndarray) -> np.ndarray:
    """The inverse of a covariance's lower Cholesky factor, in float64."""
    return np.tril(np.linalg.inv(np.linalg.cholesky(covariance)))


@partial(jax.jit, static_argnums=2)
def _sampled_moments(key: jax.Array, joint: Joint, samples: int) -> tuple[jax.Array, jax.Array]:
    return moments_of(joint, joint.source.sample(key, samples).vector)


@dataclass(frozen=True)
class MaximumEntropy:
    """E log p(z|m) - log r(z), r normal with the mean and covariance of Z (Cover & Thomas 2006, theorem 8.6.5).

    r is fitted to one sample and held against another, so the mean is an upper bound in expectation whatever the fit;
    log p(z|m) plus its entropy, of zero mean where that is known, takes most of the noise away.

    Raises (when called):
        ValueError: if the channel has atoms.
    """

    samples: int = 2**16
    name: ClassVar[str] = "maximum_entropy"
    summary: ClassVar[str] = "upper bound from the largest entropy that Z's covariance allows"

    def __call__(self, key: jax.Array, joint: Joint) -> Estimate:
        """Upper bound on I(M;Z), in bits."""
        check_density(joint.channel)
        key_fit, key_judge = jax.random.split(key)
        normal = fit_normal(key_fit, joint, self.samples)
        return against(key_judge, joint, normal, self.samples)


@partial(jax.jit, static_argnums=3)
def against(key: jax.Array, joint: Joint, density: Any, samples: int) -> Estimate:
    """E log p(z|m) - log r(z) in bits on fresh samples, for any density r with `log_prob`: an upper bound on I(M;Z).

    Infinite where a unit was an atom.
    """
    _, codes, z = joint.sample(key, samples)
    batch = min(4096, samples)
    conditional = jax.lax.map(lambda pair: joint.conditional(*pair), (z, codes), batch_size=batch)
    log_r = jax.lax.map(density.log_prob, z, batch_size=batch)
    controls = None
    if joint.channel.has_entropy:
        controls = (conditional + jax.vmap(joint.channel.entropy)(codes).sum(1))[:, None]
    bound = Estimate.from_samples(nats=conditional - log_r, kind="upper", controls=controls)
    return infinite_with_atoms(bound, joint.channel, codes)


def infinite_with_atoms(bound: Estimate, channel: Any, codes: Any) -> Estimate:
    """The bound, or infinity if a unit of one of these codes has no variance: an atom under a density r."""
    atom = (jax.vmap(channel.moments)(codes)[1] == 0).any()
    bits, low, high = (jnp.where(atom, jnp.inf, end) for end in (bound.bits, bound.low, bound.high))
    return replace(bound, bits=bits, low=low, high=high)


@dataclass(frozen=True)
class Ceiling:
    """The channel's capacity at the power that the code was found to have, summed over units (Shannon 1948).

    The power of each unit is exact where messages can be listed, else from samples; capacity is concave in the
    power, so a sampled power makes this a point estimate of the bound, with its interval by the delta method.

    Raises (when called):
        ValueError: if the channel has no ceiling, or the code does not keep to the values that it presumes.
    """

    samples: int = 32768
    name: ClassVar[str] = "ceiling"
    summary: ClassVar[str] = "the channel's capacity at the code's own power, in closed form"

    def __call__(self, key: jax.Array, joint: Joint) -> Estimate:
        """Capacity over all units, in bits.

        Raises:
            ValueError: if the channel has no ceiling.
        """

        if not joint.channel.has_ceiling:
            raise no_ceiling(joint.channel)

        def square(x: jax.Array) -> jax.Array:
            return jnp.square(joint.channel.signal(joint.encoder(x)))

        def kept(x: jax.Array) -> jax.Array:
            return joint.channel.admits(joint.encoder(x)).all()

        presumes = joint.channel.presumes

        def check(vectors: jax.Array) -> None:
            limited = presumes is not None and presumes.limits_units
            if limited and not jax.lax.map(kept, vectors, batch_size=min(8192, len(vectors))).all():
                raise ValueError(
                    f"Expected codes with {presumes.words}, which the ceiling of {joint.channel.name} "
                    "presumes; got others."
                )

        if joint.source.listable:
            vectors, log_probs = joint.source.codebook()
            check(vectors)
            squares = jax.lax.map(square, vectors, batch_size=min(8192, len(vectors)))
            power = (jnp.exp(log_probs)[:, None] * squares).sum(0)
            return Estimate.from_normal(
                bits=joint.channel.ceiling(power).sum(), stderr=0.0, kind="upper", n=len(vectors)
            )
        vectors = joint.source.sample(key, self.samples).vector
        check(vectors)
        squares = jax.lax.map(square, vectors, batch_size=4096)
        bits, slope = jax.value_and_grad(lambda p: joint.channel.ceiling(p).sum())(squares.mean(0))
        return Estimate.from_normal(
            bits=bits, stderr=jnp.std(squares @ slope) / jnp.sqrt(self.samples), kind="point", n=self.samples
        )
