"""Mixed methods against closed forms and numerical integrals, and against each other and scikit-learn."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import digamma, xlogy
from scipy.stats import norm, poisson

from capacity.estimators.checks import checked
from capacity.estimators.estimator import Estimator
from capacity.estimators.neighbours.ksg import KSG
from capacity.estimators.neighbours.mixed import Mixed, Ross
from capacity.results.estimate import NATS_PER_BIT

KEY = jax.random.key(0)
N = 3000


def labelled(seed: int, n: int = N, distance: float = 2.0) -> tuple[np.ndarray, np.ndarray, float]:
    """A fair bit and a normal number about -distance/2 or distance/2: h(mixture) - h(normal), integrated."""
    random = np.random.default_rng(seed)
    bit = random.integers(0, 2, n)
    y = random.normal(size=n) + distance * (bit - 0.5)

    def density(v: float) -> float:
        return 0.5 * (norm.pdf(v, distance / 2) + norm.pdf(v, -distance / 2))

    entropy = -quad(lambda v: density(v) * np.log2(density(v)), -12, 12)[0]
    return bit, y, entropy - 0.5 * np.log2(2 * np.pi * np.e)


def uniform_labels(seed: int, symbols: int = 5, n: int = N) -> tuple[np.ndarray, np.ndarray, float]:
    """A symbol s of m and a number uniform in (s, s + 2) (Gao et al. 2017): log m - (m - 1)/m log 2 nats."""
    random = np.random.default_rng(seed)
    x = random.integers(0, symbols, n)
    return x, random.uniform(x, x + 2.0), np.log2(symbols) - (symbols - 1) / symbols


def censored(seed: int, n: int = N, lost: float = 0.15) -> tuple[np.ndarray, np.ndarray, float]:
    """x exponential, y Poisson about x, or 0 in 15 % of cases: the sum over y and integral over x of its information.

    Gao et al. (2017) give (1 - lost) I(without loss), 0.369 bits, but a lost y looks like a true 0: it is 0.331.
    """
    random = np.random.default_rng(seed)
    x = random.exponential(size=n)
    y = np.where(random.uniform(size=n) < lost, 0, random.poisson(x)).astype(float)
    rate, weight = np.polynomial.laguerre.laggauss(60)
    symbols = np.arange(60)
    given = (1 - lost) * poisson.pmf(symbols, rate[:, None]) + lost * (symbols == 0)
    return x, y, float(weight @ (xlogy(given, given) - xlogy(given, weight @ given)).sum(axis=1)) / NATS_PER_BIT


@pytest.mark.parametrize("method", [Ross(), Mixed()], ids=str)
@pytest.mark.parametrize("data", [labelled, uniform_labels])
def test_labels_against_numbers(method: Estimator, data: object) -> None:
    assert isinstance(method, Estimator)
    x, y, bits = data(0)  # type: ignore[operator]
    found = method(KEY, x, y)
    assert abs(found.bits - bits) < 0.07  # four standard errors of 0.015 bits
    assert found.low < found.bits < found.high < found.limit
    assert method(KEY, y, x).bits == pytest.approx(found.bits, abs=1e-12)
    relabelled = np.random.default_rng(1).permutation(x.max() + 1)[x]
    assert method(KEY, relabelled, 5 - 3 * y).bits == pytest.approx(found.bits, abs=1e-9)
    names = np.array([f"label {s}" for s in relabelled])
    assert method(KEY, names, y).bits == pytest.approx(found.bits, abs=1e-9)


def test_numbers_that_repeat() -> None:
    x, y, bits = censored(2, 6000)
    found = Mixed()(KEY, x, y)
    assert abs(found.bits - bits) < 0.06
    assert found.low <= bits <= found.high


def test_symbols_on_both_sides_are_counted() -> None:
    """A channel that flips 11 % of fair bits carries 1 - h(0.11) = 0.5 bits."""
    random = np.random.default_rng(3)
    x = random.integers(0, 2, N)
    y = x ^ (random.uniform(size=N) < 0.11)
    flips = 0.11
    bits = 1 + flips * np.log2(flips) + (1 - flips) * np.log2(1 - flips)
    assert abs(Mixed()(KEY, x, y).bits - bits) < 0.06


def test_without_ties_it_is_ksg() -> None:
    """But for log n in the place of psi(n)."""
    x, noise = np.random.default_rng(4).normal(size=(2, N, 2))
    y = x + noise
    gap = (np.log(N) - digamma(N)) / NATS_PER_BIT
    assert Mixed()(KEY, x, y).bits - KSG()(KEY, x, y).bits == pytest.approx(gap, abs=1e-6)


@pytest.mark.parametrize("method", [Ross(), Mixed()], ids=str)
def test_independence_is_nothing_within_the_interval(method: Estimator) -> None:
    hits = 0
    for seed in range(20):
        random = np.random.default_rng(seed)
        found = method(KEY, random.integers(0, 3, 400), random.normal(size=400))
        hits += found.low <= 0 <= found.high
    assert hits >= 17


@pytest.mark.parametrize("method", [Ross(), Mixed()], ids=str)
def test_the_most_it_can_say_is_the_entropy_of_the_labels(method: Estimator) -> None:
    x, y, _ = labelled(5, 1000, distance=50.0)
    found = method(KEY, x, y)
    assert found.bits == pytest.approx(1.0, abs=0.02)
    if isinstance(method, Ross):
        assert found.limit == pytest.approx(1.0, abs=0.02) and found.saturated


def test_symbols_that_occur_once_are_left_out() -> None:
    x, y, _ = labelled(6, 500)
    rare = np.concatenate([x, np.arange(100, 120)])
    longer = np.concatenate([y, np.linspace(-1, 1, 20)])
    terms = Ross().terms(checked(x, y, "mixed")[0], y[:, None])
    more = Ross().terms(checked(rare, longer, "mixed")[0], longer[:, None])
    np.testing.assert_array_equal(terms, more)
    with pytest.raises(ValueError, match="Expected symbols that occur more than once; got 0 rows of such"):
        Ross()(KEY, np.arange(50), y[:50])


@pytest.mark.parametrize("bits", [9, 14])
@pytest.mark.parametrize("n", [150, 600, pytest.param(2000, marks=pytest.mark.slow)])
def test_codes_of_which_few_recur_are_told_short_or_refused(bits: int, n: int) -> None:
    random = np.random.default_rng(bits)
    sent = random.integers(0, 2**bits, n)
    received = np.column_stack([(sent >> i) & 1 for i in range(bits)]) + 0.2 * random.normal(size=(n, bits))
    try:
        found = Ross()(KEY, sent, received)
    except ValueError as refusal:
        assert "occur more than once; got" in str(refusal)
    else:
        assert found.low <= bits and (found.saturated or found.high >= 0.99 * bits)


def test_it_agrees_with_scikit_learn() -> None:
    feature_selection = pytest.importorskip("sklearn.feature_selection")
    x, y, _ = uniform_labels(7)
    theirs = feature_selection.mutual_info_classif(y[:, None], x, n_neighbors=5, random_state=0)[0]
    assert Ross()(KEY, x, y).bits * NATS_PER_BIT == pytest.approx(theirs, abs=1e-3)


def test_they_refuse_in_words() -> None:
    x, y, _ = labelled(8, 100)
    with pytest.raises(ValueError, match="Expected one side of real numbers and one of symbols; got continuous"):
        Ross()(KEY, x.astype(float), y)
    with pytest.raises(ValueError, match="Expected at least 7 pairs for this method; got 6"):
        Mixed()(KEY, x[:6], y[:6])
