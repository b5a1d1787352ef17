"""Bernoulli dropout: Z = U with probability 1 - p, else a fill value (Srivastava et al. 2014).

Where no code takes the fill value the mask can be read off z: an erasure, and real-valued units that survive carry all
that they did.  Where some do, the mask is hidden: units {0, 1} with fill 0 are a Z-channel.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import jax
import jax.numpy as jnp

from capacity.channels.atoms import entropy_of, log_mass, moments_of, two_point
from capacity.channels.channel import check_level, no_ceiling
from capacity.results.estimate import NATS_PER_BIT


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Dropout:
    """Each unit is replaced by `fill` with probability `rate` (p, the level), independently; masses on the atoms.

    Survivors are kept as they are: the 1/(1-p) of inverted dropout is one to one and changes no information.
    Gradients pass through the units that survive (pathwise, exact).

    Attributes:
        rate: p, from 0 to 1.
        fill: what stands for a dropped unit.
        values: what units may be, if the code is held to finitely many values; only then is there a ceiling.

    Raises:
        ValueError: if the rate is no probability, or there are fewer than two distinct values.
    """

    rate: float | jax.Array
    fill: float = field(default=0.0, metadata={"static": True})
    values: tuple[float, ...] | None = field(default=None, metadata={"static": True})
    normal: ClassVar[bool] = False
    memoryless: ClassVar[bool] = True
    atomic: ClassVar[bool] = True
    full_support: ClassVar[bool] = False
    has_entropy: ClassVar[bool] = True
    name: ClassVar[str] = "dropout"
    summary: ClassVar[str] = "Bernoulli dropout, mask visible or hidden; no ceiling for real units, H(1 - p^units)"

    def __post_init__(self) -> None:
        check_level("rate", self.rate, 0.0, 1.0)
        if self.values is not None and len(set(self.values)) < 2:
            raise ValueError(f"Expected at least two distinct values, or None; got {self.values}.")

    @property
    def has_ceiling(self) -> bool:
        """Whether units are held to finitely many values."""
        return self.values is not None

    @property
    def constraint(self) -> str:
        """The values."""
        return "" if self.values is None else f"u among {', '.join(f'{v:g}' for v in self.values)}"

    @property
    def statement(self) -> str:
        """Why real-valued units have no ceiling."""
        return "" if self.has_ceiling else "a real-valued unit that survives carries unlimited information"

    @property
    def keep(self) -> jax.Array:
        """Probability that a unit passes as it is."""
        return 1 - jnp.asarray(self.rate)

    def __call__(self, key: jax.Array, u: jax.Array) -> jax.Array:
        """Noisy units, shape (units,)."""
        return jnp.where(jax.random.bernoulli(key, self.rate, u.shape), jnp.asarray(self.fill, u.dtype), u)

    def atoms(self, u: jax.Array) -> tuple[jax.Array, jax.Array]:
        """u and the fill."""
        return two_point(u, jnp.asarray(self.fill, u.dtype), self.rate)

    def log_prob(self, z: jax.Array, u: jax.Array) -> jax.Array:
        """Log mass: log(1 - p) at u, log p at the fill, 0 where both are one; shape (units,), nats."""
        return log_mass(z, *self.atoms(u))

    def moments(self, u: jax.Array) -> tuple[jax.Array, jax.Array]:
        """(1 - p) u + p fill, and p (1 - p) (u - fill)^2."""
        return moments_of(*self.atoms(u))

    def entropy(self, u: jax.Array) -> jax.Array:
        """h(p) nats a unit, 0 where u is the fill."""
        return entropy_of(*self.atoms(u))

    def signal(self, u: jax.Array) -> jax.Array:
        """The units before dropout."""
        return u

    def output_power(self, power: jax.Array) -> jax.Array:
        """E[z^2] of a unit of E[u^2] = power."""
        return self.keep * power + (1 - self.keep) * self.fill**2

    def admits(self, u: jax.Array) -> jax.Array:
        """Whether each unit is one of the values, (units,)."""
        if self.values is None:
            return jnp.ones(u.shape, bool)
        return (u[None] == jnp.asarray(self.values, u.dtype)[:, None]).any(0)

    def ceiling(self, power: jax.Array) -> jax.Array:
        """Bits per unit for units of the `values`, whatever the power.

        (1 - p) log2 K for K values with the mask visible.  Hidden: log2(1 + (K - 1) 2^(-h(p)/(1-p))), where the
        fill value is worth sending (Z-channel: Tallini, Al-Bassam & Bose 2002, ISIT), else the others alone.

        Raises:
            ValueError: for real-valued units.
        """
        if self.values is None:
            raise no_ceiling(self)
        count = len(set(self.values))
        bits = self.keep * jnp.log(count) if self.fill not in self.values else _hidden(self.keep, count - 1)
        return jnp.broadcast_to(jnp.asarray(bits / NATS_PER_BIT, jnp.result_type(power)), jnp.shape(power))


def _hidden(keep: jax.Array, others: int) -> jax.Array:
    """Capacity in nats with t = P(z is not the fill) as the input's choice: h(t) + t log(others) - t h(p)/(1 - p)."""
    p = 1 - keep
    noise = -(jax.scipy.special.xlogy(p, p) + jax.scipy.special.xlogy(keep, keep))
    gain = jnp.log(others) - noise / jnp.maximum(keep, jnp.finfo(keep.dtype).tiny)
    t = jnp.minimum(jax.nn.sigmoid(gain), keep)
    return t * gain - jax.scipy.special.xlogy(t, t) - jax.scipy.special.xlogy(1 - t, 1 - t)
