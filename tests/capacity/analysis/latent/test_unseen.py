"""Kinds of points that no sample showed: how far an interval of the population reaches for them."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from scipy.stats import norm

from capacity.analysis.latent.latent import measure_latent
from capacity.analysis.latent.population import measure_population
from capacity.analysis.latent.posteriors import laplace, measure_posteriors
from capacity.analysis.latent.unseen import unseen_kind_bits
from capacity.theory.binary import binary_entropy

FAR, NARROW, NOISE = 10.0, 0.1, 0.8


def two_kinds(share: float, count: int, inner: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Means and log-variances: a first unit that says 0 of most points and sends the others to one of `inner` places;
    a second of mean variance a quarter."""
    rng = np.random.default_rng(seed)
    place = np.where(rng.random(count) < share, rng.integers(1, inner + 1, count), 0)
    means = np.stack([np.where(place > 0, FAR + place, 1e-9 * rng.normal(size=count)), 0.5 * rng.normal(size=count)], 1)
    std = np.stack([np.where(place > 0, NARROW, 1.0), np.full(count, NOISE)], 1)
    return means, 2 * np.log(std)


def truth_of_first(share: float, inner: int) -> float:
    """h(share) + share log2(inner), less what places overlap: by quadrature."""
    z = np.linspace(-10, FAR + inner + 10, 200_001)
    masses = [1 - share, *[share / inner] * inner]
    places, stds = [0.0, *(FAR + 1.0 + np.arange(inner))], [1.0, *[NARROW] * inner]
    q = sum(m * norm.pdf(z, at, std) for m, at, std in zip(masses, places, stds, strict=True))
    entropy = -np.trapezoid(q * np.log2(np.maximum(q, 1e-300)), z)
    given = sum(m * np.log2(std * np.sqrt(2 * np.pi * np.e)) for m, std in zip(masses, stds, strict=True))
    return float(entropy - given)


def counts_held(shares: list[float], sizes: list[int], seeds: int) -> tuple[int, int]:
    held = trials = 0
    for share in shares:
        for inner in (1, 8):
            truth = truth_of_first(share, inner)
            for size in sizes:
                for seed in range(seeds):
                    means, logvars = two_kinds(share, size, inner, seed)
                    found = measure_population(jax.random.key(seed), means, logvars / 2, 1024, pairs=False)
                    low, high = found.marginal.low[0], found.marginal.high[0]
                    held += bool(low <= truth <= high)
                    trials += 1
    return held, trials


def test_a_kind_adds_at_most_what_the_reach_says() -> None:
    for share in (0.001, 0.004, 0.0099):
        for inner in (1, 16, 256):
            told = binary_entropy(share) + share * np.log2(inner)
            assert told <= unseen_kind_bits(300, 300) or inner > 300
    assert unseen_kind_bits(1_000_000, 1_000_000) < 1e-3


def test_rare_kinds_are_held() -> None:
    held, trials = counts_held([1e-3, 5e-3], [200], 5)
    assert held == trials == 20


@pytest.mark.slow
def test_rare_kinds_are_held_from_a_ten_thousandth_to_a_tenth() -> None:
    held, trials = counts_held([1e-4, 1e-3, 1e-2, 1e-1], [100, 1000], 20)
    assert trials == 320 and held >= 0.95 * trials


def test_dead_is_said_of_the_points_and_the_population_may_say_more() -> None:
    means, logvars = two_kinds(0.0, 300, 1, 0)
    found = measure_latent(0, means, logvars)
    assert found.usage.state[0] == "dead" and found.population is not None
    assert found.population.marginal.low[0] == 0.0
    assert truth_of_first(1e-3, 1) < found.population.marginal.high[0] == found.usage.high[0] < 0.3


def test_posteriors_of_other_kinds_reach_as_far() -> None:
    means = np.zeros((300, 1)) + 1e-6 * np.random.default_rng(0).normal(size=(300, 1))
    found = measure_posteriors(0, laplace(means, np.ones_like(means)), samples=512)
    assert float(found.population.low) == 0.0
    assert float(found.population.high) >= unseen_kind_bits(300, 300)
