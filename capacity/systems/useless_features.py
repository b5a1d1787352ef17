"""Useful units through Gaussian noise, and beside them units that are noise alone, of standard deviation the level.

The useless units carry 0 bits, exactly, and leave I(M;Z) as it is; what they cost is the decoder's: it must find out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import jax
import jax.numpy as jnp

from capacity.channels import Gaussian, LearntGaussian, Posterior
from capacity.runtime.allowed import Allowed
from capacity.runtime.shapes import Scalar, Units
from capacity.systems.base import ChannelSystem
from capacity.training.system import Level, Params

if TYPE_CHECKING:
    from synthetic.source import Source


@dataclass(frozen=True)
class UselessFeaturesAutoencoder(ChannelSystem):
    """Autoencoder of which the last units are replaced by noise.

    Attributes:
        useless: how many of the architecture's units; by default half of them.
        noise: standard deviation of the noise in the useful units, of mean square 1.

    Raises:
        ValueError: if no unit is left to be useful, or the noise is not positive.
    """

    useless: int | None = None
    noise: float = 0.3
    name = "useless_features"
    summary = "useful units through Gaussian noise beside units of noise alone, whose sigma is the level"
    level_name = "standard deviation of the useless units"
    level_symbol = "s"
    default_levels = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
    allowed: ClassVar[Allowed] = {"noise": "(0, inf)", "useless": "[0, inf)"}

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.count < self.architecture.units:
            raise ValueError(f"Expected 0 to {self.architecture.units - 1} useless units; got {self.count}.")

    @property
    def count(self) -> int:
        """How many units are useless."""
        return self.architecture.units // 2 if self.useless is None else self.useless

    @property
    def statement(self) -> str:
        """What the ceiling counts."""
        useful, words = self.architecture.units - self.count, self.constraint.words_of_units
        return f"the ceiling is that of the {useful} useful units, of {words}; the others carry 0 bits"

    def ceiling(self, source: Source, level: float) -> float:
        """Of the useful units' Gaussian channels, bits."""
        return (self.architecture.units - self.count) * float(Gaussian(self.noise).ceiling(jnp.float32(1.0)))

    def channel(self, level: Level) -> LearntGaussian:
        """Gaussian noise whose strength stands in the code."""
        return LearntGaussian()

    def code(self, params: Params, level: Level, units: Units, rest: jax.Array) -> Posterior:
        """Useful units with the noise's strength, then nothing with the level's."""
        useful = jnp.arange(self.architecture.units) < self.architecture.units - self.count
        log_std = jnp.where(useful, jnp.log(jnp.float32(self.noise)), jnp.log(level))
        return Posterior(jnp.where(useful, units, 0.0), log_std)

    def prior_std(self, level: Level, power: Scalar) -> Scalar:
        """Of the useful units."""
        return jnp.sqrt(1.0 + jnp.float32(self.noise) ** 2)
