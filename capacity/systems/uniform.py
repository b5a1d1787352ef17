"""Units of a fixed power through uniform noise within +-epsilon, the level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from capacity.channels import Uniform
from capacity.runtime.allowed import Allowed
from capacity.systems.base import ChannelSystem
from capacity.systems.constraints import Constraint
from capacity.training.system import Level


@dataclass(frozen=True)
class UniformAutoencoder(ChannelSystem):
    """Autoencoder whose units have mean square `power`, through uniform noise; gradients are exact (pathwise)."""

    power: float = 1.0
    name = "uniform"
    summary = "autoencoder, units of fixed power through uniform noise within ±epsilon"
    level_name = "half width of the noise"
    level_symbol = "ε"
    default_levels = (0.15, 0.25, 0.4, 0.6, 0.9, 1.3, 1.9, 2.7, 4.0)
    allowed: ClassVar[Allowed] = {"power": "(0, inf)"}
    full_support = "never"

    @property
    def constraint(self) -> Constraint:
        """Mean square `power` in every unit."""
        return Constraint("power", self.power)

    def channel(self, level: Level) -> Uniform:
        """The noise at this level."""
        return Uniform(level)
