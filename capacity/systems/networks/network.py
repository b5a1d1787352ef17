"""The contract of a family of networks: encoder and decoders of one structure, for any source and any sizes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeAlias, runtime_checkable

import jax
from flax import nnx

from capacity.runtime.shapes import Message, Scalar, Units
from capacity.systems.networks.decoders import AutoregressiveBits, GaussianMessage

if TYPE_CHECKING:
    from synthetic.source import Source


@runtime_checkable
class Switched(Protocol):
    """A flax module, as far as its modes go."""

    def train(self) -> None:
        """Training mode: layers draw, and take the statistics of the batch."""

    def eval(self) -> None:
        """Evaluation mode: nothing is drawn, and statistics are the running ones."""


@runtime_checkable
class Mapped(Switched, Protocol):
    """A flax module from one array to another: of one item, or of a batch where its builder is an `OnBatches`."""

    def __call__(self, x: jax.Array) -> jax.Array:
        """What comes out of an item or a batch."""


@runtime_checkable
class MessageDecoder(Switched, Protocol):
    """A module that gives messages a probability."""

    def log_prob(self, message: Message, z: Units) -> Scalar:
        """log q(message | z), nats, a scalar; message (digits,), z (units,)."""


Build: TypeAlias = Callable[[nnx.Rngs], Mapped]
"""Makes a fresh module; what it is called with, the network has been told."""
BuildMessage: TypeAlias = Callable[[nnx.Rngs], MessageDecoder]
"""Makes a fresh message decoder."""


@dataclass(frozen=True)
class Network(ABC):
    """A structure that encoder and decoders have; a subclass is a frozen dataclass whose fields all have a default.

    To make one, define

    - class attributes `name` and `summary` (a line);
    - `encoder`: builder of a module from one vector (dim,) to (outputs,);
    - `decoder`: builder of a module from one noisy code (units,) to a vector (dim,);
    - and, where the structure has a message decoder of its own, `message`: else it is a masked perceptron for digits,
      a normal around a perceptron for real-valued messages.
    """

    name: ClassVar[str]
    summary: ClassVar[str]

    @abstractmethod
    def encoder(self, source: Source, outputs: int, widths: Sequence[int], activation: str) -> Build:
        """Builder of the encoder, one vector (dim,) -> (outputs,).

        Args:
            source: its `dim`, and the kind of its vectors where a structure needs it.
            outputs: how many numbers come out.
            widths: of hidden layers, or what a structure makes of them.
            activation: a name in `ACTIVATIONS`.
        """

    @abstractmethod
    def decoder(self, source: Source, inputs: int, widths: Sequence[int], activation: str) -> Build:
        """Builder of the vector decoder, one noisy code (inputs,) -> (dim,).

        Args: as of `encoder`; inputs: how many units are received.
        """

    def message(self, source: Source, inputs: int, widths: Sequence[int], activation: str) -> BuildMessage:
        """Builder of the message decoder, log q(m | z) of one message (message_dim,) and one noisy code (inputs,).

        Args: as of `decoder`.
        """
        kind = AutoregressiveBits if source.discrete else GaussianMessage
        return lambda rngs: kind(inputs, source.message_dim, widths, activation, rngs)

    def rehearsal(self, source: Source, units: int) -> tuple[Source, int]:
        """A source of shorter messages, and as many fewer units, with networks of the same parameters to train on.

        By default the source and the units themselves.

        Args:
            source: what is sent.
            units: how many numbers pass the channel.
        """
        return source, units
