"""Units of +-1 through noise that flips or erases them: the binary symmetric channel and the erasure channel.

Capacities 1 - h(p) and 1 - p bits (Shannon 1948; Elias 1955; Cover & Thomas 2006, section 7.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax.scipy.special import xlogy
from jaxtyping import Array, Float

from capacity.channels.atoms import AtomicChannel, two_point
from capacity.channels.channel import Number, Powers, check_level
from capacity.channels.constraint import POWER, SIGNS, Constraint
from capacity.results.estimate import NATS_PER_BIT
from capacity.runtime.pytrees import register_dataclass
from capacity.runtime.shapes import Key, Units


@register_dataclass
@dataclass(frozen=True)
class BinarySymmetric(AtomicChannel):
    """The sign of each unit is turned with probability `flip` (p, the level), independently; masses on the atoms.

    Made for units of +-1: another unit keeps its magnitude, which then carries what it carries.
    Gradients pass as if the turning were constant (pathwise).

    Raises:
        ValueError: if `flip` is no probability.
    """

    flip: Number
    full_support: ClassVar[bool] = True  # on units of +-1, with flip in (0, 1)
    emits: ClassVar[Constraint] = SIGNS
    presumes: ClassVar[Constraint] = SIGNS
    name: ClassVar[str] = "binary_symmetric"
    summary: ClassVar[str] = "units of +-1 whose sign is turned with probability p; ceiling 1 - h(p)"

    def __post_init__(self) -> None:
        check_level("flip", self.flip, 0.0, 1.0)

    def __call__(self, key: Key, u: Units) -> Units:
        return jnp.where(jax.random.bernoulli(key, self.flip, u.shape), -u, u)

    def atoms(self, u: Units) -> tuple[Float[Array, "2 units"], Float[Array, "2 units"]]:
        """u with 1 - p, and -u with p."""
        return two_point(u, -u, self.flip)

    def output_power(self, power: Powers) -> Powers:
        """The same power: a sign changes none."""
        return power

    def ceiling(self, power: Powers) -> Powers:
        """1 - h(p) bits per unit of +-1."""
        p = jnp.asarray(self.flip, jnp.result_type(power))
        return jnp.broadcast_to(1 + (xlogy(p, p) + xlogy(1 - p, 1 - p)) / NATS_PER_BIT, jnp.shape(power))


class DroppingChannel(AtomicChannel):
    """Each unit is replaced by a constant with probability `rate`, a field, independently."""

    rate: Number
    emits: ClassVar[Constraint] = POWER

    def __post_init__(self) -> None:
        check_level("rate", self.rate, 0.0, 1.0)

    @property
    def full_support(self) -> bool:
        return False

    @property
    def keep(self) -> jax.Array:
        return 1 - jnp.asarray(self.rate)

    def constant(self) -> float:
        """What stands for a dropped unit."""
        return 0.0

    def __call__(self, key: Key, u: Units) -> Units:
        return jnp.where(jax.random.bernoulli(key, self.rate, u.shape), jnp.asarray(self.constant(), u.dtype), u)

    def atoms(self, u: Units) -> tuple[Float[Array, "2 units"], Float[Array, "2 units"]]:
        """u with 1 - p, and the constant with p."""
        return two_point(u, jnp.asarray(self.constant(), u.dtype), self.rate)

    def passes(self, units: int) -> jax.Array:
        """Unless all units are dropped: 1 - p^units."""
        return 1 - (1 - self.keep) ** units

    def output_power(self, power: Powers) -> Powers:
        """E[z^2] of a unit of E[u^2] = power."""
        return self.keep * power + (1 - self.keep) * self.constant() ** 2


@register_dataclass
@dataclass(frozen=True)
class Erasure(DroppingChannel):
    """Each unit of +-1 is replaced by 0 with probability `rate` (p, the level), independently; masses on the atoms.

    Dropout with its mask in sight.  Gradients pass through the units that survive (pathwise, exact).

    Raises:
        ValueError: if the rate is no probability.
    """

    rate: Number
    presumes: ClassVar[Constraint] = SIGNS
    name: ClassVar[str] = "erasure"
    summary: ClassVar[str] = "units of +-1 erased (to 0) with probability p; ceiling 1 - p"

    def ceiling(self, power: Powers) -> Powers:
        """1 - p bits per unit of +-1."""
        return jnp.broadcast_to(self.keep.astype(jnp.result_type(power)), jnp.shape(power))
