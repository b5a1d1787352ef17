"""Units of +-1 whose sign is turned with probability p, the level: at most 1 - h(p) bits each, never above one.

Deterministic units are signs; stochastic ones are coins whose odds the units set.  Gradients are straight-through.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import jax.numpy as jnp

from capacity.channels import BinarySymmetric, Chain, StochasticBinarised
from capacity.runtime.allowed import Allowed
from capacity.systems.base import ChannelSystem
from capacity.systems.constraints import Constraint
from capacity.training.system import Level


@dataclass(frozen=True)
class BinaryAutoencoder(ChannelSystem):
    """Autoencoder through binary units.

    Attributes:
        stochastic: coins +1 with probability sigmoid(u/temperature), u of mean square 1, instead of signs.
        temperature: of the coins, positive.

    Raises:
        ValueError: for a temperature that is not.
    """

    stochastic: bool = False
    temperature: float = 0.2
    name = "binary"
    summary = "autoencoder through units of ±1, by sign or by coin, flipped with probability p"
    level_name = "probability that a sign is turned"
    level_symbol = "p"
    default_levels = (0.0001, 0.01, 0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.4)
    allowed: ClassVar[Allowed] = {"temperature": "(0, inf)", "level": "[0, 1]"}

    @property
    def constraint(self) -> Constraint:
        """Signs, or the power of what sets the odds."""
        return Constraint("power" if self.stochastic else "signs")

    def channel(self, level: Level) -> Any:
        """The flips, after the coins where there are some."""
        flips = BinarySymmetric(level)
        return Chain(StochasticBinarised(jnp.float32(self.temperature)), flips) if self.stochastic else flips
