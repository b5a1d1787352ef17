"""Small joints of known information, shared by the tests."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from capacity import Joint
from capacity.channels import Gaussian
from synthetic import FairBits


def keyed_bits(count: int, noise_std: float, scale: float = 1.0) -> Joint:
    """`count` bits, each sent as +-scale on a unit of its own: the rotation of the source undone."""
    source = FairBits.build(jax.random.key(0), count, count)

    def encoder(x: jax.Array) -> jax.Array:
        return scale * (source.rotation @ x)

    return Joint(source, encoder, Gaussian(jnp.float32(noise_std)))
