"""Numbers as people have them: moved by 1e8, rounded after, variances of 1e-12, N = 2, copies; right or refused."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from scipy.stats import norm

from capacity import Latent, measure_latent
from capacity.runtime.tables.posterior import checked_posterior

SAMPLES = 2048  # with 256 posteriors of three units, as other tests have them: they share their programs
SHAPE = (256, 3)


def measured(means: np.ndarray, log_std: np.ndarray, key: int = 1) -> Latent:
    return measure_latent(jax.random.key(key), means, log_std, given="log_std", samples=SAMPLES)


def two_points(distance: float) -> float:
    """I(i;Z) in bits of two equally likely normal laws of standard deviation 1 at this distance, by quadrature."""
    z = np.linspace(-12, 12 + distance, 40_001)
    one, other = norm.pdf(z), norm.pdf(z - distance)
    mixed = (one + other) / 2
    entropy = -np.trapezoid(mixed * np.log2(np.maximum(mixed, 1e-300)), z)
    return float(entropy - 0.5 * np.log2(2 * np.pi * np.e))


def holds(found: Latent, bits: float) -> bool:
    return bool(found.information.low <= bits <= found.information.high)


def test_means_moved_far_give_the_same_figures() -> None:
    rng = np.random.default_rng(0)
    means, log_std = rng.normal(size=SHAPE), np.full(SHAPE, -1.0)
    here, there = (measured(means + shift, log_std) for shift in (0.0, 1e8))
    for one, other in ((here.information, there.information), (here.marginal, there.marginal)):
        for end in ("bits", "low", "high"):
            np.testing.assert_allclose(getattr(one, end), getattr(other, end), atol=1e-4)
    np.testing.assert_allclose(here.mean_variance, there.mean_variance, rtol=1e-6)
    assert here.population is not None and there.population is not None
    np.testing.assert_allclose(here.population.information.low, there.population.information.low, atol=1e-4)


def test_means_rounded_after_an_offset_are_refused_and_the_unit_named() -> None:
    rng = np.random.default_rng(1)
    means, log_std = rng.normal(size=(200, 3)), np.full((200, 3), -1.0)
    means[:, 1] += 1e8
    with pytest.raises(ValueError, match=r"float32 means near 1e\+08 in unit 1, in steps of 8 .* float64"):
        checked_posterior(means.astype(np.float32), log_std, "log_std")
    means[:, 1] -= 1e8
    means[0, 2] = 1e8  # one far point tells nobody anything
    checked_posterior(means.astype(np.float32), log_std, "log_std")
    checked_posterior(means.clip(-9, 9).astype(np.float16), log_std, "log_std")


@pytest.mark.parametrize(
    ("copies", "scale"),
    [(1, 1.0), *(pytest.param(copies, scale, marks=pytest.mark.slow) for copies in (1, 3) for scale in (1e-6, 1e6))],
)
def test_two_points_and_their_copies_have_the_bits_of_quadrature(copies: int, scale: float) -> None:
    means = np.repeat([[0.0], [2.0 * scale]], copies, axis=0)
    found = measured(means, np.full_like(means, np.log(scale)))
    assert holds(found, two_points(2.0))
    assert found.population is not None and found.population.distinct == 2
    assert not np.isfinite(found.population.information.high)


def test_a_unit_of_variance_1e_minus_12_and_a_constant_one_add_what_they_say() -> None:
    """Points at 0 and 2 standard deviations in one unit; the second tells all apart, the third nothing."""
    tiny = np.array([[0.0], [2e-6], [4e-6], [6e-6]])
    rest = np.tile([0.7], (4, 1))
    wide = np.array([[0.0], [0.0], [9.0], [9.0]])
    means = np.hstack([1e4 + tiny, rest, wide])
    log_std = np.hstack([np.full((4, 1), np.log(1e-6)), np.full((4, 2), 0.0)])
    found = measured(means, log_std)
    z = np.linspace(-15e-6, 21e-6, 40_001)
    density = norm.pdf(z[:, None], tiny.T, 1e-6).mean(1)
    alone = -np.trapezoid(density * np.log2(np.maximum(density, 1e-300)), z) - np.log2(1e-6 * (2 * np.pi * np.e) ** 0.5)
    assert abs(float(found.marginal.bits[0]) - alone) < 4 * float(found.marginal.stderr[0]) + 1e-4
    assert abs(float(found.marginal.bits[1])) < 1e-6 and found.usage.of_state("dead") == [1]
    # Nine standard deviations tell the halves apart for sure: a bit, and in each half two points at distance 2.
    whole = 1.0 + two_points(2.0)
    assert holds(found, whole) or abs(float(found.information.bits) - whole) < 5e-3


@pytest.mark.parametrize(
    ("spread", "sentence"),
    [
        (np.full((50, 2), 0.3) ** 2, "variances or standard deviations.*suggests given='variance'.*--given variance"),
        (np.full((50, 2), 0.3), "suggests given='std'"),
        (np.full((50, 2), 0.3) ** -2, "look like precisions.*suggests given='precision'"),
        (np.where(np.eye(50, 2) > 0, 0.0, 0.09), "2 zeros, 0 to 0.09.*suggests given='variance'"),
    ],
)
def test_what_looks_like_something_else_is_asked_about(spread: np.ndarray, sentence: str) -> None:
    """Means of variance .91: with noise of .09 the code has the prior's variance of 1."""
    means = np.random.default_rng(2).normal(size=(50, 2))
    means = 0.91**0.5 * (means - means.mean(0)) / means.std(0)
    with pytest.raises(ValueError, match=sentence):
        checked_posterior(means, spread)


@pytest.mark.parametrize("given", ["variance", "std", "precision"])
def test_zeros_of_what_must_be_positive_are_refused(given: str) -> None:
    spread = np.where(np.eye(5, 2) > 0, 0.0, 0.09)
    with pytest.raises(ValueError, match=rf"Expected a {given} greater than 0 everywhere; got 2 zeros, 0\."):
        checked_posterior(np.zeros((5, 2)), spread, given)


def test_precisions_are_taken() -> None:
    std = np.array([[0.5, 0.9]] * 4)
    np.testing.assert_allclose(checked_posterior(0 * std, std**-2, "precision")[1], np.log(std), rtol=1e-12)


def test_growth_is_the_same_whether_the_other_points_stay_in_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    means, log_std = rng.normal(size=SHAPE), np.full(SHAPE, -1.0)
    whole = measured(means, log_std)
    kept = whole.growth
    monkeypatch.setattr("capacity.analysis.latent.latent.MAX_NUMBERS", 0)
    monkeypatch.setattr("capacity.analysis.latent.latent.GROWTH_DIVISORS", (4, 1))
    monkeypatch.setattr("capacity.analysis.latent.latent.measure_population", lambda *_: None)
    left_out = measured(means, log_std).growth
    assert kept.points.tolist() == [32, 64, 128, 256] and left_out.points.tolist() == [64, 256]
    kept_bits, kept_error = (np.asarray(part)[[1, 3]] for part in (kept.information.bits, kept.information.stderr))
    error = 4 * np.hypot(kept_error, left_out.information.stderr) + 1e-4
    assert (np.abs(kept_bits - left_out.information.bits) < error).all()
    assert float(kept.information.bits[-1]) == float(whole.information.bits)


def trained_code(seed: int, units: int, mean_std: float) -> tuple[np.ndarray, np.ndarray]:
    """Means and standard deviations whose variance in all is about 1, unit by unit, as under a normal prior."""
    rng = np.random.default_rng(seed)
    std = mean_std * np.exp(0.1 * rng.normal(size=(1000, units)))
    return rng.normal(size=(1000, units)) * np.sqrt(np.maximum(1 - (std**2).mean(0), 0.01)), std


def asked(means: np.ndarray, spreads: np.ndarray) -> bool:
    try:
        checked_posterior(means, spreads)
    except ValueError as error:
        assert "log standard deviations" in str(error) and "--given log_std" in str(error)
        return True
    return False


def test_log_standard_deviations_are_asked_about_where_they_can_be_told_and_log_variances_never() -> None:
    counts = {}
    for mean_std in (0.1, 0.45, 0.5, 0.6, 0.9):
        codes = [trained_code(seed, 8, mean_std) for seed in range(40)]
        assert not any(asked(means, 2 * np.log(std)) for means, std in codes)
        counts[mean_std] = sum(asked(means, np.log(std)) for means, std in codes)
    assert min(counts[0.45], counts[0.5], counts[0.6]) >= 36 and counts[0.1] == counts[0.9] == 0
    means, std = trained_code(0, 8, 0.5)
    checked_posterior(means, np.log(std), "logvar")
    assert not asked(means[:, :2], np.log(std[:, :2]))
    rng = np.random.default_rng(2)
    for noise in (0.05, 0.1, 0.2, 0.3, 0.5, 0.7):
        assert not asked(rng.normal(size=(500, 4)), np.full((500, 4), np.log(noise)))
