"""Independent blocks: 64 bits, four at a time to units of their own; information adds up, block by block."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from capacity import Joint
from capacity.channels import Gaussian
from synthetic import FairBits
from tests.families.problem import Family, Problem, double, log_uniform, of_joint, single
from tests.families.truths import all_signs, even, full_sum

BLOCKS, DIGITS, UNITS = 16, 4, 2


def blockwise(weights: jax.Array, gain: jax.Array, x: jax.Array) -> jax.Array:
    """tanh(W_b x_b) times the block's gain, for all blocks."""
    x = x.reshape(weights.shape[0], 1, -1)
    return (gain[:, None] * jnp.tanh((weights * x).sum(2))).reshape(-1)


def problem(rng: np.random.Generator, number: int) -> Problem:
    """Gains alike, or over two decades."""
    weights = single(rng.normal(size=(BLOCKS, UNITS, DIGITS)) * log_uniform(rng, 0.3, 2))
    spread = rng.uniform(0, 1) if rng.random() < 0.5 else 0.0
    gain, sigma = single(10 ** rng.uniform(-spread, spread, BLOCKS)), float(double(log_uniform(rng, 0.1, 1.0)))
    parts = [
        full_sum(rng, g * np.tanh(all_signs(DIGITS) @ w.T), sigma, even(2**DIGITS), 1e7)
        for w, g in zip(double(weights), double(gain), strict=True)
    ]
    truth = sum(bits for bits, _ in parts), float(np.sqrt(sum(error**2 for _, error in parts)))
    encode = jax.tree_util.Partial(blockwise, jnp.asarray(weights), jnp.asarray(gain))
    joint = Joint(FairBits(jnp.eye(BLOCKS * DIGITS)), encode, Gaussian(jnp.float32(sigma)))
    words = f"gains over {2 * spread:.2g} decades, sigma {sigma:.3g}"
    return of_joint(words, joint, truth, "bracket", float(rng.choice([2.0, 5.0, 10.0])))


FAMILY = Family("blocks", 48, problem, "64 bits in 16 independent blocks of 4, each to 2 units by a tanh")
