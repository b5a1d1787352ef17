"""Conditional information against closed forms and enumerations."""

from __future__ import annotations

import numpy as np
import pytest

from capacity.estimators import conditional_information, conditional_permutation_test
from capacity.estimators.codes.conditional import mixed_log_prob
from capacity.results.estimate import Estimate

N = 2000


def triple(seed: int, partial: float, n: int = N) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Normal x, y, w with a partial correlation: -1/2 log2(1 - partial^2) bits given w, more or less without it."""
    w, a, b = np.random.default_rng(seed).normal(size=(3, n))
    b = partial * a + (1 - partial**2) ** 0.5 * b
    return w + a, b - 0.7 * w, w, -0.5 * np.log2(1 - partial**2)


def holds(found: Estimate, bits: float, error: float) -> bool:
    return bool(found.low <= bits <= found.high) and abs(float(found.bits) - bits) < error


@pytest.mark.parametrize("method", ["auto", "gaussian", "ksg"])
@pytest.mark.parametrize("partial", [0.0, 0.6, 0.9])
def test_normal_triples_have_the_bits_of_their_partial_correlation(method: str, partial: float) -> None:
    x, y, w, bits = triple(0, partial)
    assert holds(conditional_information(0, x, y, w, method), bits, 0.1)


def test_a_chain_shares_nothing_beyond_its_middle() -> None:
    random = np.random.default_rng(1)
    x = random.normal(size=N)
    w = x + random.normal(size=N)
    y = w + random.normal(size=N)
    for given in (w, w.round(1)):
        assert conditional_information(0, x, y, given).low <= 0.0
    assert holds(conditional_information(0, x, y, w), 0.0, 0.1)
    symbols = random.integers(0, 4, N)
    steps = [(symbols + (random.uniform(size=N) < 0.3)) % 4 for _ in range(2)]
    assert holds(conditional_information(0, steps[0], steps[1], symbols), 0.0, 0.02)


def test_the_third_side_unlocks_a_bit() -> None:
    x, w = np.random.default_rng(2).integers(0, 2, (2, N))
    for method in ("counts", "neighbours", "plugin"):
        assert holds(conditional_information(0, x, x ^ w, w, method), 1.0, 0.02)
    y = (x ^ w) + 0.01 * np.random.default_rng(3).normal(size=N)
    assert holds(conditional_information(0, x, y, w), 1.0, 0.05)
    words = np.where(w == 1, "open", "shut")
    assert holds(conditional_information(0, x, y, words), 1.0, 0.05)


def test_symbols_have_the_bits_of_their_law() -> None:
    random = np.random.default_rng(4)
    law = random.dirichlet(np.full(27, 0.7)).reshape(3, 3, 3)
    draws = random.choice(27, 20_000, p=law.ravel())
    x, y, w = np.unravel_index(draws, law.shape)
    ratio = law * law.sum((0, 1)) / (law.sum(1, keepdims=True) * law.sum(0, keepdims=True))
    bits = float((law * np.log2(ratio)).sum())
    assert holds(conditional_information(0, x, y, w), bits, 0.02)


def test_mixed_types_by_strata() -> None:
    """x and y normal with a correlation that the symbol w decides: the mean of the bits within each."""
    random = np.random.default_rng(5)
    w = random.integers(0, 2, N)
    rho = np.array([0.0, 0.9])[w]
    x, z = random.normal(size=(2, N))
    y = rho * x + (1 - rho**2) ** 0.5 * z
    bits = 0.5 * -0.5 * np.log2(1 - 0.81)
    assert holds(conditional_information(0, x, y, w), bits, 0.08)
    assert holds(conditional_information(0, x + 3 * w, y - w, w), bits, 0.08)


def test_permutations_among_like_rows_tell_what_the_third_side_explains() -> None:
    random = np.random.default_rng(7)
    w, a, b, c = random.normal(size=(4, 200))
    for given in (w, w[:, None], np.column_stack([w, c])):
        assert conditional_permutation_test(0, w + a, w + b, given, 19).p_value > 0.05
    found = conditional_permutation_test(0, w + a, w + a + b, w, 39)
    assert found.p_value == 1 / 40 and found.permutations == 39
    symbols, x = random.integers(0, 3, 200), random.integers(0, 2, 200)
    assert conditional_permutation_test(0, symbols, (symbols + x) % 3, symbols, 39).p_value > 0.05
    assert conditional_permutation_test(0, x, (symbols + x) % 3, symbols, 39).p_value == 1 / 40
    with pytest.raises(ValueError, match="Expected at least one permutation; got 0"):
        conditional_permutation_test(0, w, a, b, 0)


def test_it_refuses_in_words() -> None:
    x, y, w, _ = triple(6, 0.0, 50)
    with pytest.raises(ValueError, match="Expected symbols on all sides for counts; got real numbers"):
        conditional_information(0, x, y, w, "counts")
    with pytest.raises(ValueError, match="Expected y and given both real numbers or both symbols"):
        conditional_information(0, x, y, w > 0, "gaussian")
    with pytest.raises(ValueError, match="50 and 49 rows"):
        conditional_information(0, x, y, w[1:])


@pytest.mark.parametrize("weight", [0.0, 1e-320, 1e-200, 0.3])
def test_a_mixture_holds_models_of_next_to_no_weight(weight: float) -> None:
    logs = np.array([[0.0, -800.0, -5.0], [-1.0, -2.0, -900.0]])
    with np.errstate(over="raise", invalid="raise"):
        found = mixed_log_prob(logs, np.array([weight, 1 - weight])[:, None])
    with np.errstate(divide="ignore"):
        assert found == pytest.approx(np.logaddexp(logs[0] + np.log(weight), logs[1] + np.log1p(-weight)))
