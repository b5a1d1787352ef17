"""The Gaussian posterior: the closed form for a linear encoder, and moves that are reversible under it."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import multivariate_normal

from capacity import Joint
from capacity.bounds.posterior.approximation import Sweep
from capacity.bounds.posterior.gaussian import GaussianPosterior, PosteriorMean, fit_gaussian
from capacity.channels import Gaussian
from synthetic import FairBits, GaussianVectors
from synthetic.algebra import orthonormal

SPECTRUM = np.array([2.0, 1.0, 0.5, 0.1])
SIGMA = 0.4
SAMPLES = 2**16


def linear() -> tuple[Joint, np.ndarray, np.ndarray]:
    """A joint, its matrix (3, 4), and the prior covariance."""
    source = GaussianVectors(jnp.asarray(SPECTRUM, jnp.float32), orthonormal(jax.random.key(1), 4, 4))
    matrix = jax.random.normal(jax.random.key(2), (3, 4))
    assert source.rotation is not None
    rotation = np.asarray(source.rotation, np.float64)
    joint = Joint(source, lambda x: matrix @ x + 3.0, Gaussian(jnp.float32(SIGMA)))
    return joint, np.asarray(matrix, np.float64), rotation.T @ np.diag(SPECTRUM) @ rotation


def posterior() -> GaussianPosterior:
    factor = jnp.asarray([[0.5, 0.0, 0.0], [0.3, 0.2, 0.0], [-0.4, 0.1, 1.0]])
    return GaussianPosterior(jnp.ones((3, 2)), jnp.zeros(2), jnp.zeros(3), factor, jnp.linalg.inv(factor))


def test_the_fit_is_the_closed_form() -> None:
    """Prior moments come from 2^16 samples: 0.6 % is one standard error of a variance, 4 % is asked."""
    joint, matrix, prior = linear()
    fit = fit_gaussian(jax.random.key(3), joint)
    covariance = np.linalg.inv(np.linalg.inv(prior) + matrix.T @ matrix / SIGMA**2)
    np.testing.assert_allclose(fit.factor @ fit.factor.T, covariance, atol=0.04 * covariance.diagonal().max())
    np.testing.assert_allclose(fit.gain, covariance @ matrix.T / SIGMA**2, atol=0.02)
    np.testing.assert_allclose(fit.code_mean, 3.0, atol=0.05)


def test_the_start_is_the_posterior_by_bayes() -> None:
    """log q(m|z) against log p(m) + log p(z|m) - log p(z) by another route; the mean is a divergence."""
    joint, matrix, prior = linear()
    fit = fit_gaussian(jax.random.key(3), joint)
    message, _, z = joint.sample(jax.random.key(4), 4096)

    @jax.jit
    @jax.vmap
    def both(m: jax.Array, z_one: jax.Array) -> tuple[jax.Array, jax.Array]:
        observation = fit.observe(z_one)
        return joint.log_prob(m, z_one), fit.log_start(observation, fit.state_of(observation, m))

    truth, start = (np.asarray(a, np.float64) for a in both(message, z))
    evidence = multivariate_normal(np.full(3, 3.0), matrix @ prior @ matrix.T + SIGMA**2 * np.eye(3))
    divergence = truth - evidence.logpdf(np.asarray(z, np.float64)) - start
    assert abs(divergence.mean()) < 1e-3
    assert divergence.std() < 0.05


def test_the_start_is_a_normal_density() -> None:
    approximation = posterior()
    observation = PosteriorMean(jnp.asarray([1.0, -2.0, 0.5]))
    points = jax.random.normal(jax.random.key(5), (8, 3))
    covariance = np.asarray(approximation.factor @ approximation.factor.T)
    expected = multivariate_normal(np.asarray(observation.mean), covariance).logpdf(np.asarray(points))
    for log_density in (approximation.log_start, approximation.log_joint):
        found = jax.vmap(log_density, (None, 0))(observation, points)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("stretch", [1, 8, 16])
@pytest.mark.parametrize("backwards", [False, True])
def test_moves_are_reversible(stretch: int, backwards: bool) -> None:
    """Before and after are jointly normal with equal marginals; reversible iff their cross covariance is symmetric."""
    approximation = posterior()
    observation = PosteriorMean(jnp.asarray([1.0, -2.0, 0.5]))

    @jax.jit
    @jax.vmap
    def pair(key: jax.Array) -> tuple[jax.Array, jax.Array]:
        key_draw, key_move = jax.random.split(key)
        before = approximation.sample(key_draw, observation)
        return before, approximation.sweep(
            key_move, observation, before, Sweep(jnp.float32(0.5), 2, 2 + stretch, backwards)
        )

    before, after = (np.asarray(a, np.float64) for a in pair(jax.random.split(jax.random.key(6), SAMPLES)))
    covariance = np.asarray(approximation.factor @ approximation.factor.T, np.float64)
    deviations = np.sqrt(covariance.diagonal())
    white = 4 * 2**0.5 / SAMPLES**0.5 * np.outer(deviations, deviations)  # four standard errors of a product's mean
    np.testing.assert_array_less(np.abs(after.mean(0) - np.asarray(observation.mean)), 4 * deviations / SAMPLES**0.5)
    np.testing.assert_array_less(np.abs(np.cov(after.T) - covariance), white)
    cross = (before - before.mean(0)).T @ (after - after.mean(0)) / SAMPLES
    kept = (1 - (stretch / approximation.moves) ** 2) ** 0.5
    np.testing.assert_array_less(np.abs(cross - kept * covariance), white)


def test_a_discrete_source_is_refused() -> None:
    joint = Joint(FairBits(jnp.eye(3)), lambda x: x, Gaussian(1.0))
    with pytest.raises(ValueError, match="continuous source"):
        fit_gaussian(jax.random.key(0), joint)
