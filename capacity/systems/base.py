"""What most systems share: encoder, units held to a constraint, a channel, decoders; trained through the channel.

A system of this kind names its constraint and its channel, and may add to the code or to the loss.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp

from capacity.channels import Channel
from capacity.channels.channel import Code
from capacity.joint.joint import Joint
from capacity.runtime.shapes import Key, Scalar, Units, Vector
from capacity.systems.architecture import DEFAULT, Architecture
from capacity.systems.constraints import Constraint, constrained, standardised, whole_moments
from capacity.training.carried import ModuleState
from capacity.training.system import Level, Params, System

if TYPE_CHECKING:
    from synthetic.source import Source

DECODERS = ("message", "vector")


@dataclass(frozen=True)
class ChannelSystem(System):
    """A system that trains through its channel; a subclass is a frozen dataclass.

    To make one, define

    - class attributes `name`, `summary`, `level_name`, `level_symbol`, `default_levels`, and `rises = True` where a
      higher level is less noise;
    - `channel`: the noise at a level;
    - `constraint`, if the units are held to something else than power 1;
    - and where they are needed, `code` with `outputs` and `extra` (a channel that takes more than the units), `penalty`
      (what is added to the loss), `training_channel` (another noise to train through).
    """

    architecture: Architecture = DEFAULT

    @property
    def constraint(self) -> Constraint:
        """What the units are held to: power 1."""
        return Constraint("power")

    @abstractmethod
    def channel(self, level: Level) -> Channel:
        """The noise at this level."""

    def training_channel(self, level: Level) -> Channel:
        """The noise that is trained through: the same, unless a system says otherwise."""
        return self.channel(level)

    def outputs(self) -> int:
        """How many numbers the encoder gives: the units, and what `code` makes of the rest."""
        return self.architecture.units

    def extra(self, key: Key, source: Source) -> Params:
        """Parameters besides encoder and decoders."""
        return {}

    def code(self, params: Params, level: Level, units: Units, rest: jax.Array) -> Code:
        """What the channel takes.

        Args:
            params: with those of `extra`.
            level: of the channel.
            units: of one message, as the constraint has them.
            rest: what the encoder gives beyond them, (outputs - units,).
        """
        return units

    def penalty(self, level: Level, codes: Code) -> Scalar:
        """What is added to the loss, in nats, for a batch of codes."""
        return jnp.zeros(())

    @property
    def statement(self) -> str:
        channel = self.channel(self.default_levels[0])
        presumes, words = channel.presumes, self.constraint.words_of_units
        if presumes is None:
            return f"no ceiling for units with {words}: {channel.no_ceiling_because}"
        if not self.constraint.implies(presumes):
            return f"no ceiling for units with {words}: that of {channel.name} presumes {presumes.words}"
        return f"the ceiling presumes {presumes.words}; the code has {words}"

    def ceiling(self, source: Source, level: float) -> float | None:
        channel = self.channel(level)
        if channel.presumes is None or not self.constraint.implies(channel.presumes):
            return None
        return float(channel.ceiling(jnp.full(self.architecture.units, self.constraint.power, jnp.float32)).sum())

    def init(self, key: Key, source: Source) -> Params:
        key_networks, key_extra = jax.random.split(key)
        return self.architecture.init(key_networks, source, self.outputs()) | self.extra(key_extra, source)

    def activations(self, source: Source) -> int:
        return self.architecture.activations(source, self.outputs())

    def loss(self, params: Params, key: Key, source: Source, level: Level, n: int, progress: Scalar) -> Scalar:
        key_source, key_noise = jax.random.split(key)
        batch = source.sample(key_source, n)
        raw = self.architecture.encode(params["encoder"], source, batch.vector, self.outputs())
        units = constrained(standardised(raw[:, : self.architecture.units], 1.0), self.constraint)
        codes = jax.vmap(self.code, (None, None, 0, 0))(params, level, units, raw[:, self.architecture.units :])
        z = jax.vmap(self.training_channel(level))(jax.random.split(key_noise, n), codes)
        return self.architecture.reconstruction(params, source, batch, z) + self.penalty(level, codes)

    def rehearsal(self, source: Source) -> tuple[Source, System]:
        short, architecture = self.architecture.rehearsal(source)
        return short, replace(self, architecture=architecture)

    def joint(self, params: Params, key: Key, source: Source, level: Level) -> Joint:
        sent = {name: part for name, part in params.items() if name not in DECODERS}
        raw = jax.tree_util.Partial(self._raw, source, sent["encoder"])
        shift, scale = whole_moments(raw, key, source, 1.0)
        encoder = jax.tree_util.Partial(self._encode, source, sent, level, (shift, scale))
        return Joint(source, encoder, self.channel(level))

    def _raw(self, source: Source, state: ModuleState, x: Vector) -> Units:
        return self._outputs(source, state, x)[: self.architecture.units]

    def _encode(self, source: Source, params: Params, level: Level, moments: tuple[Units, Units], x: Vector) -> Code:
        out, (shift, scale) = self._outputs(source, params["encoder"], x), moments
        units = constrained((out[: self.architecture.units] - shift) * scale, self.constraint)
        return self.code(params, level, units, out[self.architecture.units :])

    def _outputs(self, source: Source, state: ModuleState, x: Vector) -> jax.Array:
        return self.architecture.encode_one(state, source, x, self.outputs())
