"""Rounded numbers and ties: what no rule by type may hide, against truths by quadrature and scikit-learn."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from scipy.stats import norm

from capacity import choose
from capacity.estimators.counts.entropy import within_entropies
from capacity.estimators.neighbours.mixed import Mixed, Ross
from capacity.estimators.rounding import grid_step, spread_within_steps
from capacity.results.estimate import Estimate

KEY = jax.random.key(0)
N = 3000


def normal_pair(random: np.random.Generator, rho: float) -> tuple[np.ndarray, np.ndarray]:
    x = random.normal(size=N)
    return x, rho * x + np.sqrt(1 - rho**2) * random.normal(size=N)


def rounded_bits(rho: float, step: float) -> float:
    """I of two normal numbers, both rounded: the masses of the cells by quadrature."""
    grid = np.arange(np.floor(-7 / step), np.ceil(7 / step) + 1) * step
    nodes, weights = np.polynomial.legendre.leggauss(5)
    joint = np.zeros((len(grid), len(grid)))
    for node, weight in zip(nodes, weights, strict=True):
        x = grid[:, None] + node * step / 2
        ends = [norm.cdf((grid[None] + side * step / 2 - rho * x) / np.sqrt(1 - rho**2)) for side in (1, -1)]
        joint += norm.pdf(x) * weight * step / 2 * (ends[0] - ends[1])
    some = joint > 1e-300
    return float((joint[some] * np.log2((joint / (joint.sum(1)[:, None] * joint.sum(0)))[some])).sum())


@pytest.mark.parametrize("step", [0.01, 0.1, 0.25, 1 / 3, 1.0, 1e3])
@pytest.mark.parametrize("offset", [0.0, 0.5, -1e4])
def test_a_grid_is_found_at_any_step_and_offset(step: float, offset: float) -> None:
    values = np.random.default_rng(0).integers(0, 30, 200)
    column = (offset + values) * step
    assert grid_step(column) == pytest.approx(step, rel=1e-6)
    assert grid_step(column.astype(np.float32).astype(float)) == pytest.approx(step, rel=1e-3)


@pytest.mark.parametrize("kind", ["normal", "clipped", "repeated", "two values", "constant"])
def test_no_grid_where_there_is_none(kind: str) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=300)
    columns = {
        "normal": x,
        "clipped": np.maximum(x, 0),
        "repeated": np.repeat(x[:50], 6),
        "two values": np.sign(x),
        "constant": np.ones(300),
    }
    assert grid_step(columns[kind]) is None


def test_spreading_keeps_every_value_to_be_read_off() -> None:
    side = np.column_stack([np.random.default_rng(0).integers(0, 9, N) * 0.1, np.random.default_rng(1).normal(size=N)])
    spread, rounded = spread_within_steps(np.random.default_rng(2), side)
    assert rounded == 1
    np.testing.assert_array_equal(np.rint(spread[:, 0] / 0.1), np.rint(side[:, 0] / 0.1))
    np.testing.assert_array_equal(spread[:, 1], side[:, 1])
    assert len(np.unique(spread[:, 0])) == N


@pytest.mark.parametrize("method", [Ross(), Mixed()], ids=str)
@pytest.mark.parametrize("kind", ["rounded", "clipped", "counts", "rounded and clipped"])
def test_symbols_and_ties_that_say_nothing_of_each_other(method: Ross | Mixed, kind: str) -> None:
    random = np.random.default_rng(3)
    x = random.normal(size=N)
    made = {
        "rounded": x.round(1),
        "clipped": np.maximum(x, 0),
        "counts": random.poisson(3, N) * 1.0,
        "rounded and clipped": np.maximum(x.round(1), -0.5),
    }
    found = method(KEY, made[kind], random.integers(0, 3, N))
    assert abs(found.bits) < 0.03 and found.low <= 0.01


@pytest.mark.parametrize("step", [0.05, 0.3, 1.0])
@pytest.mark.parametrize("rho", [0.0, 0.8])
def test_two_rounded_numbers(step: float, rho: float) -> None:
    x, y = (np.round(side / step) * step for side in normal_pair(np.random.default_rng(4), rho))
    choice, truth = choose(KEY, x, y), rounded_bits(rho, step)
    assert choice.why.startswith("Rounded numbers in 1 of 1 columns of x: spread") or "symbols" in choice.why
    assert choice.estimate.low - 0.01 <= truth <= choice.estimate.high + 0.01
    assert choice.estimate.bits == pytest.approx(truth, abs=0.06)


def test_flowers_say_no_more_than_their_species_and_as_much_as_elsewhere() -> None:
    """Measured to a tenth, 150 rows: scikit-learn's neighbours give .68, .41, 1.43 and 1.41 bits."""
    datasets = pytest.importorskip("sklearn.datasets")
    flowers = datasets.load_iris()
    each = [float(choose(KEY, column, flowers.target).estimate.bits) for column in flowers.data.T]
    np.testing.assert_allclose(each, [0.68, 0.41, 1.43, 1.41], atol=0.1)
    whole = choose(KEY, flowers.data, flowers.target).estimate
    assert whole.bits <= np.log2(3) + 1e-6 and whole.high <= np.log2(3) + 0.01
    random = np.random.default_rng(5)
    for seed in range(2):
        none = choose(seed, flowers.data, random.permutation(flowers.target)).estimate
        assert none.low <= 0 <= none.high


def test_information_is_not_above_the_entropy_of_symbols() -> None:
    x = np.repeat(np.arange(2), 500)[:, None]
    too_much = Estimate.from_nats(nats=2.0, stderr=0.1, kind="point", n=1000)
    cut = within_entropies(too_much, x, np.zeros((1000, 2)))
    assert cut.bits == pytest.approx(1, abs=1e-3) and cut.low <= cut.bits <= cut.high <= 1.01
    alone = np.arange(1000)[:, None]
    assert within_entropies(too_much, alone, np.zeros((1000, 2))) is too_much
