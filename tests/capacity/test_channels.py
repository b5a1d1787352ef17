"""Laws that every channel keeps: sampler, density, moments and entropy must tell of one distribution."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity.channels import CHANNELS, Channel, Gaussian, LearntGaussian, Posterior

U = jnp.array([-1.0, 0.3, 2.0])
CASES = {
    "gaussian": (Gaussian(jnp.float32(0.7)), U),
    "learnt_gaussian": (LearntGaussian(), Posterior(U, jnp.array([-1.0, 0.0, 0.5]))),
}


def test_every_channel_has_a_case() -> None:
    assert CASES.keys() == CHANNELS.keys()


@pytest.fixture(params=CASES, ids=str)
def case(request: pytest.FixtureRequest) -> tuple[Channel, object]:
    return CASES[request.param]


def draw(channel: Channel, u: object) -> jax.Array:
    return jax.vmap(channel, (0, None))(jax.random.split(jax.random.key(0), 40000), u)


def test_keeps_the_contract(case: tuple[Channel, object]) -> None:
    assert isinstance(case[0], Channel)


def test_moments(case: tuple[Channel, object]) -> None:
    channel, u = case
    z = draw(channel, u)
    mean, variance = channel.moments(u)
    np.testing.assert_allclose(z.mean(0), mean, atol=5 * float(jnp.sqrt(variance.max())) / 200)
    np.testing.assert_allclose(z.var(0), variance, rtol=5 * 2**0.5 / 200)


def test_density_integrates_to_one_and_entropy_is_its_mean(case: tuple[Channel, object]) -> None:
    channel, u = case
    mean, variance = channel.moments(u)
    grid = mean[None] + jnp.sqrt(variance)[None] * jnp.linspace(-10, 10, 2001)[:, None]
    log_p = jax.vmap(channel.log_prob, (0, None))(grid, u)
    step = 0.01 * jnp.sqrt(variance)[None]
    np.testing.assert_allclose((jnp.exp(log_p) * step).sum(0), 1.0, atol=1e-4)
    np.testing.assert_allclose(-(jnp.exp(log_p) * log_p * step).sum(0), channel.entropy(u), atol=1e-3)
    z = draw(channel, u)
    sampled = -jax.vmap(channel.log_prob, (0, None))(z, u).mean(0)
    np.testing.assert_allclose(sampled, channel.entropy(u), atol=5 * 0.71 / 200)


def test_same_key_same_noise(case: tuple[Channel, object]) -> None:
    channel, u = case
    key = jax.random.key(3)
    np.testing.assert_array_equal(channel(key, u), channel(key, u))
    assert not np.array_equal(channel(key, u), channel(jax.random.key(4), u))


def test_ceiling_or_a_refusal(case: tuple[Channel, object]) -> None:
    channel, _ = case
    power = jnp.array([0.0, 1.0, 2.0])
    if channel.has_ceiling:
        ceiling = channel.ceiling(power)
        assert ceiling[0] == 0 and jnp.all(jnp.diff(ceiling) > 0)
    else:
        with pytest.raises(ValueError, match="no ceiling"):
            channel.ceiling(power)


def test_levels_stack_under_vmap() -> None:
    channels = jax.vmap(Gaussian)(jnp.array([1.0, 0.5]))
    ceiling = jax.vmap(lambda c: c.ceiling(jnp.float32(1.0)))(channels)
    np.testing.assert_allclose(ceiling, [0.5, 1.160964], atol=1e-6)
