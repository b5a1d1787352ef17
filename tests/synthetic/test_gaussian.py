"""Gaussian vectors against reverse water-filling and SciPy's density."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import multivariate_normal

from synthetic import GaussianVectors

KEY = jax.random.key(5)
SPECTRUM = jnp.array([4.0, 2.0, 1.0, 0.5, 0.25])


@pytest.mark.parametrize(("distortion", "bits"), [(0.5, 8.3048), (1.0, 5.8048), (2.0, 3.3853), (4.0, 1.3301)])
def test_rate_is_the_known_one(distortion: float, bits: float) -> None:
    # TRUTH.md, to the digits shown there; the order of the spectrum must not matter.
    assert GaussianVectors(SPECTRUM).rate(distortion) == pytest.approx(bits, abs=5e-5)
    assert GaussianVectors(SPECTRUM[::-1]).rate(distortion) == pytest.approx(bits, abs=5e-5)


@pytest.mark.parametrize("distortion", [1e-6, 0.3, 1.25, 3.0, 7.7])
def test_rate_agrees_with_a_searched_water_level(distortion: float) -> None:
    variances = np.asarray(SPECTRUM, float)
    level = brentq(lambda t: np.minimum(t, variances).sum() - distortion, 0.0, 4.0, xtol=1e-15)
    bits = 0.5 * np.log2(np.maximum(variances / level, 1.0)).sum()
    assert GaussianVectors(SPECTRUM).rate(distortion) == pytest.approx(bits, abs=1e-7)


def test_rate_ends_at_the_whole_variance() -> None:
    source = GaussianVectors(SPECTRUM)
    assert source.rate(7.75) == source.rate(100.0) == 0.0
    with pytest.raises(ValueError, match="Expected a positive distortion; got 0"):
        source.rate(0.0)


def test_density_and_entropy_agree_with_scipy() -> None:
    source = GaussianVectors.build(KEY, 6, 4)
    turn = np.asarray(source.rotation, np.float64)
    reference = multivariate_normal(cov=(turn.T * np.asarray(source.spectrum, float)) @ turn)
    vectors = source.sample(KEY, 20).vector
    mine = jax.vmap(source.log_prob)(vectors)
    np.testing.assert_allclose(mine, reference.logpdf(vectors), atol=1e-4)
    nats = float(reference.entropy())
    assert source.differential_entropy == pytest.approx(nats / np.log(2.0), abs=1e-5)


def test_samples_have_the_covariance() -> None:
    source = GaussianVectors.build(KEY, 6, 4)
    turn = np.asarray(source.rotation)
    expected = (turn.T * np.asarray(source.spectrum)) @ turn
    # Standard errors are below 2.6 sqrt(2 / 40000) = 0.018; five of them.
    np.testing.assert_allclose(np.cov(source.sample(KEY, 40_000).vector.T), expected, atol=0.09)


@pytest.mark.parametrize(("bits", "dim"), [(16, 32), (3, 2), (64, 8)])
def test_build_gives_the_bits_where_every_dimension_counts(bits: int, dim: int) -> None:
    source = GaussianVectors.build(KEY, bits, dim)
    spectrum = np.asarray(source.spectrum, np.float64)
    assert spectrum.mean() == pytest.approx(1.0, abs=1e-6)
    assert source.rate(dim * float(spectrum.min())) == pytest.approx(bits, abs=1e-4)


def test_refusals() -> None:
    with pytest.raises(ValueError, match="positive variances"):
        GaussianVectors(jnp.array([1.0, 0.0]))
    with pytest.raises(ValueError, match=r"spectrum of shape \(dim,\); got shape \(1, 2\)"):
        GaussianVectors(jnp.ones((1, 2)))
    with pytest.raises(ValueError, match=r"rotation of shape \(2, 2\); got shape \(3, 3\)"):
        GaussianVectors(jnp.ones(2), jnp.eye(3))
    with pytest.raises(ValueError, match="dim of at least 2"):
        GaussianVectors.build(KEY, 4, 1)
    with pytest.raises(ValueError, match="at most 16 dim = 32; got 33"):
        GaussianVectors.build(KEY, 33, 2)
