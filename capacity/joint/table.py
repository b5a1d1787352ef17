"""A finite list as a source: a message is the number of a row, and what it carries is looked up in a table.

Where codes are known already, row by row (the posteriors of a trained model, what a program outside JAX gave back),
a joint needs neither vectors nor an encoder that can be traced:  M -> row number -> table[row] -> Z.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Int8, Integer

from capacity.channels import Channel, Code
from capacity.joint.joint import Joint
from capacity.runtime.pytrees import register_dataclass
from capacity.runtime.shapes import ArrayLeaf, Key, Scalar

LAST_EDGE = 2**32 - 1  # an edge here is out of every draw's reach
MAX_LISTED = 2**20  # as of a source: `synthetic.source`, from which only types are taken here


class RowDraws(NamedTuple):
    """Independent draws: messages (n, message_dim) int8, and the row numbers (n,) int32 that carry them."""

    message: Int8[Array, "n message_dim"]
    vector: Int[Array, " n"]


@register_dataclass
@dataclass(frozen=True)
class Rows:
    """Rows of a list, drawn with given probabilities; made by `Rows.of`.

    Two rows may look alike: then they are told apart by nothing, and that costs bits, as it should.  What
    `synthetic.Codebook` is for vectors, kept apart from it since this package takes no code of that one.

    Attributes:
        log_probs: (N,), nats.
        lower_edges: (N,) uint32, cumulated probabilities times 2^32.
        bits: the entropy, log2 N where all rows are equally likely.
    """

    log_probs: ArrayLeaf
    lower_edges: ArrayLeaf
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
        if not 1 <= len(mass) <= MAX_LISTED:
            raise ValueError(f"Expected 1 to {MAX_LISTED} rows; got {len(mass)}.")
        seen = mass[mass > 0]
        with np.errstate(divide="ignore"):
            log_probs = np.log(mass)
        edges = np.rint(np.concatenate([[0.0], np.cumsum(mass)[:-1]]) * 2.0**32)
        # A row of no mass has the next row's edge, and the search takes the last of equal ones.
        edges = np.where(np.arange(len(mass)) > np.flatnonzero(mass)[-1], LAST_EDGE, np.minimum(edges, LAST_EDGE - 1))
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
        """Whether all rows can be listed: always."""
        return True

    def sample(self, key: Key, n: int) -> RowDraws:
        """Draw n rows, independently."""
        draws = jnp.minimum(jax.random.bits(key, (n,), jnp.uint32), jnp.uint32(LAST_EDGE - 1))
        index = jnp.searchsorted(self.lower_edges, draws, side="right").astype(jnp.int32) - 1
        return RowDraws(self._digits(index), index)

    def embed(self, message: Integer[Array, " message_dim"]) -> Int[Array, ""]:
        """Row number () of one message; past the last row it is the last row's."""
        return jnp.minimum(self._index(message), self.log_probs.shape[0] - 1)

    def log_prob(self, message: Integer[Array, " message_dim"]) -> Scalar:
        """Log mass () of one message, nats; -inf past the last row."""
        index, count = self._index(message), self.log_probs.shape[0]
        return jnp.where(index < count, self.log_probs[jnp.minimum(index, count - 1)], -jnp.inf)

    def log_mass(self, message: Integer[Array, " message_dim"]) -> Scalar:
        """The same: all of a row is message."""
        return self.log_prob(message)

    def messages(self) -> Int8[Array, "rows message_dim"]:
        """All row numbers in binary digits, (N, message_dim) int8."""
        return self._digits(jnp.arange(self.log_probs.shape[0], dtype=jnp.int32))

    def codebook(self) -> tuple[Int[Array, " rows"], Float[Array, " rows"]]:
        """All row numbers (N,) and their log masses (N,), nats."""
        return jnp.arange(self.log_probs.shape[0], dtype=jnp.int32), self.log_probs

    def _digits(self, index: jax.Array) -> jax.Array:
        shifts = jnp.arange(self.message_dim - 1, -1, -1, dtype=jnp.int32)
        return ((index[..., None] >> shifts.reshape((1,) * index.ndim + (-1,))) & 1).astype(jnp.int8)

    def _index(self, message: jax.Array) -> jax.Array:
        shifts = jnp.arange(self.message_dim - 1, -1, -1, dtype=jnp.int32)
        return (message.astype(jnp.int32) << shifts).sum()


def tabled(rows: Rows, table: Code, channel: Channel) -> Joint:
    """The joint of rows whose codes are the leaves (N, ...) of a table."""
    return Joint(rows, jax.tree_util.Partial(_look_up, table), channel)


def _look_up(table: Code, row: Int[Array, ""]) -> Code:
    return jax.tree.map(lambda leaf: leaf[row], table)
