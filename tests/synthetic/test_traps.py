"""Traps: truths against draws of the exact density ratio, densities against draws, and closed forms found elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, special, stats

from synthetic.pairs import EXTRA_TASKS, PUBLIC_TASKS
from tests.traps import FAMILIES, HALVES, family, tasks
from tests.traps.families import copulas, images, periodic, wide, xor
from tests.traps.laws.coarse import coarse, rounded
from tests.traps.laws.law import Law, monte_carlo
from tests.traps.task import Task, kept

DRAWS = 2000
ERRORS = 5.0


def draws(task: Task) -> tuple[np.ndarray, np.ndarray]:
    """Pairs before they are shown, of independent rows."""
    random = np.random.default_rng(1)
    if task.order is None:
        return task.law.draw(random, DRAWS)
    apart = 200  # rows so far apart that nothing is left of .99^200
    x, y = task.law.draw(random, DRAWS * apart)
    return x[::apart], y[::apart]


def test_names_halves_and_the_table_agree() -> None:
    every = [task for name in FAMILIES for task in family(name)]
    names = [task.name for task in every]
    assert len(names) == len(set(names)) >= 80
    assert not set(names) & set(PUBLIC_TASKS | EXTRA_TASKS)
    assert all(task.family == name for name in FAMILIES for task in family(name))
    assert {*tasks("choosing")} | {*tasks("reported")} == {*names}
    assert not {*tasks("choosing")} & {*tasks("reported")}
    assert [HALVES[name] for name in FAMILIES] == ["choosing", "reported"] * (len(FAMILIES) // 2)
    assert kept().keys() == {*names}
    assert all(task.truth.stderr <= 0.003 * task.bits for task in every)


@pytest.mark.parametrize("name", FAMILIES)
def test_samples_are_what_is_said(name: str) -> None:
    for task in family(name):
        x, y = task.rows(0, 300)
        assert x.ndim == y.ndim == 2 and len(x) == len(y) == 300, task.name
        assert {x.dtype, y.dtype} <= {np.dtype(np.float64), np.dtype(np.int64)}, task.name
        assert np.isfinite(x).all() and np.isfinite(y).all(), task.name
        again, other = task.rows(0, 300), task.rows(1, 300)
        assert (x == again[0]).all() and (y == again[1]).all(), task.name
        assert (x != other[0]).any() and (y != other[1]).any(), task.name


@pytest.mark.parametrize("name", FAMILIES)
def test_truths_are_means_of_the_density_ratio(name: str) -> None:
    """And the density ratio is one: under it, pairs and shuffled pairs are told apart as often as it says."""
    for task in family(name):
        x, y = draws(task)
        values = task.law.density(x, y)
        error = np.hypot(values.std() / np.sqrt(DRAWS), task.truth.stderr)
        assert abs(values.mean() - task.bits) < ERRORS * error + 1e-7, task.name
        # With r = p(x, y) / p(x) p(y), the mean of 1 / (1 + r) over pairs is that of r / (1 + r) over independent ones.
        apart = task.law.density(x, np.roll(y, 1, axis=0))
        sides = special.expit(-values * np.log(2.0)), special.expit(apart * np.log(2.0))
        error = np.hypot(*(side.std() for side in sides)) / np.sqrt(DRAWS)
        assert abs(sides[0].mean() - sides[1].mean()) < ERRORS * error + 1e-3, task.name


def test_truths_of_quadrature_are_computed_again() -> None:
    every = tasks()
    for name in (
        "clipped-both-sides",
        "parabola",
        "sine-3-turns",
        "poisson-few-of-number",
        "zero-by-label",
        "fine-x-.9",
    ):
        assert every[name].law.truth().bits == pytest.approx(every[name].bits, abs=1e-9)


@pytest.mark.parametrize("theta", [0.5, 2.0, 6.0])
def test_clayton_has_the_closed_form(theta: float) -> None:
    """From the law of the copula's own value C (Genest & Rivest 1993)."""
    log_c = -(1.0 + 1.0 / theta) + 1.0 / (theta * (1.0 + theta))
    nats = np.log1p(theta) + 2.0 * (1.0 + theta) + (2.0 + 1.0 / theta) * theta * log_c
    assert copulas.clayton(theta).truth().bits == pytest.approx(nats / np.log(2.0), abs=1e-6)


def test_the_student_copula_is_the_normal_one_and_a_constant() -> None:
    """Entropies of Student laws differ from normal ones by constants that do not depend on the correlation."""
    independent, related = (copulas.student(rho, 3.0).truth().bits for rho in (0.0, 0.6))
    assert related - independent == pytest.approx(-0.5 * np.log2(1 - 0.36), abs=1e-5)
    logs = [stats.multivariate_t([0] * d, np.eye(d), 3.0).entropy() for d in (1, 2)]
    assert independent == pytest.approx((2 * logs[0] - logs[1]) / np.log(2.0), abs=1e-5)


def test_rounded_pairs_have_the_bits_of_their_rectangles() -> None:
    edges = np.concatenate([[-9.0], np.arange(-4, 4) + 0.5, [9.0]])
    law = stats.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]])
    below = law.cdf(np.stack(np.meshgrid(edges, edges, indexing="ij"), axis=-1))
    masses = np.maximum(np.diff(np.diff(below, axis=0), axis=1), 1e-300)
    alone = masses.sum(axis=1)
    bits = (masses * np.log2(masses / np.outer(alone, alone))).sum()
    assert coarse(0.6, rounded(1.0), rounded(1.0)).truth().bits == pytest.approx(bits, abs=2e-4)


def test_signs_through_noise_by_integrating_what_x_tells() -> None:
    """X tells of Y's sign by t = tanh(a) tanh(b); then one bit of input, through noise."""
    noise = 0.8
    points, weights = np.polynomial.hermite_e.hermegauss(80)
    weights = weights / weights.sum()
    heard = np.tanh((1.0 + noise * points) / noise**2)  # given the sign 1
    tells = np.concatenate([np.outer(s * heard, heard).ravel() for s in (1, -1)])
    masses = np.tile(np.outer(weights, weights).ravel(), 2) / 2.0
    y = np.linspace(-1 - 8 * noise, 1 + 8 * noise, 801)
    plus, minus = stats.norm.pdf(y, 1, noise), stats.norm.pdf(y, -1, noise)
    given = 0.5 * (1 + tells[:, None]) * plus + 0.5 * (1 - tells[:, None]) * minus
    inner = (given * np.log2(given / (0.5 * (plus + minus)))) @ np.full(len(y), y[1] - y[0])
    truth = tasks()["noisy-signs-2-.8"].truth
    assert abs(masses @ inner - truth.bits) < 4 * truth.stderr + 1e-6


def test_sines_of_any_number_of_turns_have_the_bits_of_their_margin() -> None:
    """h(Y) - h(noise), p(y) by integrating the arcsine law."""

    def density(y: float) -> float:
        angles = (np.arange(2000) + 0.5) * np.pi / 2000
        return float(stats.norm.pdf(y, np.cos(angles), 0.1).mean())

    entropy = -integrate.quad(lambda y: special.xlogy(p := density(y), p), -1.6, 1.6, limit=400, epsabs=1e-8)[0]
    bits = (entropy - 0.5 * np.log(2 * np.pi * np.e * 0.01)) / np.log(2.0)
    assert periodic.sine(0.1).truth().bits == pytest.approx(bits, abs=1e-5)
    assert {task.bits for task in family("periodic") if task.name in ("sine-3-turns", "sine-100-turns")} == {
        tasks()["sine-1-turn"].bits
    }


def test_noisy_columns_have_the_correlations_of_their_covariance() -> None:
    """By the covariance of all columns, sampled from many rows of few columns."""
    law, show_x, show_y = wide.noisy_columns(2.0, 2, 6, 0.7, 5)
    x, y = law.draw(np.random.default_rng(0), 400_000)
    both = np.cov(np.hstack([show_x(x), show_y(y)]).T)
    logs = [np.linalg.slogdet(block)[1] for block in (both[:6, :6], both[6:, 6:], both)]
    assert 0.5 * (logs[0] + logs[1] - logs[2]) / np.log(2.0) == pytest.approx(law.truth().bits, abs=0.01)


def test_shown_sides_can_be_turned_back() -> None:
    """The derivatives of a smooth embedding have full rank wherever they are asked for."""
    for name in ("tanh-networks-3-to-16", "steep-tanh-networks-2-to-8", "leaky-relus-2-to-20", "opposed-relus-2-to-24"):
        task = tasks()[name]
        x, y = task.law.draw(np.random.default_rng(2), 300)
        for side, show in ((x, task.show_x), (y, task.show_y)):
            assert show is not None
            steps = 1e-5 * np.eye(side.shape[1])
            slopes = np.stack([(show(side + step) - show(side - step)) / 2e-5 for step in steps], axis=2)
            assert (np.linalg.svd(slopes, compute_uv=False)[:, -1] > 1e-4).all(), name


def test_no_digit_is_in_two_classes() -> None:
    """The least distance between classes is so large that pixel noise of .3 mistakes none."""
    each = images.digits()
    assert sum(map(len, each)) == 1797
    squares = [((a[:, None] - b[None]) ** 2).sum(axis=2).min() for i, a in enumerate(each) for b in each[:i]]
    assert 1797 * np.exp(-min(squares) / (8 * 0.3**2)) < 1e-12


def test_monte_carlo_draws_until_its_error_is_small() -> None:
    law: Law = xor.noisy_signs(2, 0.8)
    bits, stderr, how = monte_carlo(law.draw, law.density, seed=3)
    truth = tasks()["noisy-signs-2-.8"].truth
    assert how == "Monte Carlo" and stderr < 0.002 * bits
    assert abs(bits - truth.bits) < 4 * np.hypot(stderr, truth.stderr)
