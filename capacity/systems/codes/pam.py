"""Pulse-amplitude modulation: b digits a unit on 2^b equally spaced levels, Gray labels (Proakis 2001, section 5.2).

Level i of 2^b stands at (2 i - (2^b - 1)) / sqrt((4^b - 1) / 3), of power 1; labels of neighbours differ in one digit.
The digits are dealt out over the units; with 24 on one unit all levels still differ in float32, and carry 24 bits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import jax
import jax.numpy as jnp

from capacity.systems.codes.code import Encoder, check_units, dealt, digits_of, fair, normalised

if TYPE_CHECKING:
    from synthetic.source import Source

MAX_DIGITS = 24  # that the levels of one unit hold apart in float32


@dataclass(frozen=True)
class PAM:
    """Equally spaced levels on every unit."""

    name: ClassVar[str] = "pam"
    summary: ClassVar[str] = "the message's digits dealt out over the units, equally spaced levels, Gray labels"

    def build(self, source: Source, units: int, key: jax.Array | None = None) -> Encoder:
        """Encoder (dim,) -> (units,).

        Raises:
            ValueError: for a continuous source, or more than 24 digits on a unit.
        """
        check_units(units)
        most = -(-source.message_dim // units)
        if most > MAX_DIGITS:
            raise ValueError(f"Expected at most {MAX_DIGITS} digits a unit, float32's precision; got {most}.")
        raw = jax.tree_util.Partial(_Send(source.message_dim, units), digits_of(source, key))
        return raw if fair(source) else normalised(source, raw, key)


@dataclass(frozen=True)
class _Send:
    digits: int
    units: int

    def __call__(self, read: Encoder, x: jax.Array) -> jax.Array:
        message = read(x).astype(jnp.int32)
        return jnp.stack([gray_level(message[jnp.array(own)]) for own in dealt(self.digits, self.units)])


def gray_level(label: jax.Array) -> jax.Array:
    """The level, of power 1 over all labels, of b digits (b,) read as a Gray code."""
    b = label.shape[0]
    binary = jnp.cumsum(label) % 2
    index = (binary << jnp.arange(b - 1, -1, -1)).sum()
    level: jax.Array = (2 * index - (2**b - 1)).astype(jnp.float32)
    return level / math.sqrt((4.0**b - 1) / 3)
