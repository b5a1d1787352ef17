"""What random codes carry: against drawn codes, drawn densities, and the limits."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp

from capacity.theory import gaussian_capacity, pam_information, random_coding_information
from capacity.theory.random_coding import _variance_gamma

NATS = np.log(2)


@pytest.mark.parametrize("n", [1, 2, 3, 40, 51, 52, 53, 1000, 100_000])
def test_the_density_of_n_units_has_the_moments_of_its_law(n: int) -> None:
    values, weights = _variance_gamma(n)
    assert weights @ values**2 == pytest.approx(n, rel=1e-5)
    assert weights @ values**4 == pytest.approx(3 * n**2 + 6 * n, rel=1e-5)


@pytest.mark.parametrize(
    ("bits", "units", "sigma"), [(1, 1, 1.0), (4, 2, 0.3), (16, 8, 0.13), (64, 32, 0.27), (5, 300, 4.0)]
)
def test_it_is_the_mean_over_drawn_densities(bits: int, units: int, sigma: float) -> None:
    rng = np.random.default_rng(bits)
    x, noise = rng.normal(size=(2, 20_000, units))
    z = x + sigma * noise
    nats = units * gaussian_capacity(sigma**-2) * NATS + 0.5 * ((z**2 / (1 + sigma**2)) - noise**2).sum(1)
    drawn = -np.logaddexp2(-bits, np.log2(1 - 2.0**-bits) - nats / NATS)
    error = drawn.std() / np.sqrt(len(drawn))
    assert abs(drawn.mean() - random_coding_information(bits, units, sigma)) < 4 * error + 1e-9


def test_codes_drawn_at_random_carry_at_least_as_much_on_average() -> None:
    """Jensen's inequality, and not far from it: 400 codes of 16 messages, enumerated by samples."""
    bits, units, sigma = 4, 2, 0.5
    rng, found = np.random.default_rng(0), []
    for _ in range(400):
        code = rng.normal(size=(2**bits, units))
        sent = rng.integers(2**bits, size=200)
        z = code[sent] + sigma * rng.normal(size=(200, units))
        log_likelihood = -0.5 * np.square((z[:, None] - code) / sigma).sum(2)
        mixture = logsumexp(log_likelihood, axis=1) - bits * NATS
        found.append((log_likelihood[np.arange(200), sent] - mixture).mean() / NATS)
    error = np.std(found) / np.sqrt(len(found))
    bound = random_coding_information(bits, units, sigma)
    assert bound - 4 * error < np.mean(found) < bound + 0.2


def test_it_lies_below_both_limits_and_reaches_them() -> None:
    for sigma in (0.01, 0.3, 3.0):
        for bits, units in ((1, 1), (16, 8), (64, 4)):
            capacity = units * float(gaussian_capacity(sigma**-2))
            assert 0 < random_coding_information(bits, units, sigma) < min(bits, capacity) + 1e-9
    assert random_coding_information(16, 8, 1e-3) == pytest.approx(16, abs=1e-3)
    assert random_coding_information(500, 8, 1.0) == pytest.approx(4.0, abs=1e-6)
    assert random_coding_information(8192, 16384, 0.5) == pytest.approx(8192)


def test_scaling_power_and_noise_together_changes_nothing_and_few_levels_beat_it() -> None:
    assert random_coding_information(16, 8, 3.0, 100.0) == pytest.approx(random_coding_information(16, 8, 0.3))
    assert random_coding_information(16, 8, 0.17) < pam_information(16, 8, 0.17)


@pytest.mark.parametrize(
    "arguments", [(0, 1, 1.0), (4, 0, 1.0), (4, 1, -1.0), (4, 1, 1.0, 0.0), (4, 1, np.nan), (np.inf, 1, 1.0)]
)
def test_sizes_that_are_none_are_refused(arguments: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="Expected a positive"):
        random_coding_information(*arguments)  # type: ignore[arg-type]
