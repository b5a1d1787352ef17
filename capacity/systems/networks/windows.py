"""What kernels see: the windows of an array at every stride, padded with zeros, side by side for one product."""

from __future__ import annotations

from itertools import product

import jax
import jax.numpy as jnp


def windows(x: jax.Array, kernel: int, stride: int) -> jax.Array:
    """What a kernel sees at every stride of an array padded with zeros.

    Args:
        x: (*axes, channels).
        kernel: places along an axis that it sees.
        stride: places from one to the next.

    Returns:
        (*axes / stride, kernel^axes * channels), the last axis of the window and the channels fastest.
    """
    *axes, _ = x.shape
    counts = [-(-size // stride) for size in axes]
    missing = [max((n - 1) * stride + kernel - size, 0) for n, size in zip(counts, axes, strict=True)]
    padded = jnp.pad(x, [*((n // 2, n - n // 2) for n in missing), (0, 0)])
    seen = []
    for offsets in product(range(kernel), repeat=len(axes)):
        cuts = tuple(slice(o, o + (n - 1) * stride + 1, stride) for o, n in zip(offsets, counts, strict=True))
        seen.append(padded[cuts])
    return jnp.concatenate(seen, axis=-1)
