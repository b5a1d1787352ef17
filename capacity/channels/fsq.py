"""Finite scalar quantisation: each unit bounded by tanh and rounded to its own number of levels (Mentzer et al. 2024).

The codebook is the product of the units' levels, all of it within reach: sum log2 L_j bits, 9.966 for [8, 5, 5, 5].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from capacity.channels.channel import check_level, straight_through
from capacity.channels.quantized import check_whole
from capacity.results.estimate import NATS_PER_BIT

MARGIN = 1e-3  # of the authors' code: the outermost levels are reached before tanh saturates


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class FSQ:
    """z_j = round(h tanh(u_j + s) - o) / floor(L_j/2), the authors' bound; mass 1 on the one atom.

    The gradient is that of the bound without rounding (straight-through).

    Attributes:
        levels: L, (units,) whole numbers of at least 2, or one for all units.

    Raises:
        ValueError: for other levels.
    """

    levels: float | jax.Array
    normal: ClassVar[bool] = False
    memoryless: ClassVar[bool] = True
    atomic: ClassVar[bool] = True
    full_support: ClassVar[bool] = False
    has_entropy: ClassVar[bool] = True
    has_ceiling: ClassVar[bool] = True
    tolerance: ClassVar[float] = 1e-5
    name: ClassVar[str] = "fsq"
    summary: ClassVar[str] = "finite scalar quantisation, levels by unit, straight-through; ceiling log2 levels"
    constraint: ClassVar[str] = "any code"
    statement: ClassVar[str] = ""

    def __post_init__(self) -> None:
        check_level("levels", self.levels, 2, np.inf, "[)")
        check_whole("levels", self.levels)

    def part(self, units: slice) -> FSQ:
        """Of these units alone."""
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

    def __call__(self, key: jax.Array, u: jax.Array) -> jax.Array:
        """The rounded units, shape (units,)."""
        bound = self._bound(u)
        return straight_through(jnp.round(bound) / self._width(u), bound / self._width(u))

    def atoms(self, u: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The rounded units, of mass 1."""
        return (jnp.round(self._bound(u)) / self._width(u))[None], jnp.zeros((1, *u.shape), u.dtype)

    def log_prob(self, z: jax.Array, u: jax.Array) -> jax.Array:
        """Log mass: 0 at the rounded unit, -inf elsewhere; shape (units,)."""
        return jnp.where(jnp.round(z * self._width(z)) == jnp.round(self._bound(u)), 0.0, -jnp.inf)

    def moments(self, u: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The rounded unit, and 0."""
        return jnp.round(self._bound(u)) / self._width(u), jnp.zeros_like(u)

    def entropy(self, u: jax.Array) -> jax.Array:
        """0."""
        return jnp.zeros_like(u)

    def signal(self, u: jax.Array) -> jax.Array:
        """The units before the bound."""
        return u

    def output_power(self, power: jax.Array) -> jax.Array:
        """At most 1."""
        return jnp.ones_like(power)

    def ceiling(self, power: jax.Array) -> jax.Array:
        """log2 L_j bits per unit; the power has shape (units,) where the levels have."""
        bits = jnp.log(jnp.asarray(self.levels, jnp.result_type(power))) / NATS_PER_BIT
        return jnp.broadcast_to(bits, jnp.broadcast_shapes(jnp.shape(power), bits.shape))
