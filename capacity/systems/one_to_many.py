"""A code or its mirror image is received, the mirror by chance p, the level: one question, two answers.

Z = S U + sigma N with one sign S for all units.  Losing S costs h(p) bits at most, one at p = 1/2: a decoder that gives
a distribution can live with both answers.  One that gives a single vector (`decode="vector"`) gives their average, of
no use at p = 1/2, unless the encoder learns never to send both a code and its mirror image.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import jax
import jax.numpy as jnp

from capacity.channels import Chain, Gaussian, StochasticDepth
from capacity.runtime.allowed import Allowed
from capacity.runtime.shapes import Scalar, Units
from capacity.systems.base import ChannelSystem
from capacity.training.system import Level, Params

if TYPE_CHECKING:
    from synthetic.source import Source


@dataclass(frozen=True)
class OneToManyAutoencoder(ChannelSystem):
    """Autoencoder whose units, of mean square 1, are received with a common random sign and Gaussian noise.

    Attributes:
        noise: standard deviation of the Gaussian noise.

    Raises:
        ValueError: if it is not positive.
    """

    noise: float = 0.3
    name = "one_to_many"
    summary = "autoencoder whose code is mirrored by chance, all units at once, before Gaussian noise"
    level_name = "probability that the code is mirrored"
    level_symbol = "p"
    default_levels = (0.001, 0.01, 0.03, 0.07, 0.13, 0.2, 0.35, 0.5)
    allowed: ClassVar[Allowed] = {"noise": "(0, inf)", "level": "[0, 1]"}

    @property
    def statement(self) -> str:
        """What the ceiling counts."""
        words = self.constraint.words_of_units
        return f"the ceiling is that of a receiver who is told the mirroring; the code has {words}"

    def ceiling(self, source: Source, level: float) -> float:
        """Of the Gaussian noise alone, bits: I(M;Z) <= I(M;Z|S)."""
        return self.architecture.units * float(Gaussian(self.noise).ceiling(jnp.float32(1.0)))

    def channel(self, level: Level) -> Chain:
        """A draw between mirror and code, then the noise."""
        return Chain(StochasticDepth(level), Gaussian(jnp.float32(self.noise)))

    def prior_std(self, level: Level, power: Scalar) -> Scalar:
        """Of units with the noise."""
        return jnp.sqrt(1.0 + jnp.float32(self.noise) ** 2)

    def code(self, params: Params, level: Level, units: Units, rest: jax.Array) -> jax.Array:
        """Mirror image and code, (2, units): the outcomes of one draw."""
        return jnp.stack([-units, units])
