"""Small minibatches as exploration: does a network learn and generalise better from B of n examples than from all?

On a quadratic the truth is known: minibatches drawn without replacement have gradient noise sigma^2/B (n-B)/(n-1), and
SGD then a stationary variance eta sigma_B^2/(a (2 - eta a)).  That must be met before anything else is believed.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax

from capacity.claims.lab.noisy_training import TRAINING, descend, gain_predictions
from capacity.claims.lab.quadratic import VARIANCE_PREDICTION, QuadraticClaim
from capacity.theory.training import sgd_variance
from capacity.training.noises import average_minibatch

EXAMPLES = 24  # of the quadratic
MINIBATCH_CELLS = tuple((size, product) for size in (1, 4, 12) for product in (0.1, 0.5, 1.0, 1.7))


class MinibatchNoise(QuadraticClaim):
    """Full batch against minibatches of 32 to 1, each at its best learning rate; as many steps for all."""

    name = "minibatch"
    sentence = "noise in training is exploration energy (here: that of small minibatches)"
    source = (
        "Jang (2016), Why randomness is important for deep learning; LeCun et al. (1998), Efficient BackProp; "
        "Keskar et al. (2017), On large-batch training for deep learning"
    )
    references = ("jang2016why", "lecun1998efficient", "keskar2017large")
    predictions = (VARIANCE_PREDICTION, *gain_predictions("some minibatch finds what the full batch misses"))
    kind = "batch"
    strengths = (TRAINING, 32, 16, 8, 4, 1)
    axis = ("minibatch", "examples")
    products = tuple(product for _, product in MINIBATCH_CELLS)
    cells = "B = 1, 4, 12 of 24"

    def variance_ratio(self, key: jax.Array) -> np.ndarray:
        return minibatch_descent_ratio(key)

    def tick(self, strength: float) -> str:
        return f"{int(strength)}" if strength < TRAINING else f"all {TRAINING}"


def minibatch_descent_ratio(key: jax.Array, walkers: int = 2048, steps: int = 300) -> np.ndarray:
    """Mean squares over the closed form, (cells, walkers): examples x_i with losses (theta - x_i)^2 / 2, sum x = 0.

    Args:
        key: decides the examples and the minibatches.
        walkers: independent ones in every cell.
        steps: of each, from 0.
    """
    key_data, key_walk = jax.random.split(key)
    x = jax.random.normal(key_data, (EXAMPLES,))
    x = x - x.mean()
    sizes, rates = (jnp.asarray(v) for v in zip(*MINIBATCH_CELLS, strict=True))

    def walker(key: jax.Array, size: jax.Array, rate: jax.Array) -> jax.Array:
        optimiser = optax.chain(average_minibatch(size, key), optax.sgd(rate))
        return jnp.square(descend(optimiser, lambda theta: theta[None] - x, jnp.zeros(()), steps))

    keys = jax.random.split(key_walk, (len(MINIBATCH_CELLS), walkers))
    squares = jax.jit(jax.vmap(jax.vmap(walker, (0, None, None))))(keys, sizes, rates)
    drawn = np.asarray(sizes, np.float64)
    noise = float(x.std()) * np.sqrt((EXAMPLES - drawn) / (EXAMPLES - 1) / drawn)
    return np.asarray(squares, np.float64) / np.asarray(sgd_variance(rates, 1.0, noise))[:, None]
