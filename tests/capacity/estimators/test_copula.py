"""Copulas against closed forms, a numerical integral and increasing maps."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from scipy.special import stdtrit
from scipy.stats import multivariate_t
from scipy.stats import t as student_t

from capacity.estimators.parametric.gaussian import GaussianMI
from capacity.estimators.parametric.gaussian_copula import GaussianCopula, rank_transform
from capacity.estimators.parametric.student import Student
from capacity.estimators.parametric.student_copula import StudentCopula
from capacity.estimators.parametric.student_fit import StudentLaw, common_scale
from capacity.estimators.ranks import mid_ranks
from capacity.results.estimate import NATS_PER_BIT

KEY = jax.random.key(0)


def student_pairs(seed: int, n: int, dim: int, rho: float, freedom: float) -> tuple[np.ndarray, np.ndarray, float]:
    random = np.random.default_rng(seed)
    x, y = random.normal(size=(2, n, dim))
    y[:, 0] = rho * x[:, 0] + np.sqrt(1 - rho**2) * y[:, 0]
    nats = -0.5 * np.log(1 - rho**2)
    if np.isfinite(freedom):
        scale = np.sqrt(freedom / random.chisquare(freedom, size=(n, 1)))
        x, y, nats = x * scale, y * scale, nats + common_scale(dim, dim, freedom)
    return x, y, nats / NATS_PER_BIT


def test_information_of_a_t_by_integration():
    law = StudentLaw(np.array([[1.0, 0.4], [0.4, 1.0]]), 3.0)
    both = multivariate_t(shape=law.dispersion, df=3.0)

    # Over the unit square, by quantiles: Gauss-Legendre nodes, crowded towards the edges by u = sin^2.
    nodes, weights = np.polynomial.legendre.leggauss(300)
    angles = (nodes + 1) * np.pi / 4
    u, step = np.sin(angles) ** 2, weights * np.pi / 4 * np.sin(2 * angles)
    point = np.stack(np.meshgrid(*2 * [stdtrit(3.0, u)], indexing="ij"), axis=-1)
    ratio = both.logpdf(point) - student_t.logpdf(point, 3.0).sum(axis=-1)
    found = step @ (np.exp(ratio) * ratio) @ step
    assert np.isclose(law.nats(1), found, atol=2e-3)
    assert common_scale(3, 2, 1e7) < 1e-5
    assert np.isclose(common_scale(1, 1, 1.0), 0.224171, atol=1e-6)  # Czyz et al. 2023
    assert np.isclose(common_scale(5, 5, 2.0), 0.448151, atol=1e-6)


def test_log_ratio_of_a_t():
    law = StudentLaw(np.array([[1.0, 0.4, 0.1], [0.4, 2.0, 0.3], [0.1, 0.3, 1.5]]), 2.5)
    x, y = np.random.default_rng(0).normal(size=(20, 1)), np.random.default_rng(1).normal(size=(20, 2))
    expected = multivariate_t(shape=law.dispersion, df=2.5).logpdf(np.hstack([x, y]))
    expected = expected - multivariate_t(shape=law.dispersion[:1, :1], df=2.5).logpdf(x)
    expected = expected - multivariate_t(shape=law.dispersion[1:, 1:], df=2.5).logpdf(y)
    assert np.allclose(law.log_ratio(x, y), expected, atol=1e-10)


@pytest.mark.parametrize(
    ("method", "freedom", "dim"),
    [
        (GaussianCopula(), np.inf, 3),
        pytest.param(Student(), 1.0, 1, marks=pytest.mark.slow),
        pytest.param(Student(), 2.0, 5, marks=pytest.mark.slow),
        (StudentCopula(), 2.0, 2),
    ],
)
def test_covered(method, freedom, dim):
    reps, found = 16, []
    for seed in range(reps):
        x, y, truth = student_pairs(seed, 500, dim, 0.5, freedom)
        found.append(method(KEY, x, y))
    bits = np.array([e.bits for e in found])
    assert abs(bits.mean() - truth) < 4 * bits.std() / reps**0.5 + 0.01  # what is left of the bias, in bits
    assert np.mean([e.low <= truth <= e.high for e in found]) >= 0.75  # 95 % nominal, four errors below


@pytest.mark.parametrize("method", [GaussianCopula(), StudentCopula()])
def test_increasing_maps_change_nothing(method):
    x, y, _ = student_pairs(1, 500, 2, 0.6, 3.0)
    base = method(KEY, x, y)
    mapped = method(KEY, np.sinh(x / 50), np.arctan(y))
    swapped = method(KEY, y, x)
    assert np.isclose(base.bits, mapped.bits, atol=1e-9)
    assert np.isclose(base.bits, swapped.bits, atol=1e-5)


def test_normal_scores_agree_with_normal_data():
    x, y, _ = student_pairs(2, 4000, 3, 0.7, np.inf)
    plain, ranked, t = (m(KEY, x, y) for m in (GaussianMI(), GaussianCopula(), StudentCopula()))
    assert np.isclose(plain.bits, ranked.bits, atol=0.01)
    assert np.isclose(plain.bits, t.bits, atol=0.01)  # the normal law is the t of infinite freedom


@pytest.mark.parametrize("method", [GaussianMI(), GaussianCopula(), Student(), StudentCopula()])
def test_held_out_log_ratio_is_the_information(method):
    # The mean log density ratio of new pairs is the information, less what the fit is off by.
    freedom = np.inf if "gaussian" in method.name else 4.0
    x, y, truth = student_pairs(3, 8000, 2, 0.7, freedom)
    values = method.fit(jax.random.key(0), x[:4000], y[:4000])(x[4000:], y[4000:])
    assert values.shape == (4000,)
    assert abs(values.mean() / NATS_PER_BIT - truth) < 4 * values.std() / 4000**0.5 / NATS_PER_BIT


def test_ranks_of_new_values():
    rows = np.array([[3.0], [1.0], [2.0], [2.0]])
    assert np.allclose(mid_ranks(rows)[:, 0], [0.875, 0.125, 0.5, 0.5])
    new = np.array([[-9.0], [1.5], [2.0], [99.0]])
    assert np.allclose(rank_transform(rows)(new)[:, 0], [0.125, 0.3125, 0.5, 0.875])


def test_near_equal_columns_and_equal_ones():
    random = np.random.default_rng(0)
    x = random.normal(size=1000)
    close = GaussianCopula()(KEY, x, x + 0.14249 * random.normal(size=1000))  # rho = 0.99
    assert close.low < -0.5 * np.log2(1 - 0.99**2) < close.high
    assert bool(GaussianCopula()(KEY, x, np.exp(x)).saturated)


@pytest.mark.parametrize("method", [Student(), StudentCopula()])
def test_refuses_repeated_columns_and_too_few_pairs(method):
    x = np.random.default_rng(0).normal(size=(200, 2))
    with pytest.raises(ValueError, match="Expected columns that do not repeat one another"):
        method(KEY, x, x[:, :1])
    with pytest.raises(ValueError, match="Expected at least 60 pairs for this method; got 30."):
        method(KEY, x[:30], x[:30])
