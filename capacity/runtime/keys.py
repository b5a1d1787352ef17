"""A seed wherever a key is asked for: the public functions take both."""

from __future__ import annotations

from typing import TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from capacity.runtime import threefry
from capacity.runtime.names import brief

Seed: TypeAlias = jax.Array | int
"""A random key by `jax.random.key` (or its two words, as a curve keeps them), or a whole number that makes one."""


def as_key(seed: Seed) -> jax.Array:
    """The key itself, or `jax.random.key(seed)` of a whole number from 0 to 2^32 - 1; traceable.

    Raises:
        TypeError: for anything else, saying what came.
        ValueError: for a number out of range.
    """
    if isinstance(seed, int | np.integer) and not isinstance(seed, bool):
        if not 0 <= seed < 2**32:
            raise ValueError(f"Expected a seed from 0 to 2**32 - 1; got {brief(str(seed))}.")
        return threefry.key_of(int(seed))
    if isinstance(seed, jax.Array) and jnp.issubdtype(seed.dtype, jax.dtypes.prng_key) and seed.ndim == 0:
        return seed
    if isinstance(seed, jax.Array | np.ndarray) and seed.dtype == np.uint32 and seed.shape == (2,):
        key: jax.Array = jax.random.wrap_key_data(jnp.asarray(seed))
        return key
    came = f"an array of {seed.dtype} {seed.shape}" if isinstance(seed, jax.Array | np.ndarray) else brief(repr(seed))
    raise TypeError(f"Expected a key by jax.random.key, or a whole number as a seed; got {came}.")
