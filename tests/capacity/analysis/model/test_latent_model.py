"""A model of single points in JAX is the same as one of NumPy batches; what cannot be is refused."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from linear_vae import linear_vae

from capacity.analysis.model import CodePrior, LatentModel

UNITS, DIM = 3, 5
WEIGHTS = np.random.default_rng(0).normal(size=(DIM, UNITS))


def log_likelihood(x: jax.Array, z: jax.Array) -> jax.Array:
    return -0.5 * jnp.square(x - WEIGHTS @ z).sum()


MODEL = LatentModel.from_jax(
    UNITS,
    log_likelihood,
    lambda key, z: WEIGHTS @ z + jax.random.normal(key, (DIM,)),
    encode=lambda x: (x[:UNITS], -x[:UNITS]),
    log_prior=lambda z: -jnp.abs(z).sum() - UNITS * np.log(2.0),
    draw_prior=lambda key: jax.random.laplace(key, (UNITS,)),
    batch=64,
)


@pytest.mark.parametrize("n", [1, 7, 64, 150])
def test_functions_of_one_point_serve_batches(n: int) -> None:
    rng = np.random.default_rng(1)
    x, z = rng.normal(size=(n, DIM)), rng.normal(size=(n, UNITS))
    left = x - z @ WEIGHTS.T
    value, slope = MODEL.log_joint(x, z)
    prior = -np.abs(z).sum(1) - UNITS * np.log(2)
    np.testing.assert_allclose(value, -0.5 * np.square(left).sum(1) + prior, rtol=1e-12)
    np.testing.assert_allclose(slope, left @ WEIGHTS - np.sign(z), rtol=1e-12)
    np.testing.assert_allclose(MODEL.likelihood(x, z), value - prior)
    mean, spread = MODEL.posterior(x)
    np.testing.assert_array_equal(mean, -spread)
    codes, points = MODEL.draw(np.random.default_rng(0), n)
    assert codes.shape == (n, UNITS) and points.shape == (n, DIM) and points.dtype == np.float64
    again = MODEL.draw(np.random.default_rng(0), n)
    np.testing.assert_array_equal(points, again[1])


def test_draws_are_those_of_the_prior_and_the_decoder() -> None:
    z, x = MODEL.draw(np.random.default_rng(2), 4000)
    np.testing.assert_allclose(np.cov(z.T), 2 * np.eye(UNITS), atol=0.25)
    np.testing.assert_allclose(np.cov((x - z @ WEIGHTS.T).T), np.eye(DIM), atol=0.1)


def test_what_is_no_number_counts_as_impossible() -> None:
    model = LatentModel(1, lambda x, z: np.log(z[:, 0]), lambda rng, z: z)
    with np.errstate(invalid="ignore"):
        assert model.likelihood(np.zeros((2, 1)), np.array([[-1.0], [1.0]])).tolist() == [-np.inf, 0.0]


def test_refusals() -> None:
    known = linear_vae(2, 4, 0.5).model
    z, x = known.draw(np.random.default_rng(0), 5)
    with pytest.raises(ValueError, match="both log_prior and draw_prior"):
        LatentModel.from_jax(2, log_likelihood, lambda key, z: z, log_prior=lambda z: z.sum())
    with pytest.raises(ValueError, match="gradient of the prior"):
        LatentModel(
            2,
            known.log_likelihood,
            known.simulate,
            known.gradient,
            prior=CodePrior(lambda z: z.sum(1), lambda rng, n: np.zeros((n, 2))),
        )
    with pytest.raises(ValueError, match=r"log likelihoods of shape \(5,\); got \(5, 4\)"):
        LatentModel(2, lambda x, z: x, known.simulate).likelihood(x, z)
    with pytest.raises(ValueError, match=r"means of the encoder of shape \(5, 2\); got \(5, 4\)"):
        LatentModel(2, known.log_likelihood, known.simulate, encode=lambda x: (x, x)).posterior(x)
    with pytest.raises(ValueError, match="finite log standard deviations of the encoder; got inf"):
        LatentModel(
            2, known.log_likelihood, known.simulate, encode=lambda x: (x[:, :2], np.full((5, 2), np.inf))
        ).posterior(x)
    with pytest.raises(ValueError, match="5 points of simulate"):
        LatentModel(2, known.log_likelihood, lambda rng, z: z[:2]).draw(np.random.default_rng(0), 5)
    with pytest.raises(ValueError, match="with an encoder"):
        LatentModel(2, known.log_likelihood, known.simulate).posterior(x)
    with pytest.raises(ValueError, match="units of at least 1"):
        LatentModel(0, known.log_likelihood, known.simulate)
