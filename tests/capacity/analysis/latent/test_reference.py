"""Laws against numbers: cross entropies in closed form, that Jensen's bound is one, and that densities sum to one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from capacity.analysis.latent.reference import bulk, independent, mixture, normal, share_of_tails, standard

FITS = {"independent": independent, "normal": normal, "bulk": bulk, "mixture": mixture}


def points(seed: int = 0, n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    mean = rng.normal(size=(n, 2)) @ np.array([[1.0, 0.5], [0.0, 0.7]]) + 6.0 * rng.integers(0, 2, size=(n, 1))
    return mean, 0.2 * rng.normal(size=(n, 2)) - 1


@pytest.mark.parametrize("name", FITS)
def test_a_law_is_one_and_its_cross_entropy_a_bound(name: str) -> None:
    mean, log_std = points()
    law = FITS[name](mean, log_std, np.ones(len(mean)))
    grid = np.linspace(-30, 40, 281)
    both = np.stack(np.meshgrid(grid, grid), -1).reshape(-1, 2)
    mass = np.exp(-law.cross_entropy(both)).sum() * (grid[1] - grid[0]) ** 2
    assert 0.99 < mass <= 1.001
    noise = np.random.default_rng(1).normal(size=(4000, 2))
    for i in range(3):
        drawn = law.cross_entropy(mean[i] + np.exp(log_std[i]) * noise)
        told = law.cross_entropy(mean[i : i + 1], log_std[i : i + 1])[0]
        assert told >= drawn.mean() - 4 * drawn.std() / 4000**0.5
        assert told <= drawn.mean() + 0.2


def test_a_normal_law_is_that_of_scipy_and_falls_apart_by_unit() -> None:
    mean, log_std = points()
    law = normal(mean, log_std, np.ones(len(mean)))
    covariance = np.cov(mean.T, bias=True) + np.diag(np.exp(2 * log_std).mean(0))
    expected = -multivariate_normal(mean.mean(0), covariance).logpdf(mean)
    np.testing.assert_allclose(law.cross_entropy(mean), expected, atol=1e-2)
    np.testing.assert_allclose(law.each_unit(mean, log_std).sum(1), law.cross_entropy(mean, log_std), atol=1e-2)


def test_the_prior_is_where_it_was() -> None:
    centre = np.array([3.0, -1.0])
    at_zero = standard(centre).cross_entropy(-centre[None])[0]
    assert at_zero == pytest.approx(np.log(2 * np.pi), abs=2e-3)


def test_tails_keep_a_far_point_from_deciding() -> None:
    mean, log_std = points()
    for fit in FITS.values():
        assert fit(mean, log_std, np.ones(len(mean))).cross_entropy(np.full((1, 2), 1e6))[0] < 60
    assert share_of_tails(np.full(1, -1e12), np.full(1, -50.0))[0] > -60
