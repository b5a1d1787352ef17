"""Long lists in tiles of equal size, so that memory does not grow with them; and what stands for log 0."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Shaped

MESSAGES_PER_TILE = 4096  # with SAMPLES_PER_TILE, a tile of 512 KiB: one of 2 MiB took a tenth longer on a CPU
SAMPLES_PER_TILE = 32
LOG_ZERO = -1e30  # stands for log 0 where -inf would make NaN of a product or a difference


def in_tiles(array: Shaped[Array, "n ..."], rows: int, fill: float) -> Shaped[Array, "tiles rows ..."]:
    """Rows in tiles of equal size, the last filled up."""
    missing = -array.shape[0] % rows
    padding = [(0, missing)] + [(0, 0)] * (array.ndim - 1)
    return jnp.pad(array, padding, constant_values=fill).reshape(-1, rows, *array.shape[1:])
