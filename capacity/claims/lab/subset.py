"""Some of a source's messages as a source of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from synthetic import Batch, register
from synthetic.source import Source


@register()
@dataclass(frozen=True, eq=False)
class Subset:
    """Some messages of a source as a source of their own, equally likely: what a training set is.

    Attributes:
        source: whose messages they are.
        rows: the messages, (n, message_dim).
    """

    name: ClassVar[str] = "subset"
    discrete: ClassVar[bool] = True
    listable: ClassVar[bool] = True

    source: Source
    rows: jax.Array  # (n, message_dim)

    @property
    def bits(self) -> float:
        """Entropy of the message, log2 n."""
        return float(np.log2(self.rows.shape[-2]))

    @property
    def dim(self) -> int:
        """Length of a vector, the source's own."""
        return self.source.dim

    @property
    def message_dim(self) -> int:
        """Length of a message, the source's own."""
        return self.source.message_dim

    def sample(self, key: jax.Array, n: int) -> Batch:
        """Draw n of the messages, independently."""
        message = self.rows[jax.random.randint(key, (n,), 0, self.rows.shape[-2])]
        return Batch(message, self.source.embed(message))

    def embed(self, message: jax.Array) -> jax.Array:
        """Vector (dim,) of one message (message_dim,)."""
        vector: jax.Array = self.source.embed(message)
        return vector

    def log_prob(self, message: jax.Array) -> jax.Array:
        """Log mass of one of the messages, in nats."""
        return jnp.full(message.shape[:-1], -np.log(self.rows.shape[-2]), jnp.float32)

    def log_mass(self, message: jax.Array) -> jax.Array:
        """The same as `log_prob`: no noise goes with a message."""
        return self.log_prob(message)

    def messages(self) -> jax.Array:
        """All of the messages, (n, message_dim)."""
        return self.rows

    def codebook(self) -> tuple[jax.Array, jax.Array]:
        """Vectors (n, dim) and log masses (n,)."""
        count = self.rows.shape[-2]
        return self.source.embed(self.rows), jnp.full(count, -np.log(count), jnp.float32)
