"""Noise in training, each message sent twice: with a noise and with its mirror image.

Both codes have the channel's law, so that a mean over them is what it was; slopes that are odd in the noise cancel, and
the encoder runs for half of the batch.  Source: antithetic variates, Hammersley & Morton (1956).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp

if TYPE_CHECKING:
    from synthetic.source import Batch, Draws


def messages_for(n: int) -> int:
    """How many messages give a batch of n noisy codes, or of n + 1 where n is odd."""
    return -(-n // 2)


def antithetic_codes(key: jax.Array, mean: jax.Array, deviation: jax.Array | float) -> jax.Array:
    """Noisy codes (2n, units) of n means: all with a noise, then with its mirror image.

    Args:
        deviation: a scalar, or of every unit of every code, (n, units).
    """
    noise = deviation * jax.random.normal(key, mean.shape)
    signs = jnp.array([1.0, -1.0])[:, None, None]  # a concatenation would draw the noise anew for each half
    return (mean[None] + signs * noise[None]).reshape(-1, mean.shape[1])


def repeat_batch(batch: Draws) -> Batch:
    """The messages and vectors of `antithetic_codes`, in their order."""
    repeated: Batch = jax.tree.map(lambda a: jnp.concatenate([a, a]), batch)
    return repeated
