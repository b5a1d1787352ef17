"""Hand-made codes through Gaussian noise of standard deviation sigma, the level: nothing is trained but the decoder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp

from capacity.joint.joint import Joint
from capacity.runtime.names import check_name
from capacity.runtime.shapes import Key, Scalar
from capacity.systems.codes import HANDMADE
from capacity.systems.codes.code import Encoder, HandmadeCode
from capacity.systems.gaussian import GaussianAutoencoder
from capacity.systems.normal_noise import GaussianNoiseSystem
from capacity.training.system import Level, Params

if TYPE_CHECKING:
    from synthetic.source import Source


@dataclass(frozen=True)
class FixedCode(GaussianNoiseSystem):
    """A code of `capacity.systems.codes`, of mean 0 and power 1 a unit, where `gaussian` learns one.

    Attributes:
        code: its name in `HANDMADE`.

    Raises:
        ValueError: for an unknown name.
    """

    code: str = "pam"
    encoder: Encoder | None = None  # built; by `prepared`
    name = "handmade"
    summary = "a code made by hand through Gaussian noise: pam, pca, repetition, hamming and others"
    level_name = "noise standard deviation"
    level_symbol = "σ"
    default_levels = GaussianAutoencoder.default_levels
    statement = "the ceiling presumes mean square E[u^2] <= 1 in every unit; the code has exactly that"

    def __post_init__(self) -> None:
        check_name(self.code, HANDMADE, "code")

    def check(self, source: Source, levels: tuple[float, ...]) -> None:
        """Refuse a source that the code cannot be made for.

        Raises:
            ValueError: in the code's words.
        """
        self.build(jax.random.key(0), source)

    def build(self, key: Key, source: Source) -> Encoder:
        """The encoder, from a vector (dim,) to (units,)."""
        code: HandmadeCode = HANDMADE[self.code]()
        return code.build(source, self.architecture.units, key)

    def prepared(self, key: Key, source: Source) -> FixedCode:
        """With its encoder built, once for all steps."""
        return replace(self, encoder=self.build(key, source))

    def init(self, key: Key, source: Source) -> Params:
        """Fresh parameters of the decoders."""
        fresh = self.architecture.init(key, source, self.architecture.units)
        return {name: part for name, part in fresh.items() if name != "encoder"}

    def ceiling(self, source: Source, level: float) -> float:
        return self.architecture.units * float(self.channel(level).ceiling(jnp.float32(1.0)))

    def loss(self, params: Params, key: Key, source: Source, level: Level, n: int, progress: Scalar) -> Scalar:
        """Mean loss of the decoders in nats, of n fresh samples."""
        key_source, key_noise = jax.random.split(key)
        batch = source.sample(key_source, n)
        encoder = self.encoder if self.encoder is not None else self.build(key_source, source)
        u = jax.vmap(encoder)(batch.vector)
        z = u + level * jax.random.normal(key_noise, u.shape)
        return self.architecture.reconstruction(params, source, batch, z)

    def joint(self, params: Params, key: Key, source: Source, level: Level) -> Joint:
        """The code and the channel; nothing of it is learnt."""
        return Joint(source, self.build(key, source), self.channel(level))
