"""Systems: the constraint holds, its absence is paid for in power, the linear VAE meets its closed form."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from capacity import VAE, Architecture, GaussianAutoencoder, Training, capacity_curve
from capacity.bounds.exact.listing import list_codes
from capacity.systems.antithetic import antithetic_codes, messages_for
from capacity.systems.networks import AutoregressiveBits, GaussianMessage
from capacity.theory import linear_vae
from synthetic import FairBits, GaussianVectors

SPECTRUM = np.array([4, 2, 1, 0.5, 0.25], np.float32)


def test_autoregressive_decoder_is_normalised() -> None:
    decoder = AutoregressiveBits(3, 6, (32, 32), "silu", nnx.Rngs(0))
    messages = FairBits.build(jax.random.key(0), 6, 6).messages()
    for seed in range(3):
        z = jax.random.normal(jax.random.key(seed), (3,))
        total = jnp.exp(jax.vmap(lambda m, z=z: decoder.log_prob(m, z))(messages)).sum()
        np.testing.assert_allclose(total, 1.0, atol=1e-5)


def test_autoregressive_decoder_looks_only_back() -> None:
    decoder = AutoregressiveBits(2, 5, (40, 40), "tanh", nnx.Rngs(1))
    z = jnp.array([0.3, -1.0])

    def gradient(m: jax.Array) -> jax.Array:
        return jax.grad(lambda z: decoder.log_prob(m, z))(z)

    first = gradient(jnp.array([1, 0, 0, 0, 0], jnp.int8))
    assert np.isfinite(first).all()
    masks = decoder._masks()
    reach = masks[0][2:]
    for mask in masks[1:]:
        reach = reach @ mask
    np.testing.assert_array_equal(reach > 0, np.triu(np.ones((5, 5)), 1) > 0)


def test_gaussian_message_density_integrates_to_one() -> None:
    decoder = GaussianMessage(2, 1, (8,), "silu", nnx.Rngs(0))
    grid = jnp.linspace(-12, 12, 2001)[:, None]
    density = jnp.exp(jax.vmap(lambda m: decoder.log_prob(m, jnp.ones(2)))(grid))
    np.testing.assert_allclose(density.sum() * (grid[1, 0] - grid[0, 0]), 1.0, atol=1e-4)


@pytest.mark.parametrize("power", [1.0, 2.5])
def test_power_constraint_is_exact_over_all_messages(power: float) -> None:
    source = FairBits.build(jax.random.key(0), 6, 8)
    system = GaussianAutoencoder(Architecture(units=3, widths=(16,)), power=power)
    params = system.init(jax.random.key(1), source)
    listed = list_codes(system.joint(params, jax.random.key(2), source, jnp.float32(0.5)))
    np.testing.assert_allclose(listed.power, power, rtol=1e-4)
    np.testing.assert_allclose(listed.mean, 0.0, atol=1e-4)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (dict(units=0), "at least one unit; got units=0"),
        (dict(widths=(0,)), "widths of at least 1"),
        (dict(activation="sine"), "activation among relu"),
        (dict(decode="words"), "'bits' or 'vector'"),
        (dict(decoder_variance=0.0), "positive decoder_variance"),
    ],
)
def test_architecture_refusals(bad: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Architecture(**bad)


def test_system_refusals() -> None:
    with pytest.raises(ValueError, match=r"power in \(0, inf\)"):
        GaussianAutoencoder(power=0.0)
    with pytest.raises(ValueError, match="noise_start"):
        GaussianAutoencoder(noise_start=0.5)
    with pytest.raises(ValueError, match=r"rate_start in \[0, 1\]; got 2"):
        VAE(rate_start=2.0)


def test_mirrored_codes_have_the_channels_law() -> None:
    """Both halves are the means in noise of that deviation, and average to the means."""
    means = jax.random.normal(jax.random.key(0), (20000, 2))
    deviation = jnp.broadcast_to(jnp.array([0.5, 2.0]), means.shape)
    z = antithetic_codes(jax.random.key(1), means, deviation)
    np.testing.assert_allclose(z[:20000] + z[20000:], 2 * means, atol=1e-5)
    for half in (z[:20000], z[20000:]):
        scores = (half - means) / deviation
        np.testing.assert_allclose(scores.mean(0), 0, atol=4 / 20000**0.5)
        np.testing.assert_allclose(scores.var(0), 1, atol=4 * (2 / 20000) ** 0.5)
    assert [messages_for(n) for n in (1, 4, 5)] == [1, 2, 3]


@pytest.mark.slow
def test_a_vaes_weight_rises_over_the_first_half() -> None:
    source = FairBits.build(jax.random.key(0), 4, 4)
    system = VAE(Architecture(units=2, widths=(8,)))
    params, key = system.init(jax.random.key(1), source), jax.random.key(2)

    def loss(level: float, progress: float) -> float:
        return float(system.loss(params, key, source, jnp.float32(level), 64, jnp.float32(progress)))

    rate = loss(1.0, 1.0) - loss(0.0, 1.0)
    for progress, share in ((0.0, 0.5), (0.25, 0.75), (0.5, 1.0), (0.9, 1.0)):
        np.testing.assert_allclose(loss(1.0, progress) - loss(0.0, progress), share * rate, rtol=1e-4)
    assert VAE(system.architecture, rate_start=1.0).loss(
        params, key, source, jnp.float32(1), 64, jnp.float32(0)
    ) == pytest.approx(loss(1.0, 1.0))


@pytest.mark.slow
def test_a_weight_that_rises_finds_a_lower_loss_near_one() -> None:
    """At beta = 0.9 a constant weight lets most of the code collapse; what the rising one ends in has a lower loss."""
    source = FairBits.build(jax.random.key(0), 16, 32)
    found = {}
    for start in (0.5, 1.0):
        curve = capacity_curve(jax.random.key(1), source, VAE(rate_start=start), [0.9], 2)
        loss = 16 - curve.decoder_bits + 0.9 * curve.rate
        found[start] = float(loss.mean()), float(curve.bits.mean())
    assert found[0.5][0] < found[1.0][0] - 0.2
    assert found[0.5][1] > found[1.0][1] + 4


@pytest.mark.slow
def test_without_a_power_constraint_the_bits_are_bought_back() -> None:
    """Noise of sigma = 1 on units of power 1 passes at most 2 of 8 bits; free units pass nearly all, at a power."""
    source = FairBits.build(jax.random.key(0), 8, 8)
    architecture = Architecture(units=4, widths=(32, 32))
    training = Training(steps=1500, batch=128, receiver_steps=300, learning_rate=1e-2)
    held = capacity_curve(jax.random.key(1), source, GaussianAutoencoder(architecture), [1.0], 1, training=training)
    free = capacity_curve(
        jax.random.key(1), source, GaussianAutoencoder(architecture, None), [1.0], 1, training=training
    )
    assert float(held.bits_high.item()) <= 2.05
    assert float(free.bits.item()) > 7.5
    assert float(free.power.item()) > 10 * float(held.power.item())
    assert "ceiling" not in free


@pytest.mark.slow
def test_linear_vae_meets_its_closed_form() -> None:
    """Rate within 0.01 bits and the same active units, at four weights; the rate is exact, not sampled."""
    source = GaussianVectors(jnp.asarray(SPECTRUM))
    system = VAE(Architecture(units=5, widths=(), decode="vector", decoder_variance=0.1))
    optimiser = optax.chain(
        optax.clip_by_global_norm(5.0), optax.sgd(optax.cosine_decay_schedule(0.02, 15000), momentum=0.9)
    )
    training = Training(steps=15000, batch=512, receiver_steps=0, optimiser=optimiser)
    betas = np.array([1, 2, 4, 16], np.float32)
    keys = jax.random.split(jax.random.key(0), len(betas))

    def rates(lane: tuple[jax.Array, jax.Array]) -> jax.Array:
        encoder = training.joint(lane[0], source, system, lane[1]).encoder
        bias, columns = encoder(jnp.zeros(5)), jax.vmap(encoder)(jnp.eye(5))
        variances = SPECTRUM[:, None]
        square = (jnp.square(columns.mean - bias.mean[None]) * variances).sum(0) + jnp.square(bias.mean)
        spread = (jnp.square(columns.log_std - bias.log_std[None]) * variances).sum(0)  # of the normal log sigma(x)
        noise = jnp.exp(2 * bias.log_std + 2 * spread)
        return (0.5 * (square + noise - 1) - bias.log_std) / np.log(2)

    found = jax.jit(lambda lanes: jax.lax.map(rates, lanes))((keys, jnp.asarray(betas)))
    for beta, rate in zip(betas, found, strict=True):
        truth, active = linear_vae(SPECTRUM, 0.1, float(beta))
        assert float(rate.sum()) == pytest.approx(truth, abs=0.01)
        assert int((rate > 0.02).sum()) == active
