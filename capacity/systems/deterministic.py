"""A network without noise, read with n bits of precision, the level: what does it leave in the leading digits?

Trained on its real-valued units as they are; then every unit, |u| <= 1, is rounded to 2^n even levels.  Without the
rounding an injective code passes all of H(M), however large: that is the limit of the curve at high precision.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jax.numpy as jnp

from capacity.channels import Gaussian, Quantized
from capacity.runtime.allowed import Allowed
from capacity.systems.base import ChannelSystem
from capacity.systems.constraints import Constraint
from capacity.training.system import Level


@dataclass(frozen=True)
class DeterministicAutoencoder(ChannelSystem):
    """Autoencoder trained without noise."""

    name = "deterministic"
    summary = "autoencoder trained without noise, its units then read with n bits of precision"
    level_name = "bits of precision a unit is read with"
    level_symbol = "n"
    default_levels = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 12.0, 16.0)
    allowed: ClassVar[Allowed] = {"level": "[1, 20]"}  # single precision holds 24 bits, of which rounding takes a few
    full_support = "never"
    rises = True

    @property
    def constraint(self) -> Constraint:
        """The amplitude that is rounded."""
        return Constraint("amplitude")

    def channel(self, level: Level) -> Quantized:
        """The rounding to 2^n levels."""
        return Quantized(jnp.round(2.0 ** jnp.asarray(level, jnp.float32)))

    def training_channel(self, level: Level) -> Gaussian:
        """Nothing is added to the units in training."""
        return Gaussian(jnp.float32(0.0))
