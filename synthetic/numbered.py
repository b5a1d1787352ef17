"""Sources whose messages are numbers, 0 to N - 1, in binary digits: H = log2 N where all are equally likely."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp

from synthetic.algebra import binary_digits, digits_needed, from_digits
from synthetic.sizes import MAX_LISTED, check_listing
from synthetic.source import Batch, NamedSource


class NumberedSource(NamedSource):
    """Numbered vectors, equally likely unless a subclass says otherwise.

    A source of one's own defines `count` (how many there are) and `dim`, as fields or properties, `vector(number)`,
    and what the command line asks: `name`, `summary` and `build`.
    """

    if TYPE_CHECKING:  # declared alone: a property that is inherited would hide a dataclass's field `count`

        @property
        def count(self) -> int:
            """Number of messages N."""

    @abstractmethod
    def vector(self, number: jax.Array) -> jax.Array:
        """Vector (dim,) float32 of one number () int32, from 0 to count - 1."""

    @property
    def bits(self) -> float:
        """Entropy in bits: log2 N."""
        return math.log2(self.count)

    @property
    def message_dim(self) -> int:
        """Binary digits of a number."""
        return digits_needed(self.count)

    @property
    def listable(self) -> bool:
        """Whether there are at most 2**20 messages."""
        return self.count <= MAX_LISTED

    def sample(self, key: jax.Array, n: int) -> Batch:
        """Draw n: messages (n, message_dim) int8, vectors (n, dim) float32."""
        number = jax.random.randint(key, (n,), 0, self.count, jnp.int32)
        return Batch(binary_digits(number, self.message_dim), jax.vmap(self.vector)(number))

    def embed(self, message: jax.Array) -> jax.Array:
        """Vector (dim,) of one message; past the last number it is the last one's."""
        return self.vector(jnp.minimum(from_digits(message), self.count - 1))

    def log_prob(self, message: jax.Array) -> jax.Array:
        """Log mass () in nats of one message: -ln N, or -inf past the last number."""
        return jnp.where(from_digits(message) < self.count, -math.log(self.count), -jnp.inf).astype(jnp.float32)

    def messages(self) -> jax.Array:
        """All (N, message_dim) numbers int8; ValueError past 2**20."""
        check_listing(self.count)
        digits: jax.Array = binary_digits(jnp.arange(self.count, dtype=jnp.int32), self.message_dim)
        return digits

    def codebook(self) -> tuple[jax.Array, jax.Array]:
        """Vectors (N, dim) and log masses (N,) in nats, in the order of `messages`."""
        check_listing(self.count)
        vectors = jax.vmap(self.vector)(jnp.arange(self.count, dtype=jnp.int32))
        return vectors, jnp.full(self.count, -math.log(self.count), jnp.float32)
