"""Log-normal multiplicative noise of a strength that the encoder chooses: loss + beta KL, beta the level.

Units exp(s), s of mean 0 and mean square 1, as the log-normal prior has them (Achille & Soatto 2018).
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from capacity.channels import InformationDropout, Scaled
from capacity.runtime.shapes import Scalar, Units
from capacity.systems.base import ChannelSystem
from capacity.training.system import Level, Params

START_LOG_ALPHA = -1.0
MIN_LOG_ALPHA = -6.0  # below it single precision tells no difference


@dataclass(frozen=True)
class InformationDropoutAutoencoder(ChannelSystem):
    """Autoencoder with positive units and noise alpha(x) below 1, in the logarithm of each unit."""

    name = "information_dropout"
    summary = "autoencoder through log-normal noise of learnt alpha(x); the level weighs its divergence"
    level_name = "weight of the divergence"
    level_symbol = "β"
    default_levels = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.85, 1.0)

    @property
    def statement(self) -> str:
        """Why there is no ceiling."""
        return f"no ceiling for units whose logarithm has mean square 1: {InformationDropout.no_ceiling_because}"

    def channel(self, level: Level) -> InformationDropout:
        """The same at every level: the weight acts through the loss."""
        return InformationDropout()

    def prior_std(self, level: Level, power: Scalar) -> Scalar:
        """That of the units."""
        return jnp.sqrt(power)

    def outputs(self) -> int:
        """Logarithms of the units, and of alpha."""
        return 2 * self.architecture.units

    def code(self, params: Params, level: Level, units: Units, rest: jax.Array) -> Scaled:
        """exp(units), and log alpha between its least and 0."""
        start = jnp.log((START_LOG_ALPHA - MIN_LOG_ALPHA) / -START_LOG_ALPHA)
        return Scaled(jnp.exp(units), MIN_LOG_ALPHA * jax.nn.sigmoid(-rest - start))

    def penalty(self, level: Level, codes: Scaled) -> Scalar:
        """The weighted divergence from the log-normal prior, nats."""
        return level * jax.vmap(InformationDropout().divergence)(codes).sum(1).mean()
