"""Two-layer networks on random labels: f(x) = c . relu(A x + b) + d learns fair labels of random points by heart.

What it can be made to recall of labels that nothing else tells about is a lower bound on what its weights hold
(`capacity.analysis.weights.memorised_bits`); noise of three kinds may be put in its way: dropped hidden units, Gaussian
noise on the weights, and annealed Gaussian noise on the gradient.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Int, PyTree

from capacity.runtime.keys import Seed, as_key
from capacity.training.fitting import apply_update, cosine_adam
from capacity.training.noises import annealed_noise

LayerWeights: TypeAlias = dict[str, jax.Array]
"""A, b, c and d of f under "in", "bias", "out" and "shift"."""
NOISE_DRAWS = 8  # draws of the noise in `Recall.noisy_log_probs`


class Noise(NamedTuple):
    """Strengths of three noises, each a scalar.

    Attributes:
        dropout: chance that a hidden unit drops out.
        weight: standard deviation of the weights' noise.
        gradient: eta of the gradient's noise.
    """

    dropout: jax.Array
    weight: jax.Array
    gradient: jax.Array


class Recall(NamedTuple):
    """Nats that a trained network gives each label, (most,); those past the lane's number of patterns mean nothing.

    `log_probs` by the network without noise, `noisy_log_probs` the mean over draws of the noise it was trained with.
    """

    log_probs: jax.Array
    noisy_log_probs: jax.Array


def parameter_count(inputs: int, hidden: int) -> int:
    """Weights and biases of the network: hidden (inputs + 2) + 1."""
    return hidden * (inputs + 2) + 1


def memorise(
    key: Seed,
    patterns: Int[Array, ""] | int,
    noise: Noise | None,
    *,
    inputs: int,
    hidden: int,
    most: int,
    steps: int,
    learning_rate: float = 0.05,
) -> Recall:
    """Learn `patterns` random labels of standard normal points by full-batch Adam; one lane, traceable.

    Args:
        key: decides points, labels, start and noise.
        patterns: how many, at most `most`; may be traced.
        noise: its strengths, which may be traced; None leaves the noise out of the program.
        inputs, hidden: the network's sizes.
        most: places for patterns: lanes of different numbers share one program.
        steps, learning_rate: of Adam, with a warm-up and a cosine to zero.
    """
    key = as_key(key)
    key_point, key_label, key_init, key_noise, key_gradient, key_read = jax.random.split(key, 6)
    points = jax.random.normal(key_point, (most, inputs))
    signs = jax.random.rademacher(key_label, (most,), float)
    there = (jnp.arange(most) < patterns).astype(float)
    optimiser = cosine_adam(learning_rate, steps)
    if noise is not None:
        optimiser = optax.chain(annealed_noise(noise.gradient, key_gradient), optimiser)

    def loss(params: LayerWeights, key: jax.Array) -> jax.Array:
        log_probs = jax.nn.log_sigmoid(signs * _logits(params, key, points, noise))
        return -(there * log_probs).sum() / there.sum()

    def step(carry: tuple[LayerWeights, PyTree], i: jax.Array) -> tuple[tuple[LayerWeights, PyTree], None]:
        params, state = carry
        gradient = jax.grad(loss)(params, jax.random.fold_in(key_noise, i))
        return apply_update(optimiser, gradient, state, params), None

    params = _init(key_init, inputs, hidden)
    (params, _), _ = jax.lax.scan(step, (params, optimiser.init(params)), jnp.arange(steps))

    def read(key: jax.Array, noise: Noise | None) -> jax.Array:
        return jax.nn.log_sigmoid(signs * _logits(params, key, points, noise))

    silent = read(key_read, None)
    if noise is None:
        return Recall(silent, silent)
    noisy = jax.lax.map(lambda key: read(key, noise), jax.random.split(key_read, NOISE_DRAWS))
    return Recall(silent, noisy.mean(0))


def _init(key: jax.Array, inputs: int, hidden: int) -> LayerWeights:
    key_in, key_out = jax.random.split(key)
    return {
        "in": jax.random.normal(key_in, (inputs, hidden)) * (2 / inputs) ** 0.5,
        "bias": jnp.zeros(hidden),
        "out": jax.random.normal(key_out, (hidden,)) / hidden**0.5,
        "shift": jnp.zeros(()),
    }


def _logits(params: LayerWeights, key: jax.Array, points: jax.Array, noise: Noise | None) -> jax.Array:
    """Logits (n,): noise on the weights is drawn once, hidden units drop out anew for every point.

    Units that stay are scaled to keep the mean, as is the custom (Srivastava et al. 2014, section 10).
    """
    key_weight, key_drop = jax.random.split(key)
    if noise is not None:
        normal = optax.tree.random_like(key_weight, params, jax.random.normal)
        params = optax.tree.add_scale(params, noise.weight, normal)
    active = jax.nn.relu(points @ params["in"] + params["bias"][None])
    if noise is not None:
        kept = jax.random.bernoulli(key_drop, 1 - noise.dropout, active.shape)
        active = jnp.where(kept, active / (1 - noise.dropout), 0.0)
    return active @ params["out"] + params["shift"]
