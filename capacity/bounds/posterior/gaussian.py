"""A continuous message heard as if its code were linear: the Gaussian posterior, exact for a linear encoder.

Message and noisy code are taken for jointly Gaussian, the code's mean for W m + c by least squares, and the noise for
its mean variance and what W leaves: q(m|z) = N(G (z - c), S), the linear receiver of least squared error (Kay 1993,
Fundamentals of Statistical Signal Processing: Estimation Theory, section 11.7).  Moves are autoregressive,

    m' = mu + sqrt(1 - r^2) (m - mu) + r xi,   xi ~ N(0, S),

reversible under q for any step r (preconditioned Crank-Nicolson, Cotter et al. 2013, section 4.2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from capacity.bounds.variational.marginal import whitener_of
from capacity.channels.gaussian import LOG_2PI
from capacity.joint.joint import Joint, moments_of

SAMPLES = 2**16


class HeardMean(NamedTuple):
    """What one noisy code says: the posterior mean of the message (k,)."""

    mean: jax.Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class GaussianPosterior:
    """The approximation and its samplers, for one noisy code at a time; made by `fit_gaussian`.

    Attributes:
        gain: (k, units), from the centred code to the centred message.
        code_mean, message_mean: (units,) and (k,).
        factor, whitener: (k, k), lower Cholesky factor of the posterior covariance, and its inverse.
    """

    gain: jax.Array
    code_mean: jax.Array
    message_mean: jax.Array
    factor: jax.Array
    whitener: jax.Array
    moves: ClassVar[int] = 16

    @property
    def operations(self) -> float:
        """About how many operations a move takes: the product with the factor, and normal draws."""
        return 3.0 * self.factor.size + 100.0 * len(self.message_mean)

    def hear(self, z: jax.Array) -> HeardMean:
        """The posterior mean, given z (units,)."""
        return HeardMean(self.message_mean + self.gain @ (z - self.code_mean))

    def draw(self, key: jax.Array, heard: HeardMean) -> jax.Array:
        """A sample of q(m|z), (k,)."""
        return heard.mean + self.factor @ jax.random.normal(key, heard.mean.shape)

    def place(self, heard: HeardMean, message: jax.Array) -> jax.Array:
        """The message itself."""
        return message

    def message(self, place: jax.Array) -> jax.Array:
        """The message of a place: itself."""
        return place

    def log_start(self, heard: HeardMean, place: jax.Array) -> jax.Array:
        """log q(m|z), nats."""
        white = self.whitener @ (place - heard.mean)
        return -0.5 * (jnp.square(white).sum() + LOG_2PI * len(white)) + jnp.log(jnp.diagonal(self.whitener)).sum()

    def log_joint(self, heard: HeardMean, place: jax.Array) -> jax.Array:
        """The same as `log_start`: here the start is the approximation, and the first leg does nothing."""
        return self.log_start(heard, place)

    def sweep(
        self, key: jax.Array, heard: HeardMean, place: jax.Array, weight: Any, start: Any, stop: Any, backwards: Any
    ) -> jax.Array:
        """One autoregressive move; its step is the share of all moves, stop - start, that is asked for."""
        step = (stop - start) / self.moves
        noise = self.factor @ jax.random.normal(key, place.shape)
        return heard.mean + jnp.sqrt(1 - jnp.square(step)) * (place - heard.mean) + step * noise

    def refresh(self, heard: HeardMean, place: jax.Array) -> jax.Array:
        """The same place."""
        return place


def fit_gaussian(key: jax.Array, joint: Joint) -> GaussianPosterior:
    """The Gaussian posterior of a joint with a continuous source, from samples; in float64.

    Raises:
        ValueError: if the source is discrete.
    """
    if joint.source.discrete:
        raise ValueError("Expected a continuous source for a Gaussian posterior; got a discrete one.")
    batch = joint.source.sample(key, SAMPLES)
    means, variances = moments_of(joint, batch.vector)
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
