"""A continuous noise and then a dropping one: U -> Y -> Z, Z = Y or a constant.  The mask is in sight.

No continuous Y is the constant but by a chance of 0, so that

    p(z|u) = rate where z is the constant,   (1 - rate) p(y = z|u) elsewhere,

a density with respect to Lebesgue's measure and an atom at the constant, whatever the code.  `Chain` has it the other
way round, first atoms and then any noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool

from capacity.channels.binary import DroppingChannel
from capacity.channels.channel import Channel, Code
from capacity.runtime.pytrees import register_dataclass
from capacity.runtime.shapes import Key, Units


@register_dataclass
@dataclass(frozen=True)
class Erased(Channel):
    """The first channel, then the second; reference measure Lebesgue's and an atom at the constant.

    Attributes:
        first: a memoryless channel with a density.
        second: a dropping one.

    Raises:
        ValueError: if the first has atoms or memory, or the second is no dropping channel.
    """

    first: Channel
    second: DroppingChannel
    mixed: ClassVar[bool] = True
    name: ClassVar[str] = "erased"
    summary: ClassVar[str] = "a continuous noise and then dropout, whose mask is in sight"

    def __post_init__(self) -> None:
        if isinstance(self.first, Channel) and (self.first.atomic or not self.first.memoryless):
            raise ValueError(f"Expected a memoryless first channel with a density; got {self.first.name}.")
        if isinstance(self.second, Channel) and not isinstance(self.second, DroppingChannel):
            raise ValueError(f"Expected a second channel that drops units; got {self.second.name}.")

    @property
    def code(self) -> type:
        return self.first.code

    @property
    def code_axes(self) -> int:
        return self.first.code_axes

    @property
    def full_support(self) -> bool:
        return self.first.full_support

    @property
    def no_ceiling_because(self) -> str:
        return f"{self.first.name}: {self.first.no_ceiling_because or 'its ceiling is that of what is not dropped'}"

    def part(self, units: slice) -> Erased:
        return Erased(self.first.part(units), self.second)

    def is_atom(self, z: Units) -> Bool[Array, " units"]:
        first = self.first.is_atom(z)
        return first | (z == jnp.asarray(self.second.constant(), z.dtype))

    def passes(self, units: int) -> jax.Array:
        return self.first.passes(units) * self.second.passes(units)

    def __call__(self, key: Key, u: Code) -> Units:
        key_first, key_second = jax.random.split(key)
        return self.second(key_second, self.first(key_first, u))

    def log_prob(self, z: Units, u: Code) -> Units:
        """Log density of each unit, shape (units,), nats: the mass of the constant where z is that."""
        keep = self.second.keep.astype(z.dtype)
        constant = jnp.asarray(self.second.constant(), z.dtype)
        there = z == constant
        kept = jnp.log(keep) + self.first.log_prob(z, u)
        # The constant may be an atom of the first already.
        again = jnp.where(self.first.is_atom(z), kept, -jnp.inf)
        return jnp.where(there, jnp.logaddexp(jnp.log1p(-keep), again), kept)

    def moments(self, u: Code) -> tuple[Units, Units]:
        mean, variance = self.first.moments(u)
        keep, constant = self.second.keep.astype(mean.dtype), self.second.constant()
        away = mean - constant
        return constant + keep * away, keep * (variance + (1 - keep) * jnp.square(away))

    def signal(self, u: Code) -> Units:
        return self.first.signal(u)
