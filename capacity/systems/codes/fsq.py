"""Finite scalar quantisation: a grid of L_1 x L_2 x ... points, the message's number in mixed radix.

It holds sum_j log2 L_j bits: 9.966 for levels [8, 5, 5, 5] (Mentzer et al. 2024).  A grid without Gray labels and
without regard to powers of two, so that fractions of a bit fit a unit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import jax
import jax.numpy as jnp

from capacity.systems.codes.code import Encoder, check_units, digits_of, normalised

if TYPE_CHECKING:
    from synthetic.source import Source

MAX_DIGITS = 30  # of a message's number in int32


@dataclass(frozen=True)
class FSQCode:
    """One value of a grid for each message; where the grid is smaller than the list messages share its points.

    Attributes:
        levels: of each unit; None for the most even grid that holds every message.

    Raises:
        ValueError: for fewer than two levels.
    """

    levels: tuple[int, ...] | None = None
    name: ClassVar[str] = "fsq"
    summary: ClassVar[str] = "finite scalar quantisation: the message's number in mixed radix on a grid of levels"

    def __post_init__(self) -> None:
        """Check the levels."""
        if self.levels is not None and min(self.levels, default=0) < 2:
            raise ValueError(f"Expected at least two levels a unit; got {self.levels}.")

    def build(self, source: Source, units: int, key: jax.Array | None = None) -> Encoder:
        """Encoder (dim,) -> (units,).

        Raises:
            ValueError: for a continuous source, more than 30 digits, or levels of another number of units.
        """
        check_units(units)
        if source.discrete and source.message_dim > MAX_DIGITS:
            raise ValueError(f"Expected at most {MAX_DIGITS} digits to number; got {source.message_dim}.")
        if self.levels is not None and len(self.levels) != units:
            raise ValueError(f"Expected levels of {units} units; got {self.levels}.")
        read = digits_of(source, key)
        levels = self.levels or even_levels(math.ceil(2.0**source.bits - 1e-6), units)
        return normalised(source, jax.tree_util.Partial(_Grid(levels), read), key)


@dataclass(frozen=True)
class _Grid:
    levels: tuple[int, ...]

    def __call__(self, read: Encoder, x: jax.Array) -> jax.Array:
        digits = read(x).astype(jnp.int32)
        number, places = (digits << jnp.arange(digits.shape[0] - 1, -1, -1)).sum(), []
        for level in self.levels:
            places.append((2 * (number % level) - (level - 1)).astype(jnp.float32) / level)
            number = number // level
        return jnp.stack(places)


def fsq_bits(levels: Sequence[int]) -> float:
    """The most that a grid of these levels holds: sum log2 levels, bits."""
    return sum(math.log2(level) for level in levels)


def even_levels(count: int, units: int) -> tuple[int, ...]:
    """The most even grid of at least `count` points: levels that differ by at most one, and at least two a unit."""
    low = 1
    while (low + 1) ** units <= count:
        low += 1
    more = next(n for n in range(units + 1) if low ** (units - n) * (low + 1) ** n >= count)
    return tuple(max(2, low + (j < more)) for j in range(units))
