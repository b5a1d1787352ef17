"""Hand-made codes through Gaussian noise of standard deviation sigma, the level: nothing is trained but the decoder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from capacity.channels import Gaussian
from capacity.joint.joint import Joint
from capacity.runtime.names import check_name
from capacity.systems.architecture import DEFAULT, Architecture, Params
from capacity.systems.codes import HANDMADE
from capacity.systems.gaussian import GaussianAutoencoder


@dataclass(frozen=True)
class FixedCode:
    """A code of `capacity.systems.codes`, of mean 0 and power 1 a unit, where `gaussian` learns one.

    Attributes:
        code: its name in `HANDMADE`.

    Raises:
        ValueError: for an unknown name.
    """

    architecture: Architecture = DEFAULT
    code: str = "pam"
    encoder: Any = None  # built; by `prepared`
    name: ClassVar[str] = "handmade"
    summary: ClassVar[str] = "a code made by hand through Gaussian noise: pam, pca, repetition, hamming and others"
    level_name: ClassVar[str] = "noise standard deviation"
    level_symbol: ClassVar[str] = "σ"
    default_levels: ClassVar[tuple[float, ...]] = GaussianAutoencoder.default_levels
    statement: ClassVar[str] = "the ceiling presumes mean square E[u^2] <= 1 in every unit; the code has exactly that"

    def __post_init__(self) -> None:
        check_name(self.code, HANDMADE, "code")

    def check(self, levels: tuple[float, ...], source: Any) -> None:
        """Refuse a source that the code cannot be made for.

        Raises:
            ValueError: in the code's words.
        """
        self.build(source, jax.random.key(0))

    def build(self, source: Any, key: jax.Array) -> Any:
        """The encoder, from a vector (dim,) to (units,)."""
        return HANDMADE[self.code]().build(source, self.architecture.units, key)

    def prepared(self, source: Any, key: jax.Array) -> FixedCode:
        """With its encoder built, once for all steps."""
        return replace(self, encoder=self.build(source, key))

    def init(self, key: jax.Array, source: Any) -> Params:
        """Fresh parameters of the decoders."""
        params = self.architecture.init(key, source, self.architecture.units)
        return {name: part for name, part in params.items() if name != "encoder"}

    def channel(self, level: float | jax.Array) -> Gaussian:
        """The noise at this level."""
        return Gaussian(level)

    def ceiling(self, level: float, source: Any) -> float:
        """Bits that all units can pass at most."""
        return self.architecture.units * float(self.channel(level).ceiling(jnp.float32(1.0)))

    def prior_std(self, level: jax.Array, power: jax.Array) -> jax.Array:
        """Standard deviation of r(z), from the code's mean power a unit."""
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
        """Mean loss of the decoders in nats, of n fresh samples."""
        key_source, key_noise = jax.random.split(key)
        batch = source.sample(key_source, n)
        encoder = self.encoder if self.encoder is not None else self.build(source, key_source)
        u = jax.vmap(encoder)(batch.vector)
        z = u + level * jax.random.normal(key_noise, u.shape)
        return self.architecture.reconstruction(params, source, batch, z)

    def joint(self, params: Params, key: jax.Array, level: jax.Array, source: Any) -> Joint:
        """The code and the channel; nothing of it is learnt."""
        return Joint(source, self.build(source, key), self.channel(level))
