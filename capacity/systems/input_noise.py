"""Noise on the vector before the encoder: X' = X + sigma N, sigma the level (Bishop 1995).

The encoder's own units are real-valued and without noise, so that they can pass what X' holds and no more: I(M;X') is
exact, and the decoder's figure is what the network brings through its units.  No encoder comes before this noise that
could raise the power: at a mean power P a dimension the ceiling is dim/2 log2(1 + P/sigma^2).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp

from capacity.joint.joint import Joint
from capacity.runtime.shapes import Key, Scalar, Units, Vector
from capacity.systems.constraints import calibration
from capacity.systems.normal_noise import GaussianNoiseSystem
from capacity.training.system import Level, Params

if TYPE_CHECKING:
    from synthetic.source import Source


@dataclass(frozen=True)
class InputNoiseAutoencoder(GaussianNoiseSystem):
    """Encoder behind noise on its input; the receiver is encoder and message decoder together.

    The channel's units are the vector's entries, not those of the network.
    """

    name = "input_noise"
    summary = "encoder and decoder behind Gaussian noise of standard deviation sigma on the vector"
    level_name = "standard deviation of the noise on the vector"
    level_symbol = "σ"
    default_levels = (0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0, 1.5, 2.0)
    statement = (
        "the ceiling presumes the vector's own mean power, which no encoder can raise; bits are those of the noisy "
        "vector, the decoder's those that come through the network's units"
    )

    def channel_units(self, source: Source) -> int:
        """As many as the vector has entries."""
        return source.dim

    def ceiling(self, source: Source, level: float) -> float:
        """Bits that a vector of the source's mean power a dimension can pass."""
        vectors, probs = calibration(jax.random.key(0), source)
        power = (probs[:, None] * jnp.square(vectors)).sum() / source.dim
        return source.dim * float(self.channel(level).ceiling(power))

    def loss(self, params: Params, key: Key, source: Source, level: Level, n: int, progress: Scalar) -> Scalar:
        key_source, key_noise = jax.random.split(key)
        batch = source.sample(key_source, n)
        noisy = batch.vector + level * jax.random.normal(key_noise, batch.vector.shape)
        u = self.architecture.encode(params["encoder"], source, noisy, self.architecture.units)
        return self.architecture.reconstruction(params, source, batch, u)

    def front(self, params: Params, source: Source) -> Callable[[Vector], Units]:
        """The encoder, which stands behind the noise: noisy vector (dim,) to (units,)."""
        return lambda noisy: self.architecture.encode_one(params["encoder"], source, noisy, self.architecture.units)

    def joint(self, params: Params, key: Key, source: Source, level: Level) -> Joint:
        """The vector as it is, and the noise on it."""
        return Joint(source, jax.tree_util.Partial(_same), self.channel(level))


def _same(x: Vector) -> Vector:
    return x
