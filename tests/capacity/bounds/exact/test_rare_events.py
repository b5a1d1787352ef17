"""The most that a message may tell, held against quadrature and against a sum over all pairs of messages."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity import Joint
from capacity.bounds.exact.listing import list_codes
from capacity.bounds.exact.rare_events import told_at_most
from capacity.channels import Gaussian, LearntGaussian, Posterior, Uniform
from capacity.joint.table import Rows, tabled
from synthetic import Codebook
from tests.families.truths import log_sum

MESSAGES, NODES = 24, 20_001


def told(means: np.ndarray, sigma: np.ndarray, probs: np.ndarray) -> np.ndarray:
    """D(p(z|m) || q(z)) of each message in nats, one unit, by the trapezoid rule in float64."""
    found = []
    for mean, std in zip(means, sigma, strict=True):
        z = mean + std * np.linspace(-9, 9, NODES)
        log_density = -0.5 * ((z[:, None] - means) / sigma) ** 2 - np.log(sigma) - 0.5 * np.log(2 * np.pi)
        own = -0.5 * ((z - mean) / std) ** 2 - np.log(std) - 0.5 * np.log(2 * np.pi)
        found.append(np.trapezoid(np.exp(own) * (own - log_sum(log_density + np.log(probs))), z))
    return np.array(found)


@pytest.mark.parametrize("kind", ["alike", "weak", "far", "offset", "narrow", "rare"])
def test_a_message_tells_no_more(kind: str) -> None:
    rng = np.random.default_rng(3)
    means, sigma, probs = rng.normal(size=MESSAGES), np.full(MESSAGES, 0.7), np.full(MESSAGES, 1 / MESSAGES)
    if kind == "weak":
        means *= 0.01
    if kind == "far":
        means[0] = 1e3
    if kind == "offset":
        means += 1e3
    if kind == "narrow":
        sigma = np.exp(rng.normal(size=MESSAGES))
        sigma[0] = 1e-3
    if kind == "rare":
        means[0] = 4.0
        probs = np.r_[1e-5, np.full(MESSAGES - 1, (1 - 1e-5) / (MESSAGES - 1))]
    table = Posterior(jnp.asarray(means[:, None], jnp.float32), jnp.asarray(np.log(sigma)[:, None], jnp.float32))
    joint = tabled(Rows.of(probs), table, LearntGaussian())
    most = np.asarray(told_at_most(joint.channel, list_codes(joint)), np.float64)
    means, sigma = np.asarray(table.mean, np.float64)[:, 0], np.exp(np.asarray(table.log_std, np.float64)[:, 0])
    assert (most >= told(means, sigma, probs) - 1e-6).all()
    assert (most <= -np.log(probs) + 1e-5).all()
    by_pair = np.log(sigma) - np.log(sigma)[:, None] - 0.5
    by_pair = by_pair + (sigma[:, None] ** 2 + (means[:, None] - means) ** 2) / (2 * sigma**2)
    expected = np.minimum(by_pair @ probs, -np.log(probs))
    np.testing.assert_allclose(most, expected, rtol=0.02, atol=1e-3)


def test_other_noise_may_tell_the_whole_message() -> None:
    joint = Joint(Codebook(jnp.linspace(-1, 1, 8)[:, None]), lambda x: x, Uniform(1.0))
    most = told_at_most(joint.channel, list_codes(joint))
    np.testing.assert_allclose(most, np.log(8), rtol=1e-6)
    joint = Joint(Codebook(0.01 * jnp.linspace(-1, 1, 8)[:, None]), lambda x: x, Gaussian(1.0))
    assert float(told_at_most(joint.channel, list_codes(joint)).max()) < 1e-3


def test_no_noise_and_codes_beyond_single_precision_are_what_the_message_has() -> None:
    for sigma, scale in ((0.0, 1.0), (1e-3, 1e19)):
        joint = Joint(Codebook(scale * jnp.linspace(-1, 1, 8)[:, None]), lambda x: x, Gaussian(sigma))
        most = jax.jit(told_at_most)(joint.channel, list_codes(joint))
        np.testing.assert_allclose(most, np.log(8), rtol=1e-6)
