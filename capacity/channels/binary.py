"""Units of +-1 through noise that flips or erases them: the binary symmetric channel and the erasure channel.

Capacities 1 - h(p) and 1 - p bits (Shannon 1948; Elias 1955; Cover & Thomas 2006, section 7.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax.scipy.special import xlogy

from capacity.channels.atoms import entropy_of, log_mass, moments_of, two_point
from capacity.channels.channel import check_level
from capacity.results.estimate import NATS_PER_BIT


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class BinarySymmetric:
    """The sign of each unit is turned with probability `flip` (p, the level), independently; masses on the atoms.

    Made for units of +-1: another unit keeps its magnitude, which then carries what it carries.
    Gradients pass as if the turning were constant (pathwise).

    Raises:
        ValueError: if `flip` is no probability.
    """

    flip: float | jax.Array
    normal: ClassVar[bool] = False
    memoryless: ClassVar[bool] = True
    atomic: ClassVar[bool] = True
    full_support: ClassVar[bool] = True  # on units of +-1, with flip in (0, 1)
    has_entropy: ClassVar[bool] = True
    has_ceiling: ClassVar[bool] = True
    binary: ClassVar[bool] = True  # z is +-1 where the code is
    name: ClassVar[str] = "binary_symmetric"
    summary: ClassVar[str] = "units of +-1 whose sign is turned with probability p; ceiling 1 - h(p)"
    constraint: ClassVar[str] = "u = ±1"
    statement: ClassVar[str] = ""

    def __post_init__(self) -> None:
        check_level("flip", self.flip, 0.0, 1.0)

    def __call__(self, key: jax.Array, u: jax.Array) -> jax.Array:
        """Noisy units, shape (units,)."""
        return jnp.where(jax.random.bernoulli(key, self.flip, u.shape), -u, u)

    def atoms(self, u: jax.Array) -> tuple[jax.Array, jax.Array]:
        """u and -u."""
        return two_point(u, -u, self.flip)

    def log_prob(self, z: jax.Array, u: jax.Array) -> jax.Array:
        """Log mass: log(1 - p) at u, log p at -u; shape (units,), nats."""
        return log_mass(z, *self.atoms(u))

    def moments(self, u: jax.Array) -> tuple[jax.Array, jax.Array]:
        """(1 - 2 p) u and 4 p (1 - p) u^2."""
        return moments_of(*self.atoms(u))

    def entropy(self, u: jax.Array) -> jax.Array:
        """h(p) nats a unit."""
        return entropy_of(*self.atoms(u))

    def signal(self, u: jax.Array) -> jax.Array:
        """The units themselves."""
        return u

    def output_power(self, power: jax.Array) -> jax.Array:
        """The same power."""
        return power

    def admits(self, u: jax.Array) -> jax.Array:
        """Whether each unit is +-1, (units,)."""
        return jnp.abs(u) == 1

    def ceiling(self, power: jax.Array) -> jax.Array:
        """1 - h(p) bits per unit of +-1."""
        p = jnp.asarray(self.flip, jnp.result_type(power))
        return jnp.broadcast_to(1 + (xlogy(p, p) + xlogy(1 - p, 1 - p)) / NATS_PER_BIT, jnp.shape(power))


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Erasure:
    """Each unit of +-1 is replaced by 0 with probability `rate` (p, the level), independently; masses on the atoms.

    Dropout with its mask in sight.  Gradients pass through the units that survive (pathwise, exact).

    Raises:
        ValueError: if the rate is no probability.
    """

    rate: float | jax.Array
    normal: ClassVar[bool] = False
    memoryless: ClassVar[bool] = True
    atomic: ClassVar[bool] = True
    full_support: ClassVar[bool] = False
    has_entropy: ClassVar[bool] = True
    has_ceiling: ClassVar[bool] = True
    name: ClassVar[str] = "erasure"
    summary: ClassVar[str] = "units of +-1 erased (to 0) with probability p; ceiling 1 - p"
    constraint: ClassVar[str] = "u = ±1"
    statement: ClassVar[str] = ""

    def __post_init__(self) -> None:
        check_level("rate", self.rate, 0.0, 1.0)

    @property
    def keep(self) -> jax.Array:
        """Probability that a unit passes as it is."""
        return 1 - jnp.asarray(self.rate)

    def __call__(self, key: jax.Array, u: jax.Array) -> jax.Array:
        """Noisy units, shape (units,)."""
        return jnp.where(jax.random.bernoulli(key, self.rate, u.shape), 0.0, u)

    def atoms(self, u: jax.Array) -> tuple[jax.Array, jax.Array]:
        """u and 0."""
        return two_point(u, jnp.zeros((), u.dtype), self.rate)

    def log_prob(self, z: jax.Array, u: jax.Array) -> jax.Array:
        """Log mass: log(1 - p) at u, log p at 0; shape (units,), nats."""
        return log_mass(z, *self.atoms(u))

    def moments(self, u: jax.Array) -> tuple[jax.Array, jax.Array]:
        """(1 - p) u and p (1 - p) u^2."""
        return moments_of(*self.atoms(u))

    def entropy(self, u: jax.Array) -> jax.Array:
        """h(p) nats a unit."""
        return entropy_of(*self.atoms(u))

    def signal(self, u: jax.Array) -> jax.Array:
        """The units before erasure."""
        return u

    def output_power(self, power: jax.Array) -> jax.Array:
        """(1 - p) power."""
        return self.keep * power

    def admits(self, u: jax.Array) -> jax.Array:
        """Whether each unit is +-1, (units,)."""
        return jnp.abs(u) == 1

    def ceiling(self, power: jax.Array) -> jax.Array:
        """1 - p bits per unit of +-1."""
        return jnp.broadcast_to(self.keep.astype(jnp.result_type(power)), jnp.shape(power))
