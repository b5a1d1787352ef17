"""What every source promises: messages with known entropy, and the vectors that carry them.

A source draws a message M and embeds it as a vector X = embed(M), injectively, so that
H(X) = H(M) = `bits`, exactly. Discrete messages are always binary digits (most significant first),
also where the messages are only numbered: one decoder of bits then serves every source.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Protocol, runtime_checkable

import jax
from jaxtyping import PyTree

"""The most messages that `messages` and `codebook` will list."""


class Batch(NamedTuple):
    """Independent draws: `message` (n, message_dim) and the `vector` (n, dim) that carries it."""

    message: jax.Array
    vector: jax.Array


class Draws(Protocol):
    """Independent draws of any source, as a `Batch`: every leaf of both has a leading axis of n."""

    @property
    def message(self) -> PyTree:
        """The messages, (n, message_dim)."""
        ...

    @property
    def vector(self) -> PyTree:
        """What carries them, (n, dim)."""
        ...


@runtime_checkable
class Source(Protocol):
    """A distribution of messages and the vectors that carry them, with its exact entropy: what the mathematics asks.

    Whatever has these members is a source, whether it inherits or not; `NamedSource` is the base class that brings
    defaults. Every check is made at construction, outside `jax.jit`; the methods can be traced.
    """

    @property
    def name(self) -> str:
        """What reports call it."""
        ...

    @property
    def discrete(self) -> bool:
        """Whether the messages are binary digits; else they are real numbers, of infinite entropy."""
        ...

    @property
    def bits(self) -> float:
        """Entropy of the message in bits, exact; `inf` where it is continuous."""
        ...

    @property
    def dim(self) -> int:
        """Length of a vector."""
        ...

    @property
    def message_dim(self) -> int:
        """Length of a message: binary digits, or `dim` where it is continuous."""
        ...

    @property
    def listable(self) -> bool:
        """Whether there are at most 2**20 messages, so that `codebook` can list them."""
        ...

    def sample(self, key: jax.Array, n: int) -> Draws:
        """Draw n, independently; `n` is static. Messages int8 (float32 if continuous)."""
        ...

    def embed(self, message: PyTree) -> PyTree:
        """Vector (dim,) float32 of one message (message_dim,): arrays, or trees of them where noise goes along."""
        ...

    def log_prob(self, message: PyTree) -> jax.Array:
        """Log mass (), or log density where continuous, of one message (message_dim,), in nats."""
        ...

    def log_mass(self, message: PyTree) -> jax.Array:
        """The part of `log_prob` that the message's entropy counts: all, but where noise goes with the message."""
        ...

    def messages(self) -> jax.Array:
        """All possible messages, (M, message_dim) int8; ValueError where too many or continuous."""
        ...

    def codebook(self) -> tuple[jax.Array, jax.Array]:
        """Vectors (M, dim) and log masses (M,) in nats, in the order of `messages`."""
        ...


if TYPE_CHECKING:
    _Contract = Source
else:  # a property that is inherited would hide a dataclass's field of the same name, such as `dim`
    _Contract = ABC


class NamedSource(_Contract):
    """A source that the command line can name and build, and the base class of a source of one's own.

    A subclass is a frozen dataclass under `synthetic.pytrees.register`. It has a `name` (what the command line calls
    it), a `summary` (one line of help), and defines, as fields or properties and methods:

    - `bits`, `dim` and `message_dim`, see `Source`;
    - `sample(key, n)`, `embed(message)` and `log_prob(message)`;
    - `build(key, bits, dim)`, the command line's constructor;
    - where at most 2**20 messages are possible, `listable` and `messages()`: `codebook()` follows.

    Shorter still: `NumberedSource` asks for a count and the vector of a number, `BinarySource` for a rotation and the
    probability of a row of digits, and `Codebook` is any finite set of vectors.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    discrete: ClassVar[bool] = True

    @property
    def listable(self) -> bool:
        """Whether there are at most 2**20 messages, so that `codebook` can list them; by default not."""
        return False

    @abstractmethod
    def sample(self, key: jax.Array, n: int) -> Draws:
        """Draw n, independently; see `Source`."""

    @abstractmethod
    def embed(self, message: PyTree) -> PyTree:
        """Vector (dim,) of one message (message_dim,)."""

    @abstractmethod
    def log_prob(self, message: PyTree) -> jax.Array:
        """Log mass () of one message (message_dim,), in nats; log density where continuous."""

    def log_mass(self, message: PyTree) -> jax.Array:
        """`log_prob`: no noise goes with the message."""
        return self.log_prob(message)

    def messages(self) -> jax.Array:
        """Refused by default.

        Raises:
          ValueError: always, here.
        """
        kind = "a list without end" if self.discrete else "continuous"
        raise ValueError(f"Expected a discrete source to list its messages; got '{self.name}' ({kind}).")

    def codebook(self) -> tuple[jax.Array, jax.Array]:
        """Vectors (M, dim) and log masses (M,) in nats, in the order of `messages`."""
        messages = self.messages()
        return jax.vmap(self.embed)(messages), jax.vmap(self.log_prob)(messages)

    @classmethod
    @abstractmethod
    def build(cls, key: jax.Array, bits: int, dim: int) -> Source:
        """The command line's constructor: `bits` bits in `dim` dimensions.

        Args:
          key: of whatever is random in the source itself.
          bits: as many as the source can hold, or the number that stands for its size.
          dim: length of a vector.

        Raises:
          ValueError: sizes that the source cannot have.
        """
