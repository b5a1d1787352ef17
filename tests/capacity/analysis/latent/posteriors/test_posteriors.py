"""Posteriors of every kind: densities, draws and moments against SciPy, bits and rates against quadrature."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import laplace as scipy_laplace
from scipy.stats import multivariate_normal, norm, vonmises, vonmises_fisher
from scipy.stats import uniform as scipy_uniform

from capacity.analysis.latent.posteriors import (
    PosteriorBits,
    Posteriors,
    full_gaussian,
    gaussian,
    hierarchy,
    laplace,
    measure_posteriors,
    mixture_of_gaussians,
    through_channel,
    uniform,
    von_mises_fisher,
)
from capacity.analysis.latent.posteriors.population import bracket_of_population
from capacity.analysis.latent.posteriors.sphere import log_bessel
from capacity.channels import BinarySymmetric, Gaussian

N = 64
RNG = np.random.default_rng(0)
CENTRES = RNG.normal(size=(N, 1))
WIDTHS = RNG.uniform(0.2, 0.5, size=(N, 1))
GRID = np.linspace(-8, 8, 16_001)
ONE_UNIT = {
    "laplace": (laplace(CENTRES, WIDTHS), scipy_laplace(CENTRES.T, WIDTHS.T)),
    "uniform": (uniform(CENTRES, WIDTHS), scipy_uniform(CENTRES.T - WIDTHS.T, 2 * WIDTHS.T)),
    "gaussian": (gaussian(CENTRES, WIDTHS), norm(CENTRES.T, WIDTHS.T)),
    "channel": (through_channel(Gaussian(WIDTHS[:, 0]), CENTRES), norm(CENTRES.T, WIDTHS.T)),
}


def measured(posteriors: Posteriors, **options: object) -> PosteriorBits:
    return measure_posteriors(1, posteriors, samples=1024, **options)  # type: ignore[arg-type]


def entropies(density: np.ndarray) -> tuple[float, float]:
    """Bits of the mixture of all and the mean of each, from densities (grid, N)."""
    step = GRID[1] - GRID[0]
    mixed = density.mean(1)
    each = np.where(density > 0, density, 1.0)
    whole = np.where(mixed > 0, mixed, 1.0)
    return -float((mixed * np.log2(whole)).sum() * step), -float((density * np.log2(each)).sum(0).mean() * step)


def near(found: object, truth: float, slack: float = 2e-3) -> bool:
    low, high = (np.asarray(getattr(found, end)).item() for end in ("low", "high"))
    return bool(low - slack <= truth <= high + slack and high - low < 0.4)


@pytest.mark.parametrize(
    "name", ["laplace", *(pytest.param(name, marks=pytest.mark.slow) for name in ("uniform", "gaussian", "channel"))]
)
def test_one_unit_has_the_bits_and_the_rate_of_quadrature(name: str) -> None:
    posteriors, law = ONE_UNIT[name]
    density = law.pdf(GRID[:, None])
    whole, each = entropies(density)
    found = measured(posteriors)
    assert near(found.information, whole - each)
    assert found.by_unit is not None and near(found.by_unit.increment, whole - each, 0.02)
    assert found.rate is not None and found.marginal_kl is not None and found.prior == "normal"
    cross = -float((density.mean(1) * norm.logpdf(GRID)).sum() * (GRID[1] - GRID[0]) / np.log(2))
    assert float(found.rate.bits) == pytest.approx(cross - each, abs=2e-3) and float(found.rate.stderr) == 0
    assert near(found.marginal_kl, cross - whole)


def test_a_rate_without_a_closed_form_has_an_interval() -> None:
    """KL(Laplace(c, b) || Laplace(0, 1)) = |c| + b exp(-|c|/b) - 1 - log b."""
    found = measured(ONE_UNIT["laplace"][0], prior="laplace")
    far = np.abs(CENTRES)
    truth = float((far + WIDTHS * np.exp(-far / WIDTHS) - 1 - np.log(WIDTHS)).mean() / np.log(2))
    assert found.rate is not None and near(found.rate, truth) and float(found.rate.stderr) > 0
    own = measured(ONE_UNIT["laplace"][0], prior=lambda z: -jnp.abs(z).sum() - z.shape[0] * float(np.log(2)))
    assert own.rate is not None and float(own.rate.bits) == pytest.approx(float(found.rate.bits), abs=1e-5)


@pytest.mark.slow
def test_mixtures_have_the_bits_of_quadrature() -> None:
    weights = RNG.dirichlet([1, 1], size=N)
    means, stds = RNG.normal(size=(N, 2, 1)), RNG.uniform(0.2, 0.5, size=(N, 2, 1))
    density = (weights * norm.pdf(GRID[:, None, None], means[..., 0], stds[..., 0])).sum(2)
    whole, each = entropies(density)
    found = measured(mixture_of_gaussians(weights, means, stds))
    assert near(found.information, whole - each)
    cross = -float((density.mean(1) * norm.logpdf(GRID)).sum() * (GRID[1] - GRID[0]) / np.log(2))
    assert found.rate is not None and near(found.rate, cross - each)


def turned_product() -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """64 posteriors of two independent units, every pair of 8 and 8, turned by a rotation; and their bits."""
    turn = np.linalg.qr(RNG.normal(size=(2, 2)))[0]
    ends = [(np.sort(RNG.normal(size=8)), RNG.uniform(0.2, 0.5, size=8)) for _ in range(2)]
    bits = 0.0
    for centres, stds in ends:
        whole, each = entropies(norm.pdf(GRID[:, None], centres, stds))
        bits += whole - each
    means, stds = (np.stack(np.meshgrid(ends[0][k], ends[1][k], indexing="ij"), -1).reshape(-1, 2) for k in (0, 1))
    return means @ turn.T, np.einsum("ij,nj,kj->nik", turn, stds**2, turn), turn, bits


def test_a_full_covariance_that_is_a_turned_product_keeps_its_bits() -> None:
    means, covariances, _, bits = turned_product()
    found = measured(full_gaussian(means, covariances, levels=(1, 1)))
    assert near(found.information, bits)
    factors = np.linalg.cholesky(covariances)
    pairs = zip(
        full_gaussian(means, factors, cholesky=True).codes, full_gaussian(means, covariances).codes, strict=True
    )
    for one, other in pairs:
        np.testing.assert_allclose(one, other, atol=1e-12)
    assert found.by_unit is not None
    marginal = norm.pdf(GRID[:, None], means[:, 0], covariances[:, 0, 0] ** 0.5)
    whole, each = entropies(marginal)
    assert near(found.levels[0], whole - each) and near(found.levels[1], bits - whole + each)
    assert abs(float(found.by_unit.marginal.bits[0]) - (whole - each)) < 4 * float(found.by_unit.marginal.stderr[0])
    rate = [0.5 * (np.trace(c) + m @ m - 2 - np.log(np.linalg.det(c))) for m, c in zip(means, covariances, strict=True)]
    assert found.rate is not None and float(found.rate.bits) == pytest.approx(np.mean(rate) / np.log(2), abs=1e-3)


@pytest.mark.slow
def test_levels_of_a_linear_hierarchy_are_those_of_its_covariance() -> None:
    """z1 = a + .3 e, z2 = b + .8 z1 + .4 e': normal with covariance [[.09, .072], [.072, .0576 + .16]]."""
    points = RNG.normal(size=(N, 2))

    def first(h: jax.Array, z: jax.Array) -> tuple[jax.Array, jax.Array]:
        return h[:1], jnp.full(1, np.log(0.3), h.dtype)

    def second(h: jax.Array, z: jax.Array) -> tuple[jax.Array, jax.Array]:
        return h[1:] + 0.8 * z, jnp.full(1, np.log(0.4), h.dtype)

    found = measured(hierarchy([first, second], points))
    means = np.stack([points[:, 0], points[:, 1] + 0.8 * points[:, 0]], 1)
    covariance = np.array([[0.09, 0.072], [0.072, 0.0576 + 0.16]])
    expected = measured(full_gaussian(means, np.tile(covariance, (N, 1, 1))))
    whole, each = entropies(norm.pdf(GRID[:, None], points[:, 0], 0.3))
    error = 4 * np.hypot(float(found.information.stderr), float(expected.information.stderr)) + 1e-3
    assert abs(float(found.information.bits) - float(expected.information.bits)) < error
    assert near(found.levels[0], whole - each)
    assert float(sum(level.bits for level in found.levels)) == pytest.approx(float(found.information.bits), abs=1e-4)


def test_on_the_circle_bits_are_those_of_quadrature_over_the_angle() -> None:
    angles, kappa = RNG.uniform(-np.pi, np.pi, size=N), RNG.uniform(5, 40, size=N)
    found = measured(von_mises_fisher(np.stack([np.cos(angles), np.sin(angles)], 1), kappa))
    grid = np.linspace(-np.pi, np.pi, 4001)[:-1]
    density = vonmises.pdf(grid[:, None] - angles, kappa)
    mixed, step = density.mean(1), grid[1] - grid[0]
    each = -float((density * np.log2(density)).sum(0).mean() * step)
    assert near(found.information, -float((mixed * np.log2(mixed)).sum() * step) - each)
    assert found.rate is not None and found.prior == "sphere" and found.by_unit is None
    assert found.usage is None
    assert float(found.rate.bits) == pytest.approx(np.log2(2 * np.pi) - each, abs=1e-3)


@pytest.mark.parametrize(
    ("dim", "kappa"),
    [
        (64, 200.0),
        *(pytest.param(*case, marks=pytest.mark.slow) for case in ((2, 3.0), (3, 20.0), (8, 0.5), (256, 0.1))),
    ],
)
def test_von_mises_fisher_is_that_of_scipy(dim: int, kappa: float) -> None:
    mu = RNG.normal(size=(2, dim))
    mu /= np.linalg.norm(mu, axis=1, keepdims=True)
    posteriors = von_mises_fisher(mu, [kappa, kappa])
    code = jax.tree.map(lambda leaf: jnp.asarray(leaf[0], jnp.float32), posteriors.codes)
    law = vonmises_fisher(mu[0], kappa)
    drawn = jax.vmap(posteriors.channel, (0, None))(jax.random.split(jax.random.key(2), 4000), code)
    np.testing.assert_allclose(jnp.square(drawn).sum(1), 1, atol=1e-5)
    some = np.asarray(drawn[:5], np.float64)
    some /= np.linalg.norm(some, axis=1, keepdims=True)
    told = jax.vmap(lambda z: posteriors.channel.log_prob(z, code).sum())(drawn[:5])
    if dim < 100:  # SciPy's normaliser is infinite at low concentrations of many dimensions
        np.testing.assert_allclose(told, law.logpdf(some), atol=2e-3 * dim**0.5)
        assert float(posteriors.channel.entropy(code).sum()) == pytest.approx(law.entropy(), abs=2e-3 * dim**0.5)
    along = np.asarray(drawn @ code.direction, np.float64)
    covariance = np.asarray(posteriors.channel.covariance(code))
    spread = float(mu[0] @ covariance @ mu[0])
    assert along.mean() == pytest.approx(float(code.length[0]), abs=4 * (along.var() / 4000) ** 0.5)
    assert along.var() == pytest.approx(spread, rel=0.15)
    assert np.trace(covariance) == pytest.approx(1 - float(code.length[0]) ** 2, abs=1e-4)
    np.testing.assert_allclose(
        log_bessel(0.5, np.array([1e-3, 1.0, 700.0])),
        [np.log(np.sqrt(2 / (np.pi * 1e-3)) * np.sinh(1e-3)), np.log(np.sqrt(2 / np.pi) * np.sinh(1.0)),
         700 - np.log(2) + 0.5 * np.log(2 / (np.pi * 700))], rtol=1e-9,
    )  # fmt: skip


def test_flips_of_each_point_have_the_bits_of_direct_enumeration() -> None:
    signs, flips = RNG.choice([-1.0, 1.0], size=(N, 3)), RNG.uniform(0.02, 0.4, size=(N, 3))
    found = measured(through_channel(BinarySymmetric(flips), signs))
    words = np.array(np.meshgrid(*[[-1, 1]] * 3)).reshape(3, -1).T
    given = np.where(words[:, None] == signs, 1 - flips, flips).prod(2)
    mixed = given.mean(1)
    truth = -(mixed * np.log2(mixed)).sum() + (given * np.log2(given)).sum(0).mean()
    assert found.rate is None and found.information.low - 1e-3 <= truth <= found.information.high + 1e-3
    assert float(found.information.bits) == pytest.approx(truth, abs=0.1)


def test_a_density_by_unit_is_that_of_scipy() -> None:
    means, covariances, _, _ = turned_product()
    posteriors = full_gaussian(means, covariances)
    code = jax.tree.map(lambda leaf: jnp.asarray(leaf[5], jnp.float32), posteriors.codes)
    z = means[6]
    told = posteriors.channel.log_prob(jnp.asarray(z, jnp.float32), code)
    assert float(told.sum()) == pytest.approx(multivariate_normal(means[5], covariances[5]).logpdf(z), rel=1e-4)
    assert float(told[0]) == pytest.approx(norm.logpdf(z[0], means[5, 0], covariances[5, 0, 0] ** 0.5), rel=1e-4)
    draws = jax.vmap(posteriors.channel, (0, None))(jax.random.split(jax.random.key(3), 4000), code)
    np.testing.assert_allclose(np.cov(np.asarray(draws).T), covariances[5], atol=0.02)


def test_few_points_say_nothing_of_a_population() -> None:
    found = bracket_of_population(jax.random.key(0), gaussian(CENTRES[:10], WIDTHS[:10]), 1024)
    assert found.high == np.inf and "fewer than 64" in found.method


def test_units_are_told_by_what_they_say_and_points_told_apart_leave_the_population_open() -> None:
    found = measured(gaussian(CENTRES, WIDTHS))
    assert found.usage is not None and found.usage.active.tolist() == [True] and found.population_known
    assert found.by_unit is not None and found.usage.bits == found.by_unit.marginal.bits
    constant = measured(gaussian(0 * CENTRES, WIDTHS.mean() + 0 * WIDTHS))
    assert constant.usage is not None and not constant.usage.active.any()
    apart = measured(gaussian(CENTRES, 1e-3 * WIDTHS))
    assert apart.told_apart and not apart.population_known


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: laplace(CENTRES, 0 * WIDTHS), "scales above 0; got 0"),
        (lambda: uniform(CENTRES, WIDTHS[:3]), "one shape"),
        (lambda: full_gaussian(np.zeros((5, 2)), np.tile(np.triu(np.ones((2, 2))), (5, 1, 1))), "symmetric"),
        (lambda: full_gaussian(np.zeros((5, 2)), np.tile(np.ones((2, 2)), (5, 1, 1))), "positive definite|eigenvalue"),
        (lambda: full_gaussian(np.zeros((5, 2)), np.ones((5, 2))), "3 axes"),
        (lambda: mixture_of_gaussians(np.ones((5, 2)), np.zeros((5, 2, 1)), np.ones((5, 2, 1))), "weights of sum 1"),
        (lambda: von_mises_fisher(np.ones((5, 2)), np.ones(5)), "length 1"),
        (lambda: von_mises_fisher(np.eye(2), -np.ones(2)), "above 0"),
        (lambda: through_channel(Gaussian(np.ones(7)), CENTRES), "shape"),
        (lambda: through_channel(Gaussian(0.0), CENTRES), "noise on every code, .* row 0, unit 0 .*levels 0 to 0"),
        (lambda: through_channel(Gaussian(-1.0), CENTRES), "noise on every code"),
        (lambda: through_channel(Gaussian(np.inf), CENTRES), "noise on every code"),
        (lambda: through_channel(Gaussian(np.r_[np.ones(N - 1), np.nan]), CENTRES), f"not in row {N - 1}"),
        (lambda: laplace(1e300 * CENTRES, WIDTHS), "centres within"),
        (lambda: gaussian(CENTRES, WIDTHS, levels=(2, 3)), "levels of 1 units"),
        (lambda: gaussian(CENTRES * np.nan, WIDTHS), "finite centres"),
        (lambda: hierarchy([], CENTRES), "at least one level"),
        (lambda: gaussian(CENTRES[:1], WIDTHS[:1]), "2 to"),
        (lambda: measured(ONE_UNIT["laplace"][0], prior="sphere"), "prior on codes that are real"),
        (lambda: measured(ONE_UNIT["laplace"][0], prior="laplacian"), "Did you mean 'laplace'"),
    ],
)
def test_refusals(make: object, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        make()  # type: ignore[operator]
