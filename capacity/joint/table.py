"""A finite list as a source: a message is the number of a row, and what it carries is looked up in a table.

Where codes are known already, row by row (the posteriors of a trained model, what a program outside JAX gave back),
a joint needs neither vectors nor an encoder that can be traced:  M -> row number -> table[row] -> Z.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from capacity.channels import Channel
from capacity.joint.joint import Joint

LAST = 2**32 - 1  # an edge here is out of every draw's reach
MOST_ROWS = 2**20


class Drawn(NamedTuple):
    """Independent draws: messages (n, message_dim) int8, and the row numbers (n,) int32 that carry them."""

    message: jax.Array
    vector: jax.Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Rows:
    """Rows of a list, drawn with given probabilities; made by `Rows.of`.

    Two rows may look alike: then they are told apart by nothing, and that costs bits, as it should.

    Attributes:
        log_probs: (N,), nats.
        lower_edges: (N,) uint32, cumulated probabilities times 2^32.
        bits: the entropy, log2 N where all rows are equally likely.
    """

    log_probs: jax.Array
    lower_edges: jax.Array
    bits: float = field(metadata={"static": True})
    name: ClassVar[str] = "rows"
    discrete: ClassVar[bool] = True

    @classmethod
    def of(cls, probs: np.ndarray) -> Rows:
        """From probabilities (N,), not negative, with sum 1; rows of probability 0 are never drawn.

        Raises:
            ValueError: for more than 2^20 rows, or none.
        """
        mass = np.asarray(probs, np.float64)
        if not 1 <= len(mass) <= MOST_ROWS:
            raise ValueError(f"Expected 1 to {MOST_ROWS} rows; got {len(mass)}.")
        seen = mass[mass > 0]
        with np.errstate(divide="ignore"):
            log_probs = np.log(mass)
        edges = np.rint(np.concatenate([[0.0], np.cumsum(mass)[:-1]]) * 2.0**32)
        # A row of no mass has the next row's edge, and the search takes the last of equal ones.
        edges = np.where(np.arange(len(mass)) > np.flatnonzero(mass)[-1], LAST, np.minimum(edges, LAST - 1))
        return cls(
            jnp.asarray(log_probs, jnp.float32),
            jnp.asarray(edges.astype(np.uint32)),
            float(-(seen * np.log2(seen)).sum()) + 0.0,
        )

    @property
    def dim(self) -> int:
        """1: a row's number."""
        return 1

    @property
    def message_dim(self) -> int:
        """Binary digits of a row's number."""
        return max(1, math.ceil(math.log2(self.log_probs.shape[-1])))

    @property
    def listable(self) -> bool:
        """Always."""
        return True

    def sample(self, key: jax.Array, n: int) -> Drawn:
        """Draw n."""
        draws = jnp.minimum(jax.random.bits(key, (n,), jnp.uint32), jnp.uint32(LAST - 1))
        index = jnp.searchsorted(self.lower_edges, draws, side="right").astype(jnp.int32) - 1
        return Drawn(self._digits(index), index)

    def embed(self, message: jax.Array) -> jax.Array:
        """Row number () of one message; past the last row it is the last row's."""
        return jnp.minimum(self._index(message), self.log_probs.shape[0] - 1)

    def log_prob(self, message: jax.Array) -> jax.Array:
        """Log mass () of one message, nats; -inf past the last row."""
        index, count = self._index(message), self.log_probs.shape[0]
        return jnp.where(index < count, self.log_probs[jnp.minimum(index, count - 1)], -jnp.inf)

    def log_mass(self, message: jax.Array) -> jax.Array:
        """`log_prob`: no noise goes with the message."""
        return self.log_prob(message)

    def messages(self) -> jax.Array:
        """All row numbers in binary digits, (N, message_dim) int8."""
        return self._digits(jnp.arange(self.log_probs.shape[0], dtype=jnp.int32))

    def codebook(self) -> tuple[jax.Array, jax.Array]:
        """All row numbers (N,) and their log masses (N,), nats."""
        return jnp.arange(self.log_probs.shape[0], dtype=jnp.int32), self.log_probs

    def _digits(self, index: jax.Array) -> jax.Array:
        shifts = jnp.arange(self.message_dim - 1, -1, -1, dtype=jnp.int32)
        return ((index[..., None] >> shifts.reshape((1,) * index.ndim + (-1,))) & 1).astype(jnp.int8)

    def _index(self, message: jax.Array) -> jax.Array:
        shifts = jnp.arange(self.message_dim - 1, -1, -1, dtype=jnp.int32)
        return (message.astype(jnp.int32) << shifts).sum()


def tabled(rows: Rows, table: Any, channel: Channel) -> Joint:
    """The joint of rows whose codes are the leaves (N, ...) of a table."""
    return Joint(rows, jax.tree_util.Partial(_look_up, table), channel)


def _look_up(table: Any, row: jax.Array) -> Any:
    return jax.tree.map(lambda leaf: leaf[row], table)
