"""What flips of digits do to a code, over the noise: by how much any two of them move the units the same way."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from capacity.joint.joint import Joint, drawn
from capacity.runtime.shapes import Key

PROBES = 8  # messages over which effects are averaged
CODE_BATCH = 1024  # codes at once


def flip_overlaps(key: Key, joint: Joint) -> Float[Array, "digits digits"]:
    """Products of the effects of any two flips 0 to 1 on the units over the noise: means over some messages.

    Args:
        key: of the messages.
        joint: with a discrete source.
    """
    overlaps: jax.Array = _overlaps(joint, drawn(joint.source, key, PROBES).message.astype(jnp.float32))
    return overlaps


@jax.jit
def _overlaps(joint: Joint, messages: jax.Array) -> jax.Array:
    def moments(digits: jax.Array) -> tuple[jax.Array, jax.Array]:
        return joint.moments(joint.source.embed(digits))

    def add(total: jax.Array, digits: jax.Array) -> tuple[jax.Array, None]:
        mean, variance = moments(digits)
        moved = jax.lax.map(lambda m: moments(m)[0], each_flipped(digits), batch_size=CODE_BATCH) - mean[None]
        # A unit without variance at one code is near sure there: its flips are as good as forbidden, not undefined.
        floor = jnp.maximum(variance, 1e-6 * jnp.square(mean) + 1e-12)
        effects = moved * (1 - 2 * digits)[:, None] / jnp.sqrt(floor)[None]
        return total + effects @ effects.T / len(messages), None

    digits = messages.shape[1]
    overlaps: jax.Array = jax.lax.scan(add, jnp.zeros((digits, digits)), messages)[0]
    return overlaps


def each_flipped(digits: Float[Array, " digits"]) -> Float[Array, "digits digits"]:
    """Digits with each flipped in turn, a row for each."""
    return jnp.abs(digits[None] - jnp.eye(len(digits), dtype=digits.dtype))
