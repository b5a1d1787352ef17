"""Gaussian dropout whose rate is learnt for every unit: loss + weight KL(alpha), the weight is the level.

Kingma, Salimans & Welling (2015); the divergence from the log-uniform prior falls as the noise grows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from capacity.channels import Scaled, VariationalDropout
from capacity.systems.architecture import DEFAULT, Architecture, Params
from capacity.systems.base import ChannelSystem
from capacity.systems.constraints import Constraint

START = -3.0  # log alpha: a signal-to-noise ratio of 20


@dataclass(frozen=True)
class VariationalDropoutAutoencoder(ChannelSystem):
    """Autoencoder with real units of mean square 1 and one learnt log alpha a unit."""

    architecture: Architecture = DEFAULT
    name: ClassVar[str] = "variational_dropout"
    summary: ClassVar[str] = "autoencoder, multiplicative noise of learnt alpha a unit; the level weighs its divergence"
    level_name: ClassVar[str] = "weight of the divergence"
    level_symbol: ClassVar[str] = "β"
    default_levels: ClassVar[tuple[float, ...]] = (0.05, 0.1, 0.2, 0.4, 0.7, 1.0, 1.4, 2.0, 4.0)

    @property
    def constraint(self) -> Constraint:
        """Power, which the noise scales with."""
        return Constraint("power")

    def channel(self, level: float | jax.Array) -> VariationalDropout:
        """The same at every level: the weight acts through the loss."""
        return VariationalDropout()

    def prior_std(self, level: jax.Array, power: jax.Array) -> jax.Array:
        """That of the units: what the noise adds is learnt."""
        return jnp.sqrt(power)

    def extra(self, key: jax.Array, source: Any) -> Params:
        """The rates."""
        return {"log_alpha": jnp.full(self.architecture.units, START)}

    def code(self, params: Params, level: jax.Array, units: jax.Array, rest: jax.Array) -> Scaled:
        """Units and their rates."""
        return Scaled(units, params["log_alpha"])

    def penalty(self, level: jax.Array, codes: Scaled) -> jax.Array:
        """The weighted divergence from the log-uniform prior, nats."""
        return level * jax.vmap(VariationalDropout().divergence)(codes).sum(1).mean()
