"""The population's bits, from posteriors of every kind, against closed forms and quadrature."""

from __future__ import annotations

from collections.abc import Callable

import jax
import numpy as np
import pytest
from scipy.stats import laplace as scipy_laplace
from scipy.stats import norm, vonmises

from capacity.analysis.latent.posteriors import (
    Posteriors,
    full_gaussian,
    laplace,
    mixture_of_gaussians,
    uniform,
    von_mises_fisher,
)
from capacity.analysis.latent.posteriors.population import bracket_of_population

N = 512


def normal_bits(covariance: np.ndarray, noise: np.ndarray) -> float:
    both = np.linalg.slogdet(covariance + noise)[1] - np.linalg.slogdet(noise)[1]
    return float(0.5 * both / np.log(2))


def in_laplace_noise(scale: float) -> float:
    """I(X; X + Laplace noise) of a standard normal X, by quadrature."""
    z = np.linspace(-14, 14, 4001)
    step = z[1] - z[0]
    density = np.convolve(norm.pdf(z), scipy_laplace.pdf(z, scale=scale), "same") * step
    density = np.maximum(density, 1e-300)
    return float(-(density * np.log2(density)).sum() * step - scipy_laplace(scale=scale).entropy() / np.log(2))


COVARIANCE = np.array([[4.0, 1.5, 0.0], [1.5, 2.0, 0.3], [0.0, 0.3, 1.0]])
NOISE = np.array([[0.5, 0.3, 0.1], [0.3, 0.4, 0.1], [0.1, 0.1, 0.3]])


def of_normal(rng: np.random.Generator) -> tuple[Posteriors, float]:
    means = rng.multivariate_normal(np.zeros(3), COVARIANCE, size=N)
    return full_gaussian(means, np.tile(NOISE, (N, 1, 1))), normal_bits(COVARIANCE, NOISE)


def of_laplace(rng: np.random.Generator) -> tuple[Posteriors, float]:
    return laplace(rng.normal(size=(N, 2)), np.full((N, 2), 0.3)), 2 * in_laplace_noise(0.3)


def of_uniform(rng: np.random.Generator) -> tuple[Posteriors, float]:
    """X uniform on [0, 1], noise within e: log2(1 / 2e) + e / log 2 bits."""
    return uniform(rng.uniform(size=(N, 1)), np.full((N, 1), 0.1)), float(np.log2(1 / 0.2) + 0.1 / np.log(2))


def of_circle(rng: np.random.Generator) -> tuple[Posteriors, float]:
    angle = rng.uniform(-np.pi, np.pi, size=N)
    directions = np.stack([np.cos(angle), np.sin(angle)], 1)
    bits = (np.log(2 * np.pi) - vonmises(20.0).entropy()) / np.log(2)
    return von_mises_fisher(directions, np.full(N, 20.0)), float(bits)


def of_mixture(rng: np.random.Generator) -> tuple[Posteriors, float]:
    """Noise of two normal laws at -0.5 and 0.5 about a normal mean: both entropies by quadrature."""
    z = np.linspace(-14, 14, 20_001)
    entropies = []
    for std in (np.hypot(1.0, 0.3), 0.3):
        density = np.maximum((norm.pdf(z, -0.5, std) + norm.pdf(z, 0.5, std)) / 2, 1e-300)
        entropies.append(-(density * np.log2(density)).sum() * (z[1] - z[0]))
    x = rng.normal(size=(N, 1, 1))
    means = np.concatenate([x - 0.5, x + 0.5], axis=1)
    return mixture_of_gaussians(np.full((N, 2), 0.5), means, np.full((N, 2, 1), 0.3)), float(
        entropies[0] - entropies[1]
    )


CASES = {"full": of_normal, "laplace": of_laplace, "uniform": of_uniform, "sphere": of_circle, "mixture": of_mixture}


@pytest.mark.parametrize("name", CASES)
def test_the_bracket_holds_the_population(name: str) -> None:
    case: Callable[[np.random.Generator], tuple[Posteriors, float]] = CASES[name]
    for seed in range(3):
        posteriors, bits = case(np.random.default_rng(seed))
        found = bracket_of_population(jax.random.key(seed), posteriors, 4096)
        assert found.low <= bits <= found.high
        assert found.width < max(0.35 * bits, 0.6)  # three standard errors either way, of 512 points; kinds not seen


def test_beyond_the_logarithm_of_the_points_the_bound_above_still_holds() -> None:
    """24 bits from 512 points: enumeration ends at 9."""
    rng = np.random.default_rng(1)
    snr = 2 ** (2 * 24 / 6) - 1
    means = rng.normal(size=(N, 6)) * snr**0.5
    found = bracket_of_population(jax.random.key(1), full_gaussian(means, np.tile(np.eye(6), (N, 1, 1))), 4096)
    assert 8.0 < found.low <= 24.0 <= found.high < 30.0


@pytest.mark.slow
def test_copies_are_no_draws_of_their_own() -> None:
    """A point is told as far as its copies: 128 points four times over are 128 draws, not 512 that agree."""
    rng = np.random.default_rng(2)
    means = np.repeat(rng.normal(size=(128, 2)), 4, axis=0)
    found = bracket_of_population(jax.random.key(2), laplace(means, np.full((512, 2), 0.3)), 4096)
    assert found.low <= 2 * in_laplace_noise(0.3) <= found.high
    assert found.lower.n == 128
