"""Long lists in tiles of equal size, so that memory does not grow with them; and what stands for log 0."""

from __future__ import annotations

import jax.numpy as jnp
from jaxtyping import Array, Shaped

MESSAGES_PER_TILE = 4096
SAMPLES_PER_TILE = 32  # at least
PAIRS_PER_TILE = 2**17  # 512 KiB: a tile of 2 MiB took a tenth longer on a CPU
LOG_ZERO = -1e30  # stands for log 0 where -inf would make NaN of a product or a difference


def tile_sizes(samples: int, messages: int, memoryless: bool) -> tuple[int, int]:
    """How many samples and messages a tile has: of few messages more samples, where a pair takes one number."""
    messages = min(MESSAGES_PER_TILE, messages)
    many = max(PAIRS_PER_TILE // messages, SAMPLES_PER_TILE) if memoryless else SAMPLES_PER_TILE
    return min(many, samples), messages


def in_tiles(array: Shaped[Array, "n ..."], rows: int, fill: float) -> Shaped[Array, "tiles rows ..."]:
    """Rows in tiles of equal size, the last filled up."""
    missing = -array.shape[0] % rows
    padding = [(0, missing)] + [(0, 0)] * (array.ndim - 1)
    return jnp.pad(array, padding, constant_values=fill).reshape(-1, rows, *array.shape[1:])
