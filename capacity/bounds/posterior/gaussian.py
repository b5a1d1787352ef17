"""A continuous message received as if its code were linear: the Gaussian posterior, exact for a linear encoder.

Message and noisy code are taken for jointly Gaussian, the code's mean for W m + c by least squares, and the noise for
its mean variance and what W leaves: q(m|z) = N(G (z - c), S), the linear receiver of least squared error (Kay 1993,
Fundamentals of Statistical Signal Processing: Estimation Theory, section 11.7).  Moves are autoregressive,

    m' = mu + sqrt(1 - r^2) (m - mu) + r xi,   xi ~ N(0, S),

reversible under q for any step r (preconditioned Crank-Nicolson, Cotter et al. 2013, section 4.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from capacity.bounds.posterior.approximation import PosteriorApproximation, Sweep
from capacity.bounds.variational.normal import whitener_of
from capacity.channels.additive import LOG_2PI
from capacity.joint.joint import Joint, drawn, noisy_moments
from capacity.runtime.pytrees import register_dataclass
from capacity.runtime.shapes import Key, Scalar, Units

SAMPLES = 2**16
Real = Float[Array, " message_dim"]


class PosteriorMean(NamedTuple):
    """What one noisy code says: the posterior mean of the message (message_dim,)."""

    mean: jax.Array


@register_dataclass
@dataclass(frozen=True)
class GaussianPosterior(PosteriorApproximation):
    """The approximation and its samplers; made by `fit_gaussian`.  A state is the message itself.

    Attributes:
        gain: (message_dim, units), from the centred code to the centred message.
        code_mean, message_mean: (units,) and (message_dim,).
        factor, whitener: (message_dim, message_dim), lower Cholesky factor of the posterior covariance; its inverse.
    """

    gain: Float[Array, "message_dim units"]
    code_mean: Units
    message_mean: Real
    factor: Float[Array, "message_dim message_dim"]
    whitener: Float[Array, "message_dim message_dim"]
    moves: ClassVar[int] = 16

    @property
    def operations(self) -> float:
        """About how many operations a move takes: the product with the factor, and normal draws."""
        return 3.0 * self.factor.size + 100.0 * len(self.message_mean)

    def observe(self, z: Units) -> PosteriorMean:
        """The posterior mean, given z."""
        return PosteriorMean(self.message_mean + self.gain @ (z - self.code_mean))

    def sample(self, key: Key, observation: PosteriorMean) -> Real:
        return observation.mean + self.factor @ jax.random.normal(key, observation.mean.shape)

    def state_of(self, observation: PosteriorMean, message: Real) -> Real:
        return message

    def message_of(self, state: Real) -> Real:
        return state

    def log_start(self, observation: PosteriorMean, state: Real) -> Scalar:
        white = self.whitener @ (state - observation.mean)
        return -0.5 * (jnp.square(white).sum() + LOG_2PI * len(white)) + jnp.log(jnp.diagonal(self.whitener)).sum()

    def sweep(self, key: Key, observation: PosteriorMean, state: Real, part: Sweep) -> Real:
        """One autoregressive move; its step is the share of all moves, stop - start, that is asked for."""
        step = (part.stop - part.start) / self.moves
        noise = self.factor @ jax.random.normal(key, state.shape)
        return observation.mean + jnp.sqrt(1 - jnp.square(step)) * (state - observation.mean) + step * noise


def fit_gaussian(key: Key, joint: Joint) -> GaussianPosterior:
    """The Gaussian posterior of a joint with a continuous source, from samples; in float64.

    Args:
        key: of the samples.
        joint: with a continuous source.

    Raises:
        ValueError: if the source is discrete.
    """
    if joint.source.discrete:
        raise ValueError("Expected a continuous source for a Gaussian posterior; got a discrete one.")
    batch = drawn(joint.source, key, SAMPLES)
    means, variances = noisy_moments(joint, batch.vector)
    message, code = np.asarray(batch.message, np.float64), np.asarray(means, np.float64)
    message_mean, code_mean = message.mean(0), code.mean(0)
    message, code = message - message_mean, code - code_mean
    prior = message.T @ message / SAMPLES
    cross = message.T @ code / SAMPLES
    linear = np.linalg.solve(prior, cross)  # W', (k, units)
    left = np.square(code - message @ linear).mean(0)
    noise = np.asarray(variances, np.float64).mean(0) + left
    # The covariance by its precision: the difference of two nearly equal matrices would lose the small variances.
    covariance = np.linalg.inv(np.linalg.inv(prior) + (linear / noise) @ linear.T)
    gain = covariance @ (linear / noise)
    parts = gain, code_mean, message_mean, np.linalg.cholesky(covariance), whitener_of(covariance)
    return GaussianPosterior(*(jnp.asarray(part, jnp.float32) for part in parts))
