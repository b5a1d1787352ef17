"""Finite scalar quantisation: each unit bounded by tanh and rounded to its own number of levels (Mentzer et al. 2024).

The codebook is the product of the units' levels, all of it within reach: sum log2 L_j bits, 9.966 for [8, 5, 5, 5].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from capacity.channels.atoms import DeterministicChannel
from capacity.channels.channel import Number, Powers, check_level
from capacity.channels.constraint import ANY, POWER, Constraint
from capacity.channels.quantized import check_whole
from capacity.results.estimate import NATS_PER_BIT
from capacity.runtime.pytrees import register_dataclass
from capacity.runtime.shapes import Units

MARGIN = 1e-3  # of the authors' code: the outermost levels are reached before tanh saturates


@register_dataclass
@dataclass(frozen=True)
class FSQ(DeterministicChannel):
    """z_j = round(h tanh(u_j + s) - o) / floor(L_j/2), the authors' bound; mass 1 on the one atom.

    The gradient is that of the bound without rounding (straight-through).

    Attributes:
        levels: L, (units,) whole numbers of at least 2, or one for all units.

    Raises:
        ValueError: for other levels.
    """

    levels: Number
    emits: ClassVar[Constraint] = POWER
    presumes: ClassVar[Constraint] = ANY
    tolerance: ClassVar[float] = 1e-5
    name: ClassVar[str] = "fsq"
    summary: ClassVar[str] = "finite scalar quantisation, levels by unit, straight-through; ceiling log2 levels"

    def __post_init__(self) -> None:
        check_level("levels", self.levels, 2.0, np.inf, "[)")
        check_whole("levels", self.levels)

    def part(self, units: slice) -> FSQ:
        levels = jnp.asarray(self.levels)
        return FSQ(levels[units]) if levels.ndim else self

    def _bound(self, u: jax.Array) -> jax.Array:
        """Between the outermost levels, not yet rounded."""
        levels = jnp.asarray(self.levels, u.dtype)
        half = 0.5 * (levels - 1) * (1 + MARGIN)
        offset = jnp.where(levels % 2 == 0, 0.5, 0.0).astype(u.dtype)
        return jnp.tanh(u + jnp.arctanh(offset / half)) * half - offset

    def _width(self, u: jax.Array) -> jax.Array:
        return jnp.floor(0.5 * jnp.asarray(self.levels, u.dtype))

    def value(self, u: Units) -> Units:
        """The rounded units, shape (units,)."""
        return jnp.round(self._bound(u)) / self._width(u)

    def proxy(self, u: Units) -> Units:
        return self._bound(u) / self._width(u)

    def log_prob(self, z: Units, u: Units) -> Units:
        """Log mass: 0 at the rounded unit, -inf elsewhere; shape (units,)."""
        return jnp.where(jnp.round(z * self._width(z)) == jnp.round(self._bound(u)), 0.0, -jnp.inf)

    def output_power(self, power: Powers) -> Powers:
        """At most 1, the outermost level's."""
        return jnp.ones_like(power)

    def ceiling(self, power: Powers) -> Powers:
        """log2 L_j bits per unit; the power has shape (units,) where the levels have."""
        bits = jnp.log(jnp.asarray(self.levels, jnp.result_type(power))) / NATS_PER_BIT
        return jnp.broadcast_to(bits, jnp.broadcast_shapes(jnp.shape(power), bits.shape))
