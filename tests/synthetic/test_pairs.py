"""Pairs against published truths, quadrature, Monte Carlo of the information density, and their maps undone."""

import inspect
import itertools

import jax
import numpy as np
import pytest
from scipy import integrate, stats
from scipy.linalg import expm
from scipy.special import ive, ndtr

from synthetic import pairs
from synthetic.pairs import EXTRA_TASKS, PUBLIC_TASKS, Pair
from synthetic.pairs.bends import Linear, Spiral, SwissRoll, rotation
from synthetic.pairs.maps import (
    ASINH,
    EXPONENTIAL,
    HALF_CUBE,
    NORMAL_CDF,
    Columnwise,
    Injection,
    MixtureMargins,
    Wiggly,
)
from synthetic.pairs.normal import bivariate, chained, dense, sparse
from synthetic.pairs.student import identity

KEY = jax.random.key(11)
TASKS = PUBLIC_TASKS | EXTRA_TASKS
LN2 = np.log(2.0)

# Nats to the digits that the public benchmark gives, by name (Czyz et al. 2023).
NATS_OF_BASE = {
    "1v1-normal-0.75": 0.413339, "1v1-bimodal-0.75": 0.413339,
    "1v1-additive-0.1": 1.709438, "1v1-additive-0.75": 0.333333,
    "multinormal-dense-2-2-0.5": 0.293893, "multinormal-dense-3-3-0.5": 0.413339,
    "multinormal-dense-5-5-0.5": 0.592812, "multinormal-dense-25-25-0.5": 1.292184,
    "multinormal-dense-50-50-0.5": 1.624265,
    "multinormal-sparse-2-2-2-2.0": 1.021651, "multinormal-sparse-3-3-2-2.0": 1.021651,
    "multinormal-sparse-5-5-2-2.0": 1.021651, "multinormal-sparse-25-25-2-2.0": 1.021651,
    "student-identity-1-1-1": 0.224171, "student-identity-2-2-1": 0.431946, "student-identity-2-2-2": 0.193147,
    "student-identity-3-3-2": 0.290922, "student-identity-3-3-3": 0.178712, "student-identity-5-5-2": 0.448151,
    "student-identity-5-5-3": 0.298544,
}  # fmt: skip
IMAGES = [
    "normal_cdf-1v1-normal-0.75", "wiggly-1v1-normal-0.75", "half_cube-1v1-normal-0.75",
    "asinh-student-identity-1-1-1", "swissroll_x-normal_cdf-1v1-normal-0.75",
    *(f"{maps}-multinormal-sparse-{dim}-{dim}-2-2.0"
      for maps in ("normal_cdf", "half_cube", "spiral", "spiral-normal_cdf") for dim in (3, 5, 25)),
    "asinh-student-identity-2-2-1", "asinh-student-identity-3-3-2", "asinh-student-identity-5-5-2",
]  # fmt: skip


def test_the_public_tasks_are_the_forty() -> None:
    assert sorted(PUBLIC_TASKS) == sorted([*NATS_OF_BASE, *IMAGES])
    assert len(PUBLIC_TASKS) == 40
    assert not set(PUBLIC_TASKS) & set(EXTRA_TASKS)


@pytest.mark.parametrize("name", PUBLIC_TASKS)
def test_truths_are_the_published_ones(name: str) -> None:
    base = next(base for base in NATS_OF_BASE if name.endswith(base))
    assert PUBLIC_TASKS[name].bits * LN2 == pytest.approx(NATS_OF_BASE[base], abs=6e-7)


@pytest.mark.parametrize("name", TASKS)
def test_laws(name: str) -> None:
    pair = TASKS[name]
    assert isinstance(pair, Pair)
    assert pair.name == name and pairs.task(name) is pair
    n = 4000
    x, y = pair.sample(KEY, n)
    assert x.shape == (n, pair.dim_x) and y.shape == (n, pair.dim_y)
    assert x.dtype == y.dtype == np.float64
    assert np.isfinite(x).all() and np.isfinite(y).all()
    again, _ = pair.sample(KEY, n)
    other, _ = pair.sample(jax.random.key(12), n)
    assert (x == again).all() and not (x == other).any()
    # The mean of the exact information density is the truth: five standard errors, over all the tasks.
    density = pair.information_density(x, y)
    assert density.shape == (n,)
    assert density.mean() == pytest.approx(pair.bits, abs=5 * density.std() / n**0.5 + 1e-9)
    # Pairing each x with another's y leaves none: the mean is -KL(p(x) p(y) || p(x, y)).
    apart = pair.information_density(x, np.roll(y, 1, axis=0))
    assert apart.mean() <= 1e-9


def test_student_without_correlation_by_quadrature() -> None:
    # The bivariate Cauchy: p(x, y) = 1 / (2 pi (1 + x^2 + y^2)^(3/2)), over angles so that the range is finite.
    def integrand(a: float, b: float) -> float:
        x, y = np.tan(a), np.tan(b)
        joint = 1 / (2 * np.pi * (1 + x**2 + y**2) ** 1.5)
        apart = 1 / (np.pi**2 * (1 + x**2) * (1 + y**2))
        return joint * np.log2(joint / apart) * (1 + x**2) * (1 + y**2)

    limits = (0, np.pi / 2 - 1e-9)
    quarter, _ = integrate.dblquad(integrand, *limits, *limits, epsabs=1e-6)
    assert identity(1, 1, 1).bits == pytest.approx(4 * quarter, abs=1e-5)


@pytest.mark.parametrize("epsilon", [0.1, 0.3, 0.5, 0.75, 2.0])
def test_additive_noise_by_quadrature(epsilon: float) -> None:
    def integrand(y: float) -> float:
        density = max(0.0, min(1.0, y + epsilon) - max(0.0, y - epsilon)) / (2 * epsilon)
        return -density * np.log2(density) if density > 0 else 0.0

    kinks = sorted({-epsilon, epsilon, 1 - epsilon, 1 + epsilon})
    entropy = sum(integrate.quad(integrand, a, b)[0] for a, b in itertools.pairwise(kinks))
    truth = pairs.AdditiveUniformPair(epsilon).bits
    assert truth == pytest.approx(entropy - np.log2(2 * epsilon), abs=1e-8)


def test_heteroscedastic_by_quadrature() -> None:
    pair = pairs.HeteroscedasticPair(0.2, 0.5)

    def density(y: float) -> float:
        def at(x: float) -> float:
            return stats.norm.pdf(x) * stats.norm.pdf(y, x, 0.2 + 0.5 * abs(x))

        return sum(integrate.quad(at, a, b, limit=200)[0] for a, b in ((-9, 0), (0, 9)))

    for y in (-3.0, 0.0, 0.4, 6.0):
        given = stats.norm.logpdf(y, 0.7, 0.55) - np.log(density(y))
        mine = pair.information_density(np.array([[0.7]]), np.array([[y]]))
        assert mine[0] == pytest.approx(given / LN2, abs=1e-6)
    # Constant noise is the normal pair: 1/2 log2(1 + 1 / floor^2).
    assert pairs.HeteroscedasticPair(0.2, 0.0).bits == pytest.approx(0.5 * np.log2(26.0), abs=1e-7)


def test_mixture_far_apart_is_its_label() -> None:
    centres = np.array([[-40.0], [0.0], [40.0]])
    weights = np.array([0.5, 0.25, 0.25])
    assert pairs.MixturePair("far", centres, centres[::-1], 1.0, weights).bits == pytest.approx(1.5, abs=1e-8)
    together = pairs.MixturePair("together", centres, np.zeros((3, 1)), 20.0, weights)
    assert together.bits == pytest.approx(0.0, abs=1e-12)


def test_exclusive_or_is_a_channel_from_the_posterior() -> None:
    # Given x, Y's sign has mean tanh(x_1 / s^2) tanh(x_2 / s^2): h(Y) less the mean of h(Y | that mean).
    noise, line = 0.5, np.linspace(-5, 5, 161)
    step = line[1] - line[0]
    cloud = 0.5 * (stats.norm.pdf(line, 1, noise) + stats.norm.pdf(line, -1, noise))
    belief = np.outer(np.tanh(line / noise**2), np.tanh(line / noise**2)).ravel()
    mass = np.outer(cloud, cloud).ravel() * step**2
    up, down = stats.norm.pdf(line, 1, noise), stats.norm.pdf(line, -1, noise)
    given = 0.5 * ((1 + belief)[:, None] * up[None, :] + (1 - belief)[:, None] * down[None, :])
    conditional = -(mass @ (given * np.log2(given)).sum(axis=1)) * step
    marginal = -(cloud * np.log2(cloud)).sum() * step
    assert EXTRA_TASKS["exclusive-or-0.5"].bits == pytest.approx(marginal - conditional, abs=1e-6)
    # Either sign alone says nothing.
    x, y = EXTRA_TASKS["exclusive-or-0.5"].sample(KEY, 40_000)
    assert np.abs(np.corrcoef(np.hstack([x, y]).T)[2, :2]).max() < 0.025


@pytest.mark.parametrize("turns", [1, 2])
def test_circle_against_its_fourier_series(turns: int) -> None:
    # p(x, y) / (p(x) p(y)) = sum_j I_kj(r / s^2) I_j(s / s^2) cos(j d) / (I_0 I_0), by Jacobi and Anger.
    pair, order = pairs.CirclePair(0.4, turns), np.arange(1, 60)
    x, y = pair.sample(KEY, 50)
    r, s = (np.hypot(*side.T)[:, None] / 0.4**2 for side in (x, y))
    between = np.arctan2(y[:, 1], y[:, 0]) - turns * np.arctan2(x[:, 1], x[:, 0])
    terms = ive(turns * order[None, :], r) / ive(0, r) * ive(order[None, :], s) / ive(0, s)
    ratio = 1 + 2 * (terms * np.cos(between[:, None] * order[None, :])).sum(axis=1)
    np.testing.assert_allclose(pair.information_density(x, y), np.log2(ratio), atol=1e-9)


@pytest.mark.parametrize("pair", [bivariate(0.3), chained(2, 3, 0.6), dense(3, 2, 0.5), sparse(3, 4, 2, 1.0)])
def test_normal_against_scipy(pair: pairs.NormalPair) -> None:
    dim, covariance = pair.dim_x, pair.covariance
    joint = stats.multivariate_normal(cov=covariance)
    left = stats.multivariate_normal(cov=covariance[:dim, :dim])
    right = stats.multivariate_normal(cov=covariance[dim:, dim:])
    assert pair.bits * LN2 == pytest.approx(left.entropy() + right.entropy() - joint.entropy(), abs=1e-12)
    x, y = pair.sample(KEY, 20_000)
    nats = joint.logpdf(np.hstack([x, y])) - left.logpdf(x) - right.logpdf(y)
    np.testing.assert_allclose(pair.information_density(x, y), nats / LN2, atol=1e-10)
    # Five standard errors of a covariance of unit variables: sqrt(2 / 20,000) = 0.01 each.
    np.testing.assert_allclose(np.cov(np.hstack([x, y]).T), covariance, atol=0.05)


def test_student_against_scipy() -> None:
    pair = EXTRA_TASKS["student-correlated-2-2-4"]
    assert isinstance(pair, pairs.StudentPair)
    x, y = pair.sample(KEY, 20_000)
    matrix = pair.dispersion
    joint = stats.multivariate_t(shape=matrix, df=4).logpdf(np.hstack([x, y]))
    left = stats.multivariate_t(shape=matrix[:2, :2], df=4).logpdf(x)
    right = stats.multivariate_t(shape=matrix[2:, 2:], df=4).logpdf(y)
    np.testing.assert_allclose(pair.information_density(x, y), (joint - left - right) / LN2, atol=1e-9)
    # Squared radii are d F(d, dof), in whatever direction.
    radii = (np.linalg.solve(np.linalg.cholesky(matrix), np.hstack([x, y]).T) ** 2).sum(axis=0) / 4
    assert stats.kstest(radii, stats.f(4, 4).cdf).pvalue > 1e-3


INJECTIONS: dict[str, Injection] = {
    "normal CDF": NORMAL_CDF, "half cube": HALF_CUBE, "asinh": ASINH, "exponential": EXPONENTIAL,
    "wiggly": Wiggly(((0.4, 1.0, 0.0), (0.2, 1.7, 1.0), (0.03, 3.3, -2.5))),
    "mixture margins": MixtureMargins((0.3, 0.7), (0.0, 5.0)),
    "spiral": Spiral((0, 2), 0.7), "matrix": Linear(np.array([[1.0, 2.0, 0.0], [0.0, 1.0, 3.0], [1.0, 0.0, 1.0]])),
    "rotation": rotation(3, seed=2),
}  # fmt: skip


@pytest.mark.parametrize("name", INJECTIONS)
def test_maps_are_undone_by_their_inverses(name: str) -> None:
    injection = INJECTIONS[name]
    assert isinstance(injection, Injection)
    values = np.random.default_rng(3).normal(size=(500, 3))
    images = injection(values)
    assert images.shape == values.shape and injection.dim(3) == 3
    np.testing.assert_allclose(injection.inverse(images), values, atol=1e-9)
    if isinstance(injection, Columnwise | Wiggly | MixtureMargins):
        line = np.linspace(-4, 4, 2001)[:, None]
        assert (np.diff(injection(line), axis=0) > 0).all()


def test_swiss_roll_is_undone_by_its_inverse() -> None:
    line = np.linspace(0, 1, 1001)[:, None]
    images = SwissRoll()(line)
    assert images.shape == (1001, 2) and SwissRoll().dim(1) == 2
    np.testing.assert_allclose(SwissRoll().inverse(images), line, atol=1e-12)
    np.testing.assert_allclose(images[0], [0.0, -1.5 * np.pi / 21], atol=1e-12)


def test_spiral_is_the_exponential_of_its_generator() -> None:
    turn = np.zeros((4, 4))
    turn[1, 2], turn[2, 1] = -1.0, 1.0
    x = np.array([0.3, -1.2, 0.8, 2.0])
    expected = expm(0.25 * turn * (x @ x)) @ x
    np.testing.assert_allclose(Spiral((1, 2), 0.25)(x[None])[0], expected, atol=1e-12)


def test_mixture_margins_are_the_mixture() -> None:
    x, _ = PUBLIC_TASKS["1v1-bimodal-0.75"].sample(KEY, 5000)
    assert stats.kstest(x[:, 0], lambda t: 0.3 * ndtr(t) + 0.7 * ndtr(t - 5)).pvalue > 1e-3


def test_products_add() -> None:
    parts = (bivariate(0.9), identity(2, 1, 3), pairs.AdditiveUniformPair(0.2))
    product = pairs.ProductPair("three", parts)
    assert (product.dim_x, product.dim_y) == (4, 3)
    assert product.bits == pytest.approx(sum(part.bits for part in parts), abs=1e-12)
    x, y = product.sample(KEY, 20_000)
    # Parts are drawn apart: nothing of the first block correlates with the last.
    assert abs(np.corrcoef(x[:, 0], y[:, 2])[0, 1]) < 0.035
    density = product.information_density(x, y)
    assert density.mean() == pytest.approx(product.bits, abs=5 * density.std() / 20_000**0.5)


REFUSALS = {
    "positive definite": lambda: bivariate(1.0),
    r"square matrix of more than dim_x = 2 >= 1 rows; got shape \(2, 2\)": lambda: pairs.NormalPair("", 2, np.eye(2)),
    "degrees of freedom; got 0": lambda: identity(1, 1, 0),
    "finite epsilon; got -1": lambda: pairs.AdditiveUniformPair(-1.0),
    r"below 1; got 1.2": lambda: Wiggly(((0.4, 3.0, 0.0),)),
    "adding up to 1": lambda: MixtureMargins((0.5, 0.6), (0.0, 1.0)),
    "two different axes": lambda: Spiral((1, 1), 1.0),
    r"axes 0 and 3; got shape \(2, 2\)": lambda: Spiral((0, 3), 1.0)(np.ones((2, 2))),
    r"numbers in \[0, 1\]; got -1 to 2": lambda: SwissRoll()(np.array([[-1.0], [2.0]])),
    "dimension 1 to roll up; got 3": lambda: pairs.MappedPair("", dense(3, 3, 0.5), SwissRoll()),
    "dimension 2 for this matrix; got 3": lambda: pairs.MappedPair("", dense(3, 3, 0.5), rotation(2, 0)),
    "condition number below": lambda: Linear(np.ones((2, 2))),
    "at least one pair; got none": lambda: pairs.ProductPair("", ()),
    "three dimensions together": lambda: pairs.MixturePair("", np.ones((2, 2)), np.ones((2, 2)), 1.0),
    "positive weights": lambda: pairs.MixturePair("", np.ones((2, 1)), np.ones((2, 1)), 1.0, np.array([1.0, 1.0])),
    "noise_std; got 0": lambda: pairs.MixturePair("", np.ones((2, 1)), np.ones((2, 1)), 0.0),
    "that a grid of": lambda: pairs.MixturePair("", np.array([[0.0], [1e9]]), np.ones((2, 1)), 1.0).bits,
    "floor of at least 0.05": lambda: pairs.HeteroscedasticPair(0.0, 0.5),
    "noise_std from 0.2 to 2": lambda: pairs.CirclePair(0.1),
    "Expected one of .* tasks": lambda: pairs.task("2v2"),
}


@pytest.mark.parametrize("words", REFUSALS)
def test_refusals(words: str) -> None:
    with pytest.raises(ValueError, match=words):
        REFUSALS[words]()


def test_every_pair_is_enrolled_somewhere() -> None:
    def types(pair: Pair) -> set[type]:
        below = [*getattr(pair, "pairs", ()), *([pair.pair] if isinstance(pair, pairs.MappedPair) else [])]
        return {type(pair)}.union(*map(types, below))

    used = set().union(*map(types, TASKS.values()))
    offered = {value for name, value in vars(pairs).items() if inspect.isclass(value) and name.endswith("Pair")}
    assert offered - {Pair} == used
