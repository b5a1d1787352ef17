"""Nonlinear canonical correlation: dependence behind maps, and no more than there is."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from scipy.linalg import expm

from capacity.estimators.features.directions import directed
from capacity.estimators.features.feature_cca import FeatureCCA
from capacity.estimators.features.maps import additive, columns, products, radial, ripples
from capacity.estimators.features.variates import real_pairs, variates
from capacity.estimators.parametric.gaussian_copula import GaussianCopula
from capacity.results.estimate import NATS_PER_BIT

KEY = jax.random.key(0)


def normals(seed: int, n: int, dim: int, rho: float = 0.8, pairs: int = 2) -> tuple[np.ndarray, np.ndarray, float]:
    random = np.random.default_rng(seed)
    x, y = random.normal(size=(2, n, dim))
    y[:, :pairs] = rho * x[:, :pairs] + np.sqrt(1 - rho**2) * y[:, :pairs]
    return x, y, -0.5 * pairs * np.log2(1 - rho**2)


def spiralled(values: np.ndarray, seed: int) -> np.ndarray:
    """x -> expm(|x|^2 A / 3) x, A any generator of rotations of unit speed."""
    dim = values.shape[1]
    generator = np.random.default_rng(seed).normal(size=(dim, dim))
    generator = generator - generator.T
    generator = generator / np.linalg.norm(generator, 2)
    phases, axes = np.linalg.eigh(1j * generator)  # expm(s A) by its eigenvectors, all rows at once
    turned = (values @ axes.conj()) * np.exp(-1j * phases * (values**2).sum(axis=1, keepdims=True) / 3)
    result = (turned @ axes.T).real
    assert np.allclose(result[0], expm((values[0] ** 2).sum() / 3 * generator) @ values[0])
    return result


@pytest.mark.parametrize("dim", [3, 5])
def test_behind_a_spiral(dim):
    x, y, truth = normals(0, 6000, dim)
    turned_x, turned_y = spiralled(x, 1), spiralled(y, 2)
    estimate = FeatureCCA()(KEY, turned_x, turned_y)
    assert GaussianCopula()(KEY, turned_x, turned_y).high < 0.6 * truth  # what the covariances see of it
    assert estimate.low <= truth <= estimate.high
    assert abs(estimate.bits - truth) * NATS_PER_BIT < 0.07


def test_plain_normals_lose_nothing():
    x, y, truth = normals(1, 4000, 5)
    estimate = FeatureCCA()(KEY, x, y)
    assert estimate.low <= truth <= estimate.high and abs(estimate.bits - truth) * NATS_PER_BIT < 0.06


def test_independence():
    x, y, _ = normals(2, 2000, 3, rho=0.0)
    estimate = FeatureCCA()(KEY, x, y)
    assert estimate.low <= 0 <= estimate.high and abs(estimate.bits) < 0.02


def test_an_even_function_of_one_column():
    # Y = X^2 + noise with X^2 a lognormal: I(X;Y) = I(X^2;Y), which the normal copula has in closed form.
    random = np.random.default_rng(3)
    z, noise, sign = random.normal(size=4000), random.normal(size=4000), random.choice([-1.0, 1.0], 4000)
    x, y = sign * np.exp(z / 2), 0.8 * z + 0.6 * noise
    estimate = FeatureCCA()(KEY, x, y)
    truth = -0.5 * np.log2(1 - 0.64)
    assert GaussianCopula()(KEY, x, y).high < 0.02
    assert estimate.low <= truth + 0.02 and abs(estimate.bits - truth) * NATS_PER_BIT < 0.05


def test_functions_of_a_variate_are_not_new():
    z = np.random.default_rng(4).normal(size=(3000, 2))
    again = np.column_stack([z[:, 0], z[:, 0] ** 2 - 1])
    assert real_pairs(again, again) == 1
    circle = np.column_stack([np.cos(6 * z[:, 0]), np.sin(6 * z[:, 0])])  # no function of the other, but its square is
    assert real_pairs(circle, circle) == 1
    assert real_pairs(z, z) == 2
    assert real_pairs(z, np.random.default_rng(5).normal(size=(3000, 2))) == 0


def test_variates_undo_a_mixture():
    x, y, _ = normals(6, 4000, 3)
    found = variates(x, y, (columns(x), columns(y)), 2)
    new_x, new_y, _ = normals(7, 4000, 3)
    left, right = found.of_x(new_x), found.of_y(new_y)
    rho = [np.corrcoef(left[:, i], right[:, i])[0, 1] for i in range(2)]
    assert np.allclose(rho, 0.8, atol=0.04)


def test_held_out_log_ratio():
    x, y, truth = normals(8, 6000, 3)
    x, y = spiralled(x, 1), spiralled(y, 2)
    values = FeatureCCA().fit(jax.random.key(0), x[:4000], y[:4000])(x[4000:], y[4000:])
    assert values.shape == (2000,)
    assert 0.75 * truth < values.mean() / NATS_PER_BIT < truth + 3 * values.std() / 2000**0.5 / NATS_PER_BIT


def test_libraries_are_maps_of_any_rows():
    random = np.random.default_rng(9)
    x, y = random.normal(size=(300, 8)), random.normal(size=(300, 7))
    for library in (additive(3), radial(3, 2.0), products(2), ripples(20, 1.0), directed(products(2), 2, 3, 2)):
        maps = library(x, y, random)
        assert maps is not None
        for rows, features in zip((x, y), maps, strict=True):
            assert np.allclose(features(rows)[:10], features(rows[:10]))
    assert products(6)(x, y, random) is None  # too many
    assert radial(3, 2.0)(x[:, :1], y[:, :1], random) is None  # a radius of one column


def test_the_same_key_gives_the_same_figure():
    x, y, _ = normals(10, 1000, 2)
    x, y = spiralled(x, 1), spiralled(y, 2)
    found = FeatureCCA()(KEY, x, y).bits
    assert found == FeatureCCA()(KEY, x, y).bits
    assert np.isclose(FeatureCCA()(KEY, 5 * x - 3, y).bits, found, atol=1e-6)
