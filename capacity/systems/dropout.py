"""Units dropped with probability p, the level: real-valued, +-1 (mask visible), or 0 and 1 (mask hidden).

Real-valued units that survive carry all that they did: while each alone tells the message, I = H (1 - p^units), which
the noise hardly limits.  A floor of Gaussian noise gives each unit a finite capacity, and then it does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import jax.numpy as jnp

from capacity.channels import Chain, Dropout, Gaussian
from capacity.runtime.allowed import Allowed
from capacity.systems.base import ChannelSystem
from capacity.systems.constraints import Constraint
from capacity.training.system import Level

if TYPE_CHECKING:
    from synthetic.source import Source

VALUES = {"real": ("power", None), "signs": ("signs", (-1.0, 1.0)), "digits": ("digits", (0.0, 1.0))}


@dataclass(frozen=True)
class DropoutAutoencoder(ChannelSystem):
    """Autoencoder through Bernoulli dropout, survivors unscaled.

    Attributes:
        values: "real" (mean square 1), "signs" (+-1: an erasure) or "digits" (0 and 1: a Z-channel).
        floor: standard deviation of Gaussian noise after the dropout; 0 for none.

    Raises:
        ValueError: for other values, or a negative floor.
    """

    values: str = "real"
    floor: float = 0.0
    name = "dropout"
    summary = "autoencoder through Bernoulli dropout; units real, ±1 or 0/1; with or without a floor"
    level_name = "probability that a unit is dropped"
    level_symbol = "p"
    default_levels = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.97)
    allowed: ClassVar[Allowed] = {"values": ("real", "signs", "digits"), "floor": "[0, inf)", "level": "[0, 1]"}
    full_support = "with a floor"

    @property
    def constraint(self) -> Constraint:
        """That of the values."""
        return Constraint(VALUES[self.values][0])

    def closed_form(self, source: Source, level: float) -> float | None:
        """H (1 - p^units) for real units without a floor, each of which tells the message."""
        if self.values != "real" or self.floor:
            return None
        return source.bits * (1 - level**self.architecture.units)

    def channel(self, level: Level) -> Any:
        """Dropout, and the floor where there is one."""
        dropped = Dropout(level, values=VALUES[self.values][1])
        return Chain(dropped, Gaussian(jnp.float32(self.floor))) if self.floor else dropped
