"""A normal density r(z) with the mean and covariance of Z: of all densities with these the one of most entropy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from capacity.bounds.variational.covariances import code_moments, restricted_covariance
from capacity.channels.additive import LOG_2PI
from capacity.joint.joint import Joint, noisy_moments
from capacity.runtime.pytrees import register_dataclass
from capacity.runtime.shapes import Key, Scalar, Units


@register_dataclass
@dataclass(frozen=True)
class Normal:
    """A normal density r(z) on all units together: `mean` (units,), and `whitener`, L^-1 of its covariance L L'."""

    mean: jax.Array
    whitener: jax.Array

    def log_prob(self, z: Units) -> Scalar:
        """log r(z) of one noisy code, nats."""
        # A product: a triangular system for every z would read the matrix anew each time.
        white = self.whitener @ (z - self.mean)
        return -0.5 * (jnp.square(white).sum() + LOG_2PI * len(white)) + jnp.log(jnp.diagonal(self.whitener)).sum()


def fit_normal(key: Key, joint: Joint, samples: int = 2**16) -> Normal:
    """Mean and covariance of Z, from so many sampled codes and the noise's known variance; in float64."""
    means, variances = (np.asarray(part, np.float64) for part in _sampled_moments(key, joint, samples))
    covariance = np.atleast_2d(np.cov(means.T)) + np.diag(variances.mean(0))
    return Normal(jnp.asarray(means.mean(0), jnp.float32), jnp.asarray(whitener_of(covariance), jnp.float32))


def fit_restricted(key: Key, joint: Joint, samples: int, covariance: str) -> Normal:
    """The same with a covariance for which samples need not outnumber units.

    Args:
        key: of the samples.
        joint: source, encoder and channel.
        samples: how many, met in chunks.
        covariance: one of `COVARIANCES`.
    """
    moments = code_moments(key, joint, samples)
    whitener = whitener_of(restricted_covariance(moments, covariance))
    return Normal(jnp.asarray(moments.mean, jnp.float32), jnp.asarray(whitener, jnp.float32))


def whitener_of(covariance: Float[np.ndarray, "units units"]) -> Float[np.ndarray, "units units"]:
    """The inverse of a covariance's lower Cholesky factor, in float64."""
    whitener: np.ndarray = np.tril(np.linalg.inv(np.linalg.cholesky(covariance)))
    return whitener


@partial(jax.jit, static_argnums=2)
def _sampled_moments(key: jax.Array, joint: Joint, samples: int) -> tuple[jax.Array, jax.Array]:
    moments: tuple[jax.Array, jax.Array] = noisy_moments(joint, joint.source.sample(key, samples).vector)
    return moments
