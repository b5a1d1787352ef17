"""Units of a fixed power through uniform noise within +-epsilon, the level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jax

from capacity.channels import Uniform
from capacity.systems.architecture import DEFAULT, Architecture
from capacity.systems.base import ChannelSystem
from capacity.systems.constraints import Constraint


@dataclass(frozen=True)
class UniformAutoencoder(ChannelSystem):
    """Autoencoder whose units have mean square `power`, through uniform noise; gradients are exact (pathwise)."""

    architecture: Architecture = DEFAULT
    power: float = 1.0
    name: ClassVar[str] = "uniform"
    summary: ClassVar[str] = "autoencoder, units of fixed power through uniform noise within ±epsilon"
    level_name: ClassVar[str] = "half width of the noise"
    level_symbol: ClassVar[str] = "ε"
    default_levels: ClassVar[tuple[float, ...]] = (0.15, 0.25, 0.4, 0.6, 0.9, 1.3, 1.9, 2.7, 4.0)

    @property
    def constraint(self) -> Constraint:
        """Power."""
        return Constraint("power", self.power)

    def channel(self, level: float | jax.Array) -> Uniform:
        """The noise at this level."""
        return Uniform(level)
