"""Units multiplied by N(1, p/(1-p)), the level p: on units of +-1 a Gaussian channel of signal-to-noise (1-p)/p."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from capacity.channels import GaussianDropout
from capacity.runtime.allowed import Allowed
from capacity.systems.base import ChannelSystem
from capacity.systems.constraints import Constraint
from capacity.training.system import Level


@dataclass(frozen=True)
class GaussianDropoutAutoencoder(ChannelSystem):
    """Autoencoder through Gaussian dropout; gradients pathwise, through the signs straight-through.

    Attributes:
        values: "signs" (+-1) or "real" (mean square 1), for which no ceiling follows.

    Raises:
        ValueError: for other values.
    """

    values: str = "signs"
    name = "gaussian_dropout"
    summary = "autoencoder through multiplicative Gaussian noise; units ±1 or real"
    level_name = "rate of the dropout of the same variance"
    level_symbol = "p"
    default_levels = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.97)
    allowed: ClassVar[Allowed] = {"values": ("signs", "real"), "level": "(0, 1)"}

    @property
    def constraint(self) -> Constraint:
        """That of the values."""
        return Constraint("signs" if self.values == "signs" else "power")

    def channel(self, level: Level) -> GaussianDropout:
        """The noise at this level."""
        return GaussianDropout(level, (-1.0, 1.0) if self.values == "signs" else None)
