"""Sources whose messages are all rows of k binary digits, sent as ±1 amplitudes a: x = a R, with R R^T = 1."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from synthetic.algebra import binary_digits, fair_digits, sent
from synthetic.sizes import MAX_LISTED, check_listing
from synthetic.source import Batch, NamedSource


class BinarySource(NamedSource):
    """k binary digits as ±1 amplitudes, rotated into `dim` dimensions; fair unless a subclass says otherwise.

    A subclass has `rotation`, with orthonormal rows: (k, dim) where each digit is sent as it is.
    """

    rotation: jax.Array

    @property
    def bits(self) -> float:
        """Entropy in bits: one a digit."""
        return float(self.message_dim)

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self.rotation.shape[-1]

    @property
    def message_dim(self) -> int:
        """Number of binary digits k."""
        return self.rotation.shape[-2]

    @property
    def listable(self) -> bool:
        """Whether there are at most 2**20 messages."""
        return bool(2**self.message_dim <= MAX_LISTED)

    def sample(self, key: jax.Array, n: int) -> Batch:
        """Draw n: messages (n, k) int8, vectors (n, dim) float32."""
        message: jax.Array = fair_digits(key, n, self.message_dim)
        return Batch(message, self.embed(message))

    def embed(self, message: jax.Array) -> jax.Array:
        """Vector (dim,) of one message (k,), or (n, dim) of messages (n, k)."""
        vector: jax.Array = sent(message, self.rotation)
        return vector

    def log_prob(self, message: jax.Array) -> jax.Array:
        """Log mass () in nats of one message (k,): -k ln 2, whichever it is."""
        return jnp.full(message.shape[:-1], -self.message_dim * math.log(2.0), jnp.float32)

    def messages(self) -> jax.Array:
        """All (2**k, k) messages int8, counting upwards; ValueError past 2**20."""
        check_listing(2**self.message_dim)
        digits: jax.Array = binary_digits(jnp.arange(2**self.message_dim, dtype=jnp.int32), self.message_dim)
        return digits

    def codebook(self) -> tuple[jax.Array, jax.Array]:
        """Vectors (2**k, dim) and log masses (2**k,) in nats, in the order of `messages`."""
        messages = self.messages()
        return self.embed(messages), jax.vmap(self.log_prob)(messages)
