"""p-values for independence: against full enumerations, and uniform where nothing is shared."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from scipy.signal import lfilter
from scipy.special import xlogy
from scipy.stats import fisher_exact

from capacity.estimators import false_discovery, permutation_test
from capacity.estimators.parametric.gaussian import GaussianMI
from capacity.estimators.testing.tables import exact_p_value


def drawn(kind: str, random: np.random.Generator, n: int) -> np.ndarray:
    """Rows of a type."""
    values: dict[str, np.ndarray] = {
        "real": random.normal(size=n),
        "rounded": random.normal(size=n).round(1),
        "zeros": np.maximum(random.normal(size=n), 0),
        "heavy": random.standard_cauchy(n),
        "coin": random.integers(0, 2, n),
        "counts": random.geometric(0.05, n),
        "words": random.choice(np.array(list("abcde")), n),
        "codes": random.integers(0, 2, (n, 8)) * 2.0 - 1,
    }
    return values[kind]


@pytest.mark.parametrize(
    ("one", "other"),
    [("real", "real"), ("rounded", "zeros"), ("heavy", "coin"), ("counts", "words"), ("codes", "codes")],
)
def test_independent_sides_of_any_type_have_uniform_p_values(one: str, other: str) -> None:
    found = []
    for seed in range(200):
        random = np.random.default_rng([seed, len(one), len(other)])
        found.append(permutation_test(seed, drawn(one, random, 40), drawn(other, random, 40), permutations=19).p_value)
    for level in (0.05, 0.2, 0.5):  # three standard errors of a share of 200
        assert np.mean(np.array(found) <= level) <= level + 3 * (level * (1 - level) / 200) ** 0.5


SHAPES = {
    "line": lambda r, n: (x := r.normal(size=n), x + 2 * r.normal(size=n)),
    "circle": lambda r, n: (np.cos(t := r.uniform(0, 7, n)) + r.normal(size=n) / 5, np.sin(t) + r.normal(size=n) / 5),
    "turns": lambda r, n: (x := r.uniform(size=n), np.sin(50 * x) + r.normal(size=n) / 5),
    "spread": lambda r, n: (x := r.normal(size=n), r.normal(size=n) * np.exp(x)),
    "classes": lambda r, n: (c := r.integers(0, 3, n), c / 2 + r.normal(size=n)),
    "words": lambda r, n: (c := r.choice(np.array(["a", "b", "c"]), n), np.where(r.uniform(size=n) < 0.4, c, "d")),
    "exclusive or": lambda r, n: (x := r.normal(size=(n, 2)), np.sign(x.prod(axis=1)) + r.normal(size=n) / 2),
    "one column of many": lambda r, n: (x := r.normal(size=(n, 30)), x[:, 7] + 2 * r.normal(size=n)),
    "wide": lambda r, n: (x := r.normal(size=(n, 40)), x + 3 * r.normal(size=(n, 40))),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_dependence_of_any_shape_is_found(shape: str) -> None:
    x, y = SHAPES[shape](np.random.default_rng(1), 300)
    found = permutation_test(0, x, y, permutations=199)
    assert found.p_value == pytest.approx(1 / 200) and found.permutations == 199, found


def test_whole_numbers_that_hardly_recur_are_numbers() -> None:
    x = np.arange(15)
    assert permutation_test(0, x, 3 * x[::-1], permutations=99).p_value == 0.01
    names = np.array([f"row {i}" for i in x])  # words that never recur tell nothing
    assert permutation_test(0, names, names, permutations=99).p_value == 1.0


def test_small_tables_are_tested_by_all_of_them() -> None:
    x, y = np.array([0, 0, 1, 1, 2, 2, 2]), np.array([0, 0, 1, 0, 1, 1, 2])

    def statistic(other: tuple[int, ...]) -> float:
        table = np.zeros((3, 3))
        np.add.at(table, (x, np.array(other)), 1)
        return float(xlogy(table, table).sum())

    share = np.mean([statistic(order) >= statistic(tuple(y)) - 1e-9 for order in permutations(y)])
    found = permutation_test(0, x, y)
    assert found.p_value == pytest.approx(share, abs=1e-12) and found.permutations == 0
    table = np.array([[8, 2], [1, 5]])
    assert exact_p_value(table) == pytest.approx(fisher_exact(table)[1], abs=1e-12)
    assert exact_p_value(np.full((6, 6), 40)) is None


def test_the_bits_of_an_estimator_are_a_statistic() -> None:
    x, noise = np.random.default_rng(2).normal(size=(2, 100))
    found = permutation_test(0, x, x + noise, method=GaussianMI(), permutations=99)
    assert found.p_value == 0.01 and found.statistic == pytest.approx(float(GaussianMI()(0, x, x + noise).bits))
    assert permutation_test(0, x, noise, method="gaussian", permutations=99).p_value > 0.05
    assert permutation_test(0, x, noise) == permutation_test(0, x, noise, method="auto")


def test_series_with_memory_are_held_against_shifts() -> None:
    """Two independent AR(1) of 0.95: in random order most would seem related."""
    shifted, shuffled = [], []
    for seed in range(100):
        noise = np.random.default_rng(seed).normal(size=(2, 1500))
        x, y = lfilter([1], [1, -0.95], noise)[:, 500:]
        shifted.append(permutation_test(seed, x, y, permutations=39, order="time").p_value)
        shuffled.append(permutation_test(seed, x, y, permutations=39).p_value if seed < 20 else 1.0)
    assert np.mean(np.array(shifted) <= 0.05) <= 0.05 + 3 * (0.05 * 0.95 / 100) ** 0.5
    assert np.mean(np.array(shuffled[:20]) <= 0.05) > 0.5
    assert permutation_test(0, x, x + y, permutations=99, order="time", block=100).p_value == 0.01


def test_it_refuses_in_words() -> None:
    x = np.arange(20.0)
    with pytest.raises(ValueError, match="Expected at least 5 pairs"):
        permutation_test(0, x[:4], x[:4])
    with pytest.raises(ValueError, match="Expected order None .* or \"time\"; got 'place'"):
        permutation_test(0, x, x, order="place")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="Expected a block from 1 to a quarter of the 20 rows; got 6"):
        permutation_test(0, x, x, order="time", block=6)
    with pytest.raises(ValueError, match='Expected order="time" with a block'):
        permutation_test(0, x, x, block=2)
    with pytest.raises(ValueError, match="Did you mean 'ksg'"):
        permutation_test(0, x, x, method="kgs")
    with pytest.raises(ValueError, match="long against their memory; got 200 rows that are worth"):
        permutation_test(0, np.cumsum(np.ones(200)), np.cumsum(np.ones(200)), order="time")
    with pytest.raises(ValueError, match="Expected at least one permutation; got 0"):
        permutation_test(0, x, x, permutations=0)


def test_false_discoveries_are_those_of_benjamini_and_hochberg() -> None:
    p = np.array([0.001, 0.009, 0.04, 0.2, 0.9])
    by_hand = np.minimum.accumulate((p * 5 / np.arange(1, 6))[::-1])[::-1]
    np.testing.assert_allclose(false_discovery(p), by_hand)
    table = np.full((5, 5), np.nan)
    upper = np.triu_indices(5, 1)
    table[upper] = table.T[upper] = np.random.default_rng(3).uniform(size=10)
    np.testing.assert_allclose(false_discovery(table)[upper], false_discovery(table[upper]))
    assert np.isnan(np.diagonal(false_discovery(table))).all()
    assert (false_discovery(p, any_dependence=True) >= false_discovery(p)).all()
    with pytest.raises(ValueError, match="Expected p-values from 0 to 1; got -0.1 to 0.5"):
        false_discovery([-0.1, 0.5])
