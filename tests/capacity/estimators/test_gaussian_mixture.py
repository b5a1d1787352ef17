"""Mixtures of normal laws: the fit against laws that are known, the figure against exact density ratios."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from scipy.special import ndtri
from scipy.stats import multivariate_normal

from capacity.estimators.parametric.gaussian_mixture import MAX_COLUMNS, GaussianMixture
from capacity.estimators.parametric.mixture_fit import MixtureLaw, growing_mixtures
from capacity.results.estimate import NATS_PER_BIT, Estimate

KEY = jax.random.key(0)


def law(weights: list[float], means: np.ndarray, covariances: np.ndarray) -> MixtureLaw:
    return MixtureLaw(np.array(weights), np.asarray(means, float), np.asarray(covariances, float))


def drawn(mixture: MixtureLaw, seed: int, n: int, dx: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    which = random.choice(len(mixture.weights), size=n, p=mixture.weights)
    noise = random.normal(size=(n, mixture.means.shape[1]))
    rows = mixture.means[which] + np.einsum("nij,nj->ni", np.linalg.cholesky(mixture.covariances)[which], noise)
    return rows[:, :dx], rows[:, dx:]


def scipy_log_prob(mixture: MixtureLaw, rows: np.ndarray) -> np.ndarray:
    parts = zip(mixture.weights, mixture.means, mixture.covariances, strict=True)
    return np.log(sum(w * multivariate_normal(m, c).pdf(rows) for w, m, c in parts))


def related(dim: int, bits: float, share: float) -> MixtureLaw:
    """A share of the pairs are correlated normals of so many bits, the others independent."""
    rho, both = np.sqrt(1 - 2 ** (-2 * bits / dim)), np.eye(2 * dim)
    both[np.arange(dim), np.arange(dim) + dim] = both[np.arange(dim) + dim, np.arange(dim)] = rho
    return law([share, 1 - share], np.zeros((2, 2 * dim)), np.stack([both, np.eye(2 * dim)]))


def exclusive_or(gap: float) -> MixtureLaw:
    signs = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    return law([0.25] * 4, signs * np.array([gap, gap, 1.5]), np.stack([np.eye(3)] * 4))


def random_law(seed: int, components: int, d: int) -> MixtureLaw:
    random = np.random.default_rng(seed)
    covariances = np.stack([np.cov(random.normal(size=(d, d + 3))) for _ in range(components)])
    return law(list(random.dirichlet(np.full(components, 3.0))), random.normal(size=(components, d)) * 2, covariances)


def holds(found: Estimate, bits: float, within: float) -> bool:
    return bool(found.low <= bits <= found.high and abs(found.bits - bits) < within and not found.saturated)


def test_density_and_ratio_of_a_mixture():
    mixture = random_law(0, 3, 5)
    x, y = drawn(mixture, 1, 200, 2)
    rows = np.hstack([x, y])
    assert np.allclose(mixture.log_prob(rows), scipy_log_prob(mixture, rows), atol=1e-9)
    apart = scipy_log_prob(mixture.margin(slice(0, 2)), x) + scipy_log_prob(mixture.margin(slice(2, 5)), y)
    assert np.allclose(mixture.log_ratio(x, y), scipy_log_prob(mixture, rows) - apart, atol=1e-9)


def test_one_component_is_the_normal_law_of_the_rows():
    rows = np.hstack(drawn(random_law(2, 1, 3), 3, 500, 1))
    fitted = next(growing_mixtures(rows, np.random.default_rng(0), 1))
    assert np.allclose(fitted.means[0], rows.mean(axis=0))
    assert np.allclose(fitted.covariances[0], np.cov(rows.T, bias=True), atol=1e-6)


def test_concentric_components_are_told_apart():
    rows = np.hstack(drawn(law([0.7, 0.3], np.zeros((2, 2)), np.stack([np.eye(2) * 0.05, np.eye(2)])), 4, 6000, 1))
    fitted = list(growing_mixtures(rows, np.random.default_rng(0), 2))[-1]
    small = int(np.argmin(fitted.covariances[:, 0, 0]))
    assert fitted.weights[small] == pytest.approx(0.7, abs=0.04)
    assert np.allclose(fitted.covariances[small], 0.05 * np.eye(2), atol=0.01)
    assert np.allclose(fitted.covariances[1 - small], np.eye(2), atol=0.12)


@pytest.mark.parametrize(
    ("mixture", "dx", "n"),
    [
        pytest.param(related(5, 4.0, 0.7), 5, 5000, marks=pytest.mark.slow),
        pytest.param(exclusive_or(1.5), 2, 2000, marks=pytest.mark.slow),
        (random_law(5, 4, 4), 2, 2000),
        (random_law(21, 1, 6), 3, 1000),
    ],
    ids=["related and not", "exclusive or", "four components", "normal"],
)
def test_of_mixtures(mixture: MixtureLaw, dx: int, n: int):
    exact = mixture.log_ratio(*drawn(mixture, 6, 200_000, dx)) / NATS_PER_BIT
    found = GaussianMixture()(KEY, *drawn(mixture, 7, n, dx))
    assert found.kind == "point" and holds(found, float(exact.mean()), within=0.05 * exact.mean() + 0.05)


def test_of_a_law_that_is_no_mixture():
    # Frank's copula with normal margins, whose density is a closed form.
    theta, random = 15.0, np.random.default_rng(22)
    u, w = random.uniform(size=(2, 103_000))
    v = -np.log1p(w * np.expm1(-theta) / (w + (1 - w) * np.exp(-theta * u))) / theta
    below = -np.expm1(-theta) - np.expm1(-theta * u) * np.expm1(-theta * v)
    bits = (np.log(-theta * np.expm1(-theta)) - theta * (u + v) - 2 * np.log(below)).mean() / NATS_PER_BIT
    found = GaussianMixture()(KEY, ndtri(u[:3000, None]), ndtri(v[:3000, None]))
    assert holds(found, float(bits), within=0.08)


def test_independent_clusters_share_nothing():
    x = np.hstack(drawn(random_law(9, 4, 2), 10, 2000, 1))
    y = np.hstack(drawn(random_law(11, 3, 2), 12, 2000, 1))
    assert holds(GaussianMixture()(KEY, x, y), 0.0, within=0.03)


def test_what_is_no_mixture_is_a_lower_bound():
    # Two coordinates behind tanh in six columns: no density, and infinitely many narrow components.
    random = np.random.default_rng(13)
    a = random.normal(size=(2000, 2))
    b = 0.8 * a + 0.6 * random.normal(size=a.shape)
    x, y = (np.tanh(z @ random.normal(size=(2, 48))) @ random.normal(size=(48, 6)) for z in (a, b))
    found, truth = GaussianMixture()(KEY, x, y), -np.log2(1 - 0.64)
    assert found.low <= truth and (found.kind == "lower" or found.high >= truth)


def test_more_turns_than_components_are_saturated():
    x = np.random.default_rng(14).uniform(size=1000)
    y = np.sin(2 * np.pi * 12 * x) + 0.1 * np.random.default_rng(15).normal(size=1000)
    found = GaussianMixture()(KEY, x, y)
    assert found.low <= 2.45 and (bool(found.saturated) or found.high >= 2.45)


def test_held_out_log_ratio():
    mixture = random_law(16, 3, 4)
    x, y = drawn(mixture, 17, 4000, 2)
    found, exact = GaussianMixture().fit(KEY, x[:3000], y[:3000])(x[3000:], y[3000:]), mixture.log_ratio(x, y)[3000:]
    assert found.shape == (1000,) and abs(found - exact).mean() < 0.12


def test_repeated_columns_change_nothing():
    x, y = drawn(random_law(18, 2, 4), 19, 1000, 2)
    plain, more = GaussianMixture()(KEY, x, y), GaussianMixture()(KEY, np.hstack([x, x @ [[1.0], [2.0]]]), y)
    assert more.bits == pytest.approx(float(plain.bits), abs=0.02)


def test_refuses_too_many_columns_and_too_few_pairs():
    rows = np.random.default_rng(20).normal(size=(1000, MAX_COLUMNS))
    with pytest.raises(ValueError, match="at most 20 columns"):
        GaussianMixture()(KEY, rows, rows[:, :1] + rows[:, 1:2])
    with pytest.raises(ValueError, match="at least 693 pairs"):
        GaussianMixture().fit(KEY, rows[:600, :10], rows[:600, 10:])


@pytest.mark.parametrize("wide", [False, True], ids=["normal", "Cauchy"])
def test_copies_have_no_upper_end(wide: bool):
    x = np.random.default_rng(23).standard_cauchy(size=500) if wide else np.random.default_rng(23).normal(size=500)
    found = GaussianMixture()(KEY, x, x)
    assert bool(found.saturated) and np.isinf(found.high) and found.bits > 6
