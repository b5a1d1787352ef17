"""Counts of symbols against enumerated truth, and what they say when there are too few."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import gammaln, polygamma, psi

from capacity.estimators.counts.entropy import ENTROPIES, grassberger, nsb_moments
from capacity.estimators.counts.plugin import PlugIn

KEY = jax.random.key(0)
CORRECTIONS = sorted(ENTROPIES)


def noisy(seed: int, symbols: int, n: int, error: float) -> tuple[np.ndarray, np.ndarray, float]:
    """A uniform symbol, replaced by another with probability `error`."""
    random = np.random.default_rng(seed)
    x = random.integers(0, symbols, n)
    y = np.where(random.random(n) < error, (x + random.integers(1, symbols, n)) % symbols, x)
    lost = -(1 - error) * np.log2(1 - error) - error * np.log2(error / (symbols - 1)) if error else 0.0
    return x, y, np.log2(symbols) - lost


@pytest.mark.parametrize("correction", CORRECTIONS)
@pytest.mark.parametrize(("symbols", "n", "error"), [(2, 400, 0.1), (16, 10_000, 0.2), (8, 500, 0.875)])
def test_covered(correction, symbols, n, error):
    found = []
    for seed in range(30):
        x, y, truth = noisy(seed, symbols, n, error)
        found.append((PlugIn(correction)(jax.random.key(seed), x, y), truth))
    assert np.mean([e.low <= truth <= e.high for e, truth in found]) >= 0.8  # 95 % nominal, four errors below
    assert not any(bool(e.saturated) for e, _ in found)


@pytest.mark.parametrize("correction", CORRECTIONS)
def test_four_bits_without_noise(correction):
    x, y, _ = noisy(0, 16, 10_000, 0.0)
    estimate = PlugIn(correction)(KEY, x, y)
    assert estimate.low <= 4.0 <= estimate.high + 0.002 and abs(estimate.bits - 4.0) < 0.005
    assert not bool(estimate.saturated)


@pytest.mark.parametrize("correction", CORRECTIONS)
@pytest.mark.parametrize("error", [0.0, 0.2])
def test_fourteen_bits_are_too_many(correction, error):
    x, y, truth = noisy(0, 2**14, 10_000, error)
    estimate = PlugIn(correction)(KEY, x, y)
    assert bool(estimate.saturated) and estimate.low < truth


@pytest.mark.parametrize("correction", CORRECTIONS)
def test_rare_pairs_do_not_pass_for_information(correction):
    # 40,000 cells for 10,000 pairs: the plug-in says 2.2 bits where there are none; the interval must know.
    x, y = np.random.default_rng(0).integers(0, 200, (2, 10_000))
    assert PlugIn(correction)(KEY, x, y).low < 0
    x, y, truth = noisy(0, 2**10, 10_000, 0.2)
    estimate = PlugIn(correction)(KEY, x, y)
    assert estimate.low < truth < estimate.high


@pytest.mark.parametrize("correction", CORRECTIONS)
def test_laws(correction):
    x, y, _ = noisy(1, 5, 300, 0.3)
    method = PlugIn(correction)
    base, swapped = method(KEY, x, y), method(KEY, y, x)
    assert np.allclose([base.bits, base.low, base.high], [swapped.bits, swapped.low, swapped.high], atol=1e-10)
    assert np.isclose(method(KEY, np.array(list("edcba"))[x], 7 - y).bits, base.bits, atol=1e-10)


def test_grassberger_by_its_recursion():
    # G(1) = -gamma - ln 2, G(2) = 2 - gamma - ln 2, G(2n + 1) = G(2n), G(2n + 2) = G(2n) + 2/(2n + 1).
    gamma = np.euler_gamma
    expected = {
        1: -gamma - np.log(2),
        2: 2 - gamma - np.log(2),
        3: 2 - gamma - np.log(2),
        4: 2 + 2 / 3 - gamma - np.log(2),
    }
    for count, value in expected.items():
        assert np.isclose(np.log(3 * count) - grassberger(np.full(3, count)), value)


def test_nsb_by_quadrature():
    counts, symbols = np.array([4, 2, 1, 1]), 10
    every = np.append(counts, np.zeros(symbols - len(counts)))

    def weight(b: float) -> float:
        evidence = gammaln(symbols * b) - gammaln(8 + symbols * b) + (gammaln(every + b) - gammaln(b)).sum()
        return float(np.exp(evidence + 20) * (symbols * polygamma(1, symbols * b + 1) - polygamma(1, b + 1)))

    def mean(b: float) -> float:
        return float(psi(9 + symbols * b) - ((every + b) * psi(every + b + 1)).sum() / (8 + symbols * b))

    def over_all(f) -> float:
        return quad(lambda t: f(np.exp(t)) * np.exp(t), -18, 9, limit=400)[0]

    expected = over_all(lambda b: weight(b) * mean(b)) / over_all(weight)
    assert np.isclose(nsb_moments(counts, symbols)[0], expected, rtol=1e-4)


def test_nsb_spread_by_sampling():
    # With one symbol seen many times the concentration matters little: compare with draws of the posterior.
    counts = np.array([60, 30, 10])
    shares = np.random.default_rng(0).dirichlet(counts + 1.0, size=100_000)
    entropy = -(shares * np.log(shares)).sum(axis=1)
    mean, spread = nsb_moments(counts, 3)
    assert np.isclose(mean, entropy.mean(), atol=0.01) and np.isclose(spread, entropy.std(), rtol=0.1)


def test_refusals():
    with pytest.raises(
        ValueError, match="Expected a correction out of none, miller_madow, grassberger, nsb; got 'best'"
    ):
        PlugIn("best")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="Expected at least as many possible symbols as the 3 seen; got 2."):
        nsb_moments(np.array([1, 2, 3]), 2)
    with pytest.raises(ValueError, match="Expected symbols"):
        PlugIn()(KEY, np.random.default_rng(0).normal(size=(50, 1)), np.arange(50) % 2)
