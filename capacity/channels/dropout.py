"""Bernoulli dropout: Z = U with probability 1 - p, else a fill value (Srivastava et al. 2014).

Where no code takes the fill value the mask can be read off z: an erasure, and real-valued units that survive carry all
that they did.  Where some do, the mask is hidden: units {0, 1} with fill 0 are a Z-channel.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import jax
import jax.numpy as jnp

from capacity.channels.binary import DroppingChannel
from capacity.channels.channel import Number, Powers, check_level, no_ceiling
from capacity.channels.constraint import Constraint
from capacity.results.estimate import NATS_PER_BIT
from capacity.runtime.pytrees import register_dataclass


@register_dataclass
@dataclass(frozen=True)
class Dropout(DroppingChannel):
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

    rate: Number
    fill: float = field(default=0.0, metadata={"static": True})
    values: tuple[float, ...] | None = field(default=None, metadata={"static": True})
    name: ClassVar[str] = "dropout"
    summary: ClassVar[str] = "Bernoulli dropout, mask visible or hidden; no ceiling for real units, H(1 - p^units)"

    def __post_init__(self) -> None:
        check_level("rate", self.rate, 0.0, 1.0)
        if self.values is not None and len(set(self.values)) < 2:
            raise ValueError(f"Expected at least two distinct values, or None; got {self.values}.")

    @property
    def presumes(self) -> Constraint | None:
        """The values, where units are held to finitely many."""
        return None if self.values is None else Constraint("values", values=self.values)

    @property
    def no_ceiling_because(self) -> str:
        return "" if self.has_ceiling else "a real-valued unit that survives carries unlimited information"

    def constant(self) -> float:
        return self.fill

    def ceiling(self, power: Powers) -> Powers:
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
