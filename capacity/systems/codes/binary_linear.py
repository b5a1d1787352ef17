"""A binary linear code on the units: u = 1 - 2 (m G mod 2), +-1, whose power is 1 whatever is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np

from capacity.systems.codes.code import Encoder, digits_of, fair, normalised

if TYPE_CHECKING:
    from synthetic.source import Source


def send(source: Source, generator: np.ndarray, key: jax.Array | None) -> Encoder:
    """Encoder (dim,) -> (units,) by a generator (message_dim, units) of digits 0 and 1."""
    raw = jax.tree_util.Partial(_modulate, jnp.asarray(generator, jnp.float32), digits_of(source, key))
    return raw if fair(source) else normalised(source, raw, key)


def _modulate(generator: jax.Array, read: Encoder, x: jax.Array) -> jax.Array:
    ones = jnp.matmul(read(x).astype(jnp.float32), generator, precision=jax.lax.Precision.HIGHEST)
    return 1.0 - 2.0 * (ones % 2.0)
