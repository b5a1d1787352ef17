"""Enumeration against the same sum in NumPy, in one run: `make bench` prints both times and their ratio."""

from __future__ import annotations

import platform

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import logsumexp

from capacity.bounds.exact.densities import log_densities
from capacity.bounds.exact.listing import Listed, listed_of
from capacity.channels import Gaussian

MESSAGES, UNITS, SAMPLES, SIGMA = 65536, 8, 64, 0.5


@pytest.fixture(scope="module")
def problem() -> tuple[Listed, jax.Array]:
    codes = jax.random.normal(jax.random.key(0), (MESSAGES, UNITS))
    z = codes[:SAMPLES] + SIGMA * jax.random.normal(jax.random.key(1), (SAMPLES, UNITS))
    log_probs = jnp.full(MESSAGES, -np.log(MESSAGES), jnp.float32)
    return listed_of(codes, log_probs, Gaussian(jnp.float32(SIGMA))), z


def peer(listed: Listed, z: jax.Array) -> np.ndarray:
    """The densities in NumPy and SciPy, by matrix products, all samples at once."""
    codes, points = np.asarray(listed.codes), np.asarray(z)
    distance = (points**2).sum(1)[:, None] - 2 * points @ codes.T + (codes**2).sum(1)
    terms = -0.5 * distance / SIGMA**2 + np.asarray(listed.log_probs)
    return logsumexp(terms, axis=1) - UNITS * (np.log(SIGMA) + 0.5 * np.log(2 * np.pi))


@pytest.mark.benchmark(group="densities of 64 codes under 65,536 messages")
def test_ours(benchmark: object, problem: tuple[Listed, jax.Array]) -> None:
    print(f"on {platform.machine()}, {jax.local_device_count()} {jax.default_backend()} device(s)")
    channel, densities = Gaussian(jnp.float32(SIGMA)), jax.jit(log_densities)
    ours = benchmark(lambda: densities(problem[0], channel, problem[1]).joint.block_until_ready())
    np.testing.assert_allclose(ours, peer(*problem), rtol=1e-3)


@pytest.mark.benchmark(group="densities of 64 codes under 65,536 messages")
def test_numpy(benchmark: object, problem: tuple[Listed, jax.Array]) -> None:
    benchmark(lambda: peer(*problem))
