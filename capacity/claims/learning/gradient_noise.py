"""Annealed Gaussian noise on the gradient as exploration: sigma_t^2 = eta / (1 + t)^0.55 (Neelakantan et al. 2015)."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import optax

from capacity.claims.lab.noisy_training import descend, gain_predictions
from capacity.claims.lab.quadratic import VARIANCE_PREDICTION, QuadraticClaim
from capacity.theory.training import sgd_variance
from capacity.training.noises import annealed_noise

NOISY_CELLS = tuple((a, product) for a in (0.5, 1.0, 3.0) for product in (0.1, 0.5, 1.0, 1.7))


class GradientNoise(QuadraticClaim):
    """No noise against five strengths of it at the full batch, each at its best learning rate."""

    name = "gradient_noise"
    sentence = "noise in training is exploration energy (here: Gaussian noise on the gradient)"
    source = (
        "Jang (2016), Why randomness is important for deep learning; Neelakantan et al. (2015), Adding gradient noise "
        "improves learning for very deep networks"
    )
    references = ("jang2016why", "neelakantan2015adding")
    predictions = (VARIANCE_PREDICTION, *gain_predictions("some noise finds what plain descent misses"))
    kind = "eta"
    strengths = (0.0, 1e-4, 1e-3, 1e-2, 1e-1, 1.0)
    axis = ("variance η of the noise", "squared gradient")
    products = tuple(product for _, product in NOISY_CELLS)
    cells = "curvature a = 0.5, 1, 3"

    def variance_ratio(self, key: jax.Array) -> np.ndarray:
        return noisy_descent_ratio(key)

    def tick(self, strength: float) -> str:
        return f"{strength:g}" if strength else "none"


def noisy_descent_ratio(key: jax.Array, walkers: int = 2048, steps: int = 300) -> np.ndarray:
    """Mean squares over the closed form, (cells, walkers), of theta' = theta - eta (a theta + 0.7 N(0, 1)).

    Args:
        key: decides the noise.
        walkers: independent ones in every cell.
        steps: of each, from 0.
    """
    curvature, product = (jnp.asarray(v) for v in zip(*NOISY_CELLS, strict=True))
    rates = product / curvature

    def cell(key: jax.Array, curvature: jax.Array, rate: jax.Array) -> jax.Array:
        optimiser = optax.chain(annealed_noise(0.49, key, 0.0), optax.sgd(rate))
        return jnp.square(descend(optimiser, lambda theta: curvature * theta, jnp.zeros(walkers), steps))

    squares = jax.jit(jax.vmap(cell))(jax.random.split(key, len(NOISY_CELLS)), curvature, rates)
    return np.asarray(squares, np.float64) / np.asarray(sgd_variance(rates, curvature, 0.7))[:, None]
