"""Noise on the vector before the encoder: X' = X + sigma N, sigma the level (Bishop 1995).

The encoder's own units are real-valued and without noise, so that they can pass what X' holds and no more: I(M;X') is
exact, and the decoder's figure is what the network brings through its units.  No encoder comes before this noise that
could raise the power: at a mean power P a dimension the ceiling is dim/2 log2(1 + P/sigma^2).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from capacity.channels import Gaussian
from capacity.joint.joint import Joint
from capacity.systems.architecture import DEFAULT, Architecture, Params, merge
from capacity.systems.constraints import calibration


@dataclass(frozen=True)
class InputNoiseAutoencoder:
    """Encoder behind noise on its input; the receiver is encoder and message decoder together.

    The channel's units are the vector's entries, not those of the network.
    """

    architecture: Architecture = DEFAULT
    name: ClassVar[str] = "input_noise"
    summary: ClassVar[str] = "encoder and decoder behind Gaussian noise of standard deviation sigma on the vector"
    level_name: ClassVar[str] = "standard deviation of the noise on the vector"
    level_symbol: ClassVar[str] = "σ"
    default_levels: ClassVar[tuple[float, ...]] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0, 1.5, 2.0)
    statement: ClassVar[str] = (
        "the ceiling presumes the vector's own mean power, which no encoder can raise; bits are those of the noisy "
        "vector, the decoder's those that come through the network's units"
    )

    def entries(self, source: Any) -> int:
        """Units of the channel."""
        return source.dim

    def ceiling(self, level: float, source: Any) -> float:
        """Bits that a vector of the source's mean power a dimension can pass."""
        vectors, probs = calibration(jax.random.key(0), source)
        power = (probs[:, None] * jnp.square(vectors)).sum() / source.dim
        return source.dim * float(Gaussian(level).ceiling(power))

    def init(self, key: jax.Array, source: Any) -> Params:
        """Fresh parameters."""
        return self.architecture.init(key, source, self.architecture.units)

    def channel(self, level: float | jax.Array) -> Gaussian:
        """The noise at this level."""
        return Gaussian(level)

    def prior_std(self, level: jax.Array, power: jax.Array) -> jax.Array:
        """Of a noisy entry of the vector."""
        return jnp.sqrt(power + jnp.square(level))

    def loss(
        self,
        params: Params,
        key: jax.Array,
        level: jax.Array,
        source: Any,
        n: int,
        progress: jax.Array,
    ) -> jax.Array:
        """Mean loss in nats of n fresh samples."""
        key_source, key_noise = jax.random.split(key)
        batch = source.sample(key_source, n)
        noisy = batch.vector + level * jax.random.normal(key_noise, batch.vector.shape)
        return self.architecture.reconstruction(params, source, batch, jax.vmap(self.front(params, source))(noisy))

    def front(self, params: Params, source: Any) -> Callable[[jax.Array], jax.Array]:
        """The encoder, which stands behind the noise: noisy vector (dim,) to (units,)."""
        return merge(self.architecture.encoder(source, self.architecture.units), params["encoder"])

    def joint(self, params: Params, key: jax.Array, level: jax.Array, source: Any) -> Joint:
        """The vector as it is, and the noise on it."""
        return Joint(source, jax.tree_util.Partial(_same), self.channel(level))


def _same(x: jax.Array) -> jax.Array:
    return x
