"""What most systems share: encoder, units held to a constraint, a channel, decoders; trained through the channel.

A system of this kind names its constraint and its channel, and may add to the code or to the loss.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import jax
import jax.numpy as jnp

from capacity.channels.channel import POWER
from capacity.joint.joint import Joint
from capacity.systems.architecture import Architecture, Params, merge
from capacity.systems.constraints import Constraint, standardised, whole_moments

FITS_ALL = (POWER, "any code")  # what the ceilings of these channels presume, every constraint here keeps
DECODERS = ("message", "vector")


class ChannelSystem(ABC):
    """The contract; a subclass is a frozen dataclass with a field `architecture`, and is final.

    Class attributes: name, summary, level_name, level_symbol, default_levels, and `rises` where a higher level is less
    noise.
    """

    architecture: Architecture
    name: ClassVar[str]
    default_levels: ClassVar[tuple[float, ...]]
    rises: ClassVar[bool] = False

    @property
    @abstractmethod
    def constraint(self) -> Constraint:
        """What the units are held to."""

    @abstractmethod
    def channel(self, level: float | jax.Array) -> Any:
        """The noise at this level."""

    def training_channel(self, level: jax.Array) -> Any:
        """The noise that is trained through: the same, unless a system says otherwise."""
        return self.channel(level)

    def outputs(self) -> int:
        """How many numbers the encoder gives: the units, and what `code` makes of the rest."""
        return self.architecture.units

    def extra(self, key: jax.Array, source: Any) -> Params:
        """Parameters besides encoder and decoders."""
        return {}

    def code(self, params: Params, level: jax.Array, units: jax.Array, rest: jax.Array) -> Any:
        """What the channel takes, from the units of one message and the encoder's further outputs."""
        return units

    def penalty(self, level: jax.Array, codes: Any) -> jax.Array:
        """What is added to the loss, in nats, for a batch of codes."""
        return jnp.zeros(())

    @property
    def statement(self) -> str:
        """What the ceiling presumes and how the code keeps it, or why there is none."""
        channel = self.channel(self.default_levels[0])
        if self.ceiling(self.default_levels[0], None) is not None:
            return f"the ceiling presumes {channel.constraint}; the code has {self.constraint.words}"
        why = channel.statement or f"that of {channel.name} presumes {channel.constraint}"
        return f"no ceiling for units with {self.constraint.words}: {why}"

    def ceiling(self, level: float, source: Any) -> float | None:
        """Bits that all units can pass at most, or None where no ceiling follows."""
        channel = self.channel(level)
        kept = channel.constraint in FITS_ALL or self.constraint.kind in ("signs", "digits")
        if not (channel.has_ceiling and kept):
            return None
        return float(channel.ceiling(jnp.full(self.architecture.units, self.constraint.power, jnp.float32)).sum())

    def closed_form(self, level: float, source: Any) -> float | None:
        """Bits that an injective code passes, where that is known whatever the code; else None."""
        return None

    def check(self, levels: tuple[float, ...], source: Any) -> None:
        """Refuse levels that the channel does not have.

        Raises:
            ValueError: in the channel's words.
        """
        for level in levels:
            self.channel(level)

    def prior_std(self, level: jax.Array, power: jax.Array) -> jax.Array:
        """Standard deviation of r(z), from the code's mean power a unit."""
        moments = self.channel(level).moments(jnp.sqrt(power)[None])
        return jnp.sqrt(jnp.square(moments[0]) + moments[1])[0]

    def init(self, key: jax.Array, source: Any) -> Params:
        """Fresh parameters."""
        key_networks, key_extra = jax.random.split(key)
        return self.architecture.init(key_networks, source, self.outputs()) | self.extra(key_extra, source)

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
        raw = jax.vmap(merge(self.architecture.encoder(source, self.outputs()), params["encoder"]))(batch.vector)
        units = self.constraint(standardised(raw[:, : self.architecture.units], 1.0))
        codes = jax.vmap(self.code, (None, None, 0, 0))(params, level, units, raw[:, self.architecture.units :])
        z = jax.vmap(self.training_channel(level))(jax.random.split(key_noise, n), codes)
        return self.architecture.reconstruction(params, source, batch, z) + self.penalty(level, codes)

    def joint(self, params: Params, key: jax.Array, level: jax.Array, source: Any) -> Joint:
        """The trained sender: encoder with its moments frozen, and the channel."""
        sent = {name: part for name, part in params.items() if name not in DECODERS}
        raw = jax.tree_util.Partial(self._raw, source, sent["encoder"])
        shift, scale = whole_moments(raw, key, source, 1.0)
        encoder = jax.tree_util.Partial(self._encode, source, sent, level, (shift, scale))
        return Joint(source, encoder, self.channel(level))

    def _raw(self, source: Any, state: Any, x: jax.Array) -> jax.Array:
        return self._outputs(source, state, x)[: self.architecture.units]

    def _encode(self, source: Any, params: Params, level: jax.Array, moments: Any, x: jax.Array) -> Any:
        out, (shift, scale) = self._outputs(source, params["encoder"], x), moments
        units = self.constraint((out[: self.architecture.units] - shift) * scale)
        return self.code(params, level, units, out[self.architecture.units :])

    def _outputs(self, source: Any, state: Any, x: jax.Array) -> jax.Array:
        return merge(self.architecture.encoder(source, self.outputs()), state)(x)
