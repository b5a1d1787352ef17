"""The control by messages next to the one sent: exact on a linear code, and less noise than without it."""

from __future__ import annotations

import itertools

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import logsumexp

from capacity import Joint
from capacity.bounds.annealed.controls import controls_of
from capacity.bounds.annealed.neighbours import Neighbours, fit_neighbours
from capacity.bounds.annealed.two_phase import SecondPhase, two_phase_mean
from capacity.channels import Gaussian
from synthetic import Codebook, FairBits


def coded(bits: int, units: int, sigma: float, bend: float) -> Joint:
    weights = jax.random.normal(jax.random.key(0), (bits, units))
    encoder = jax.tree_util.Partial(lambda w, x: jnp.tanh(bend * x @ w) / bend, weights)
    return Joint(FairBits(jnp.eye(bits)), encoder, Gaussian(jnp.float32(sigma)))


@jax.jit
def sample(joint: Joint, key: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    return joint.sample(key, 20)


@jax.jit
def claimed(neighbours: Neighbours, message: jax.Array, z: jax.Array) -> jax.Array:
    return jax.vmap(neighbours)(message, z)


@jax.jit
def log_probs_of(joint: Joint, messages: jax.Array, z: jax.Array) -> jax.Array:
    return jax.vmap(joint.log_prob, (0, None))(messages, z)


def test_exact_to_two_flips_on_a_linear_code() -> None:
    """Against the densities of the message and of all with one or two digits flipped, one by one."""
    joint = coded(bits=9, units=5, sigma=0.8, bend=1e-3)
    neighbours = fit_neighbours(jax.random.key(1), joint)
    message, _, z = sample(joint, jax.random.key(2))
    given = claimed(neighbours, message, z)
    flips = [f for size in range(3) for f in itertools.combinations(range(9), size)]
    for m, received, value in zip(np.asarray(message), z, given, strict=True):
        others = np.stack([np.where(np.isin(np.arange(9), f), 1 - m, m) for f in flips]).astype(np.int8)
        log_probs = np.asarray(log_probs_of(joint, others, received), np.float64)
        np.testing.assert_allclose(value, logsumexp(log_probs) - log_probs[0], atol=2e-3)


def test_takes_noise_away_where_noise_is_weak() -> None:
    """log p(z) itself, enumerated: the noise of its mean, once the noise's density is taken off, falls."""
    joint = coded(bits=10, units=6, sigma=0.8, bend=0.05)

    @jax.jit
    def sampled(joint: Joint) -> tuple[jax.Array, ...]:
        codes = jax.vmap(joint.encoder)(joint.source.codebook()[0])
        message, code, z = joint.sample(jax.random.key(1), 4096)
        density = jax.lax.map(lambda at: jax.vmap(joint.conditional, (None, 0))(at, codes), z, batch_size=64)
        return message, code, z, jax.vmap(joint.conditional)(z, code) - jax.nn.logsumexp(density, axis=1)

    message, code, z, values = map(np.asarray, sampled(joint))
    values = values.astype(np.float64)
    power = jax.tree_util.Partial(lambda message, z: jnp.square(z).sum())
    plain = controls_of(joint, (power,), message, code, z)
    informed = controls_of(joint, (power, fit_neighbours(jax.random.key(2), joint)), message, code, z)
    weight = np.full(len(values), 1 / len(values))
    noise = [two_phase_mean(values, SecondPhase(c, weight), c).residuals.std() for c in (plain, informed)]
    assert noise[1] < 0.8 * noise[0]


def test_a_code_without_a_gradient_has_a_control_all_the_same() -> None:
    joint = coded(bits=6, units=4, sigma=0.5, bend=0.5)
    listed = Joint(Codebook(joint.source.codebook()[0], np.full(64, 1 / 64)), joint.encoder, joint.channel)
    message, _, z = sample(listed, jax.random.key(2))
    assert np.isfinite(claimed(fit_neighbours(jax.random.key(1), listed), message, z)).all()
