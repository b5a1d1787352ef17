"""Gaussian dropout whose rate is learnt for every unit: loss + weight KL(alpha), the weight is the level.

Kingma, Salimans & Welling (2015); the divergence from the log-uniform prior falls as the noise grows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp

from capacity.channels import Scaled, VariationalDropout
from capacity.runtime.shapes import Key, Scalar, Units
from capacity.systems.base import ChannelSystem
from capacity.training.system import Level, Params

if TYPE_CHECKING:
    from synthetic.source import Source

START_LOG_ALPHA = -3.0  # log alpha: a signal-to-noise ratio of 20


@dataclass(frozen=True)
class VariationalDropoutAutoencoder(ChannelSystem):
    """Autoencoder with real units of mean square 1 and one learnt log alpha a unit."""

    name = "variational_dropout"
    summary = "autoencoder, multiplicative noise of learnt alpha a unit; the level weighs its divergence"
    level_name = "weight of the divergence"
    level_symbol = "β"
    default_levels = (0.05, 0.1, 0.2, 0.4, 0.7, 1.0, 1.4, 2.0, 4.0)

    def channel(self, level: Level) -> VariationalDropout:
        """The same at every level: the weight acts through the loss."""
        return VariationalDropout()

    def prior_std(self, level: Level, power: Scalar) -> Scalar:
        """That of the units: what the noise adds is learnt."""
        return jnp.sqrt(power)

    def extra(self, key: Key, source: Source) -> Params:
        """The logarithm of every unit's rate, the same at first."""
        return {"log_alpha": jnp.full(self.architecture.units, START_LOG_ALPHA)}

    def code(self, params: Params, level: Level, units: Units, rest: jax.Array) -> Scaled:
        """Units and their rates."""
        return Scaled(units, params["log_alpha"])

    def penalty(self, level: Level, codes: Scaled) -> Scalar:
        """The weighted divergence from the log-uniform prior, nats."""
        return level * jax.vmap(VariationalDropout().divergence)(codes).sum(1).mean()
