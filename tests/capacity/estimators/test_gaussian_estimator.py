"""Canonical correlations against closed forms, in many dimensions and far from the normal law."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from scipy.stats import multivariate_normal

from capacity.estimators.parametric.gaussian import Canonical, GaussianMI, null_variance, wishart_bias
from capacity.results.estimate import NATS_PER_BIT

KEY = jax.random.key(0)


def correlated(
    seed: int, n: int, dims: tuple[int, int], rho: float, pairs: int
) -> tuple[np.ndarray, np.ndarray, float]:
    random = np.random.default_rng(seed)
    x, y = (random.normal(size=(n, d)) for d in dims)
    y[:, :pairs] = rho * x[:, :pairs] + np.sqrt(1 - rho**2) * y[:, :pairs]
    return x, y, -0.5 * pairs * np.log2(1 - rho**2)


@pytest.mark.parametrize(
    ("n", "dims", "rho", "pairs"),
    [
        (200, (1, 1), 0.8, 1),
        (300, (3, 2), 0.0, 1),
        (200, (25, 25), 0.5, 5),
        pytest.param(500, (50, 50), 0.22, 50, marks=pytest.mark.slow),
    ],
)
def test_no_bias_and_covered(n, dims, rho, pairs):
    estimates = []
    for seed in range(60):
        x, y, truth = correlated(seed, n, dims, rho, pairs)
        estimates.append(GaussianMI()(KEY, x, y))
    bits = np.array([e.bits for e in estimates])
    assert abs(bits.mean() - truth) < 4 * bits.std() / 60**0.5  # four standard errors of the mean
    assert np.mean([e.low <= truth <= e.high for e in estimates]) >= 0.85  # 95 % nominal, four errors below
    assert np.isclose(np.mean([e.stderr for e in estimates]), bits.std(), rtol=0.4)


def test_covered_off_the_normal_law():
    # A t of 6 degrees of freedom: the covariances' information is that of the dispersion, the errors are larger.
    covered = []
    for seed in range(60):
        x, y, truth = correlated(seed, 500, (2, 2), 0.7, 1)
        scale = np.sqrt(6 / np.random.default_rng(seed + 1000).chisquare(6, size=(500, 1)))
        e = GaussianMI()(KEY, x * scale, y * scale)
        covered.append(e.low <= truth <= e.high)
    assert np.mean(covered) >= 0.85


def test_leaving_a_pair_out_is_a_refit():
    x, y, _ = correlated(3, 40, (3, 2), 0.6, 2)
    quick = Canonical.of(x, y).without_each()
    for i in (0, 17, 39):
        slow = Canonical.of(np.delete(x, i, 0), np.delete(y, i, 0))
        assert np.isclose(quick[i], slow.plain - wishart_bias(39, 3, 2), atol=1e-10)


def test_log_ratio_is_that_of_the_densities():
    x, y, _ = correlated(1, 300, (2, 3), 0.6, 2)
    new_x, new_y, _ = correlated(2, 50, (2, 3), 0.6, 2)
    z, new = np.hstack([x, y]), np.hstack([new_x, new_y])
    mean, covariance = z.mean(axis=0), np.cov(z.T)
    parts = (slice(0, 5), slice(0, 2), slice(2, 5))
    joint, left, right = (
        multivariate_normal(mean[part], covariance[part, part]).logpdf(new[:, part]) for part in parts
    )
    assert np.allclose(GaussianMI().fit(jax.random.key(0), x, y)(new_x, new_y), joint - left - right, atol=1e-9)


def test_null_terms_are_those_of_one_beta():
    # One column against one: -1/2 log(1 - r^2), 1 - r^2 a beta variable of ((n - 2)/2, 1/2).
    r2 = 1 - np.random.default_rng(0).beta(9.0, 0.5, size=400_000)
    values = -0.5 * np.log1p(-r2)
    assert np.isclose(wishart_bias(20, 1, 1), values.mean(), rtol=0.01)
    assert np.isclose(null_variance(20, 1, 1), values.var(), rtol=0.03)


def test_invariances():
    x, y, _ = correlated(5, 400, (3, 2), 0.5, 1)
    base = GaussianMI()(KEY, x, y).bits
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    assert np.isclose(GaussianMI()(KEY, 1e6 + 1e3 * x @ turn, y * [1e-8, 1e8]).bits, base, atol=1e-8)
    assert np.isclose(GaussianMI()(KEY, y, x).bits, base, atol=1e-12)
    assert np.isclose(GaussianMI()(KEY, np.hstack([x, x @ turn]), y).bits, base, atol=1e-8)  # repeated columns


def test_a_shared_column_is_saturated():
    x, y, _ = correlated(5, 400, (2, 2), 0.5, 1)
    estimate = GaussianMI()(KEY, x, np.hstack([y, 3 * x[:, :1]]))
    assert bool(estimate.saturated) and estimate.bits > 15 and estimate.high == np.inf
    assert not bool(GaussianMI()(KEY, x, y).saturated)


def test_fifty_dimensions():
    x, y, truth = correlated(0, 10_000, (50, 50), 0.2522, 50)
    assert abs(truth * NATS_PER_BIT - 1.643) < 0.001
    estimate = GaussianMI()(KEY, x, y)
    assert abs(estimate.bits - truth) < 0.1 and estimate.low < truth < estimate.high


def test_too_few_pairs():
    x, y, _ = correlated(0, 12, (5, 5), 0.2, 1)
    with pytest.raises(ValueError, match="Expected at least 14 pairs for covariances of 5 x 5 dimensions; got 12."):
        GaussianMI()(KEY, x, y)
