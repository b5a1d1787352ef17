"""Samples of a joint: codes are those of the encoder, however many are drawn in one program."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from capacity import Joint
from capacity.channels import Gaussian
from synthetic import FairBits


def features(weights: jax.Array, x: jax.Array) -> jax.Array:
    """Several features of blocks of four; the last, their products, is taken."""
    block = x.reshape(-1, 4)
    on = (block + 1) / 2
    every = jnp.stack(
        [on.prod(1), 1 - (1 - on).prod(1), block.mean(1), (on.sum(1) >= 3).astype(x.dtype), block.prod(1)], 1
    )
    return (weights * every).sum(1)


def test_more_codes_than_a_program_takes_together() -> None:
    """Compiled for more than 4,096 rows at once, this encoder gave other codes from there on (JAX 0.10.2, CPU)."""
    weights = jnp.zeros((4, 5)).at[:, 4].set(1.0)
    joint = Joint(FairBits(jnp.eye(16)), jax.tree_util.Partial(features, weights), Gaussian(1.0))
    message, codes, _ = jax.jit(lambda key: joint.sample(key, 8192))(jax.random.key(0))
    parities = np.prod(2.0 * np.asarray(message).reshape(8192, 4, 4) - 1, axis=2)
    np.testing.assert_allclose(codes, parities)


def test_sums_over_axes_for_many_rows() -> None:
    """Compiled for 4,096 rows at once, this encoder gave other codes from row 1,024 on (JAX 0.10.2, CPU)."""
    weights = jax.random.normal(jax.random.key(1), (16, 2, 4))

    def encode(x: jax.Array) -> jax.Array:
        return jnp.tanh((weights * x.reshape(16, 1, 4)).sum(2)).reshape(-1)

    joint = Joint(FairBits(jnp.eye(64)), encode, Gaussian(1.0))
    message, codes, _ = jax.jit(lambda key: joint.sample(key, 8192))(jax.random.key(0))
    digits = 2.0 * np.asarray(message, np.float64).reshape(-1, 16, 1, 4) - 1
    np.testing.assert_allclose(codes, np.tanh((np.asarray(weights) * digits).sum(3)).reshape(8192, -1), atol=1e-5)
