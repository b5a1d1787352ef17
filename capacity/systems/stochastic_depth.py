"""Residual blocks dropped at random, for all units at once; the drop rate is the level (Huang et al. 2016).

With identity skips a dropped block lets the units by, and real-valued units lose nothing: I = H.  Without them it kills
the signal, and prod(survival) H passes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import jax
import jax.numpy as jnp
from flax import nnx

from capacity.channels import Chain, Gaussian, StochasticDepth, residual_outcomes
from capacity.runtime.allowed import Allowed
from capacity.runtime.shapes import Key, Scalar, Units
from capacity.systems.base import ChannelSystem
from capacity.systems.networks import MLP
from capacity.systems.networks.running import merge
from capacity.training.system import Level, Params

if TYPE_CHECKING:
    from synthetic.source import Source


@dataclass(frozen=True)
class StochasticDepthAutoencoder(ChannelSystem):
    """Autoencoder whose units pass residual blocks, each a small network of its own.

    Attributes:
        blocks: how many; the density lists 2^blocks patterns.
        skip: whether a dropped block lets the units by.
        decay: "uniform", or "linear": the last block has the drop rate, those before in proportion less.
        floor: standard deviation of Gaussian noise after the blocks; 0 for none.

    Raises:
        ValueError: for values out of their range.
    """

    blocks: int = 2
    skip: bool = True
    decay: str = "uniform"
    floor: float = 0.0
    name = "stochastic_depth"
    summary = "autoencoder through residual blocks dropped at random; with or without identity skips"
    level_name = "probability that a block is dropped"
    level_symbol = "p"
    default_levels = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9)
    allowed: ClassVar[Allowed] = {
        "blocks": "[1, 8]",
        "decay": ("uniform", "linear"),
        "floor": "[0, inf)",
        "level": "[0, 1]",
    }
    full_support = "with a floor"

    def closed_form(self, source: Source, level: float) -> float | None:
        """H with skips, prod(survival) H without; where there is a floor, None."""
        if self.floor:
            return None
        survival = StochasticDepth(jnp.float32(level), self.decay).survival(self.blocks)
        return source.bits * (1.0 if self.skip else float(survival.prod()))

    def channel(self, level: Level) -> Any:
        """The dropped blocks, and the floor where there is one."""
        dropped = StochasticDepth(level, self.decay)
        return Chain(dropped, Gaussian(jnp.float32(self.floor))) if self.floor else dropped

    def prior_std(self, level: Level, power: Scalar) -> Scalar:
        """That of the units with all blocks kept."""
        return jnp.sqrt(power + self.floor**2)

    def _block(self, rngs: nnx.Rngs) -> MLP:
        units = self.architecture.units
        return MLP((units, 2 * units, units), self.architecture.activation, rngs)

    def extra(self, key: Key, source: Source) -> Params:
        """Fresh parameters of the residual blocks."""
        keys = jax.random.split(key, self.blocks)
        return {"blocks": [nnx.split(self._block(nnx.Rngs(k)))[1] for k in keys]}

    def code(self, params: Params, level: Level, units: Units, rest: jax.Array) -> jax.Array:
        """What the blocks make of the units under every pattern, (2^blocks, units)."""
        return residual_outcomes(units, [merge(self._block, state) for state in params["blocks"]], self.skip)
