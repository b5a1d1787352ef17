"""The contract of a system: what training and curves ask of it, with defaults for all that is optional.

A system is a recipe: encoder, channel, decoders and loss, and the one knob, the level, that says how strong its noise
is.  One that trains through its own channel is best written as a `capacity.systems.ChannelSystem`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, TypeAlias, runtime_checkable

import jax
import jax.numpy as jnp

from capacity.channels import Channel
from capacity.joint.joint import Joint
from capacity.runtime.allowed import Allowed, check_allowed
from capacity.runtime.shapes import Key, Message, Scalar, Units, Vector

if TYPE_CHECKING:
    from synthetic.source import Draws, Source

Params: TypeAlias = dict[str, Any]
"""States of networks under their names: "message" is the message decoder's, which every system has."""
Level: TypeAlias = Scalar | float
"""How strong the noise is, in the channel's own unit; traced wherever lanes are mapped over it."""


@runtime_checkable
class Decoders(Protocol):
    """The networks that a receiver ends in, as training and curves use them; see `capacity.systems.Architecture`."""

    @property
    def units(self) -> int:
        """How many numbers the decoders read."""

    @property
    def decode(self) -> str:
        """What drives the encoder: "bits" (the message) or "vector"."""

    def log_decoder(self, params: Params, source: Source) -> Callable[[Message, Units], Scalar]:
        """log q(m | z), nats, of one message and the numbers that the decoders read."""

    def log_probs(self, params: Params, source: Source, messages: jax.Array, z: jax.Array) -> jax.Array:
        """log q(m | z), nats, (n,), of a batch: in training mode where a step of training asks.

        Args:
            params: of all networks.
            source: what is sent.
            messages: (n, message_dim).
            z: what the decoders read of them, (n, units).
        """

    def reconstruction(self, params: Params, source: Source, batch: Draws, z: jax.Array) -> Scalar:
        """Mean loss of all decoders in nats.

        Args:
            params: of all networks.
            source: what is sent.
            batch: n messages and vectors.
            z: what the decoders read of them, (n, units).
        """

    def squared_error(self, params: Params, source: Source, vectors: jax.Array, z: jax.Array) -> Scalar:
        """Mean over samples of the vector decoder's squared error, summed over the entries.

        Args:
            params: of all networks.
            source: what is sent.
            vectors: what should come out, (n, dim).
            z: what the decoders read, (n, units).
        """


@dataclass(frozen=True)
class System(ABC):
    """The contract; a subclass is a frozen dataclass whose fields are its choices, all with a default.

    To make one, define

    - class attributes `name`, `summary` (a line each), `level_name`, `level_symbol`, `default_levels` (at least eight,
      rising), `rises = True` where a higher level is less noise, and `allowed`: what the fields and the level may be
      (see `capacity.runtime.allowed`), and `full_support`: whether the noise leaves every message possible, as an
      annealed bracket needs: "always", "never", or "with a floor", a field that adds Gaussian noise;
    - `init`: fresh parameters, "message" among them (`architecture.init` makes all of them);
    - `channel`: the noise at a level;
    - `loss`: what a step of training lowers;
    - `joint`: the trained sender, for any bound.

    Everything else has a default: `check`, `ceiling`, `statement`, `closed_form`, `reference` say what theory knows;
    `activations` tells what memory training takes; `prepared` and `settle` come before and after it; `front` and
    `channel_units` are for a receiver with networks before its decoders; `prior_std` belongs to the rate.  Arguments
    stand in one order: parameters, key, source, level.

    Attributes:
        architecture: the sizes of its networks, and the decoders.

    Raises:
        ValueError: for choices that are not allowed.
    """

    architecture: Decoders
    name: ClassVar[str]
    summary: ClassVar[str]
    level_name: ClassVar[str]
    level_symbol: ClassVar[str]
    default_levels: ClassVar[tuple[float, ...]]
    rises: ClassVar[bool] = False
    allowed: ClassVar[Allowed] = {}
    full_support: ClassVar[Literal["always", "with a floor", "never"]] = "always"

    def __post_init__(self) -> None:
        """Refuse choices that are not allowed."""
        check_allowed(self.allowed, vars(self))

    @abstractmethod
    def init(self, key: Key, source: Source) -> Params:
        """Fresh parameters of all networks; traceable."""

    @abstractmethod
    def channel(self, level: Level) -> Channel:
        """The noise at this level; a level that it does not have is refused in the channel's words."""

    @abstractmethod
    def loss(self, params: Params, key: Key, source: Source, level: Level, n: int, progress: Scalar) -> Scalar:
        """Mean loss in nats of n fresh noisy codes; traceable.

        Args:
            params: by `init`, as far as they are trained.
            key: decides messages and noise.
            source: what is sent.
            level: how strong the noise is.
            n: how many noisy codes.
            progress: from 0 at the first step to 1 after the last.
        """

    @abstractmethod
    def joint(self, params: Params, key: Key, source: Source, level: Level) -> Joint:
        """The trained sender: source, encoder with everything frozen, and channel; traceable.

        Args:
            params: as trained.
            key: decides the sample that the encoder is calibrated on where messages cannot be listed.
            source: what is sent.
            level: how strong the noise is.
        """

    def check(self, source: Source, levels: tuple[float, ...]) -> None:
        """Refuse, before any work, levels that the channel does not have.

        Raises:
            ValueError: saying what was expected and what came.
        """
        for level in levels:
            check_allowed(self.allowed, {"level": level})
            self.channel(level)

    @property
    def statement(self) -> str:
        """What the ceiling presumes and how the code keeps it; or "no ceiling" and why, for a reader."""
        return "no ceiling is known"

    def ceiling(self, source: Source, level: float) -> float | None:
        """Bits that all units can pass at most, or None where no ceiling follows."""
        return None

    def closed_form(self, source: Source, level: float) -> float | None:
        """Bits that an injective code passes, where that is known whatever the code; else None."""
        return None

    def reference(self, source: Source, level: float) -> dict[str, float]:
        """Bits of other codes to hold the learnt one against, by the names that a curve gives them.

        A curve keeps every name that some level has, with or without a ceiling; NaN at the levels that lack it.
        """
        return {}

    def prior_std(self, level: Level, power: Scalar) -> Scalar:
        """Standard deviation of the normal r(z) that the rate is taken against.

        By default that of a noisy unit whose code has the mean power a unit.
        """
        moments = self.channel(level).moments(jnp.sqrt(power)[None])
        return jnp.sqrt(jnp.square(moments[0]) + moments[1])[0]

    def channel_units(self, source: Source) -> int:
        """How many numbers pass the channel: those that the decoders read, unless a network stands between."""
        return self.architecture.units

    def activations(self, source: Source) -> int | None:
        """How many numbers of one message training keeps of the networks; None where widths alone say it."""
        return None

    def rehearsal(self, source: Source) -> tuple[Source, System]:
        """What training is done on: by default the source and the system; or shorter messages, the same parameters.

        Args:
            source: what is sent.
        """
        return source, self

    def prepared(self, key: Key, source: Source) -> System:
        """The system with what is made once for all steps and not learnt, such as a code by hand."""
        return self

    def settle(self, params: Params, key: Key, source: Source, level: Level) -> Params:
        """The parameters with what batches can only hold on average made exact over all messages; traceable.

        Args:
            params: as the first stage of training left them.
            key: decides samples where messages cannot be listed.
            source: what is sent.
            level: how strong the noise is.
        """
        return params

    def front(self, params: Params, source: Source) -> Callable[[Vector], Units]:
        """What the receiver does to the channel's noisy units before its decoders: nothing."""
        return lambda z: z

    def log_decoder(self, params: Params, source: Source) -> Callable[[Message, Vector], Scalar]:
        """log q(m | z), nats, of one message and the channel's noisy units, as the whole receiver has it."""
        front, log_decoder = self.front(params, source), self.architecture.log_decoder(params, source)
        return lambda message, z: log_decoder(message, front(z))

    def log_probs(self, params: Params, source: Source, messages: jax.Array, z: jax.Array) -> jax.Array:
        """log q(m|z), nats, (n,), of a batch of messages and the channel's noisy units, as the receiver learns it.

        Args:
            params: of all networks.
            source: what is sent.
            messages: (n, message_dim).
            z: the channel's noisy units, (n, channel_units).
        """
        return self.architecture.log_probs(params, source, messages, jax.vmap(self.front(params, source))(z))
