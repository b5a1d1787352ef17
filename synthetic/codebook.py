"""Any finite data set as a source: distinct rows with equal or given probabilities.

H = -sum_i p_i log2 p_i, which is log2 N where the N rows are equally likely. A message is the row's
number in binary digits.
"""

from dataclasses import InitVar, dataclass, field
from functools import partial
from typing import ClassVar, Self

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from synthetic.algebra import binary_digits, from_digits
from synthetic.numbered import NumberedSource
from synthetic.pytrees import register
from synthetic.sizes import check_listed, check_listing
from synthetic.source import Batch


@register("entropy")
@dataclass(frozen=True, eq=False)
class Codebook(NumberedSource):
    """A finite set of vectors, each the carrier of its own number.

    Vectors are kept as given, in float32: the scale is the caller's. Rows of probability zero are
    left out. Draws compare 32 random bits with the cumulated probabilities, so that each row's
    probability is kept to 2**-32.

    Args:
      vectors: (N, dim), finite, no two rows equal in float32.
      probs: (N,), not negative, with sum 1 within 1e-6; None for equal ones.

    Raises:
      ValueError: shapes, values or a sum not as said, or rows that repeat.
    """

    name: ClassVar[str] = "codebook"
    summary: ClassVar[str] = "any finite set of vectors; built here from Gaussian draws"

    vectors: jax.Array
    probs: InitVar[ArrayLike | None] = None
    log_probs: jax.Array = field(init=False)
    lower_edges: jax.Array = field(init=False, repr=False)
    entropy: float = field(init=False)

    def __post_init__(self, probs: ArrayLike | None) -> None:
        """Check the fields, and keep them as float32 arrays or plain values."""
        rows, mass = _checked_rows(self.vectors), None
        if probs is None:
            mass = np.full(len(rows), 1.0 / len(rows))
        else:
            mass = _checked_probs(probs, len(rows))
            rows, mass = rows[mass > 0], mass[mass > 0]
        distinct = len(np.unique(_row_bytes(rows)))
        if distinct < len(rows):
            raise ValueError(
                f"Expected distinct rows; got {len(rows) - distinct} that repeat earlier ones. "
                "Codebook.from_data(rows) merges them and adds their probabilities."
            )
        edges = np.concatenate([[0.0], np.cumsum(mass)[:-1]]) * 2.0**32
        edges = np.minimum(np.rint(edges), 2.0**32 - 1.0).astype(np.uint32)
        object.__setattr__(self, "vectors", jnp.asarray(rows))
        object.__setattr__(self, "log_probs", jnp.asarray(np.log(mass), jnp.float32))
        object.__setattr__(self, "lower_edges", jnp.asarray(edges))
        # + 0.0 turns the -0.0 of a single row into 0.0.
        object.__setattr__(self, "entropy", float(-(mass * np.log2(mass)).sum()) + 0.0)

    @classmethod
    def from_data(cls, rows: ArrayLike) -> Self:
        """The empirical distribution of rows (N, dim): equal rows merge, their shares add up.

        Examples:
            >>> Codebook.from_data([[0.0], [0.0], [1.0], [2.0]]).bits
            1.5

        Rows keep the order in which they first appear.
        """
        data = _checked_rows(rows)
        _, first, counts = np.unique(_row_bytes(data), return_index=True, return_counts=True)
        order = np.argsort(first)
        return cls(jnp.asarray(data[first[order]]), counts[order] / len(data))

    @classmethod
    def build(cls, key: jax.Array, bits: int, dim: int) -> Self:
        """2**bits equally likely standard normal vectors; ValueError for bits past 20."""
        check_listed(bits, dim)
        return cls(jax.random.normal(key, (2**bits, dim), jnp.float32))

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self.vectors.shape[-1]

    @property
    def count(self) -> int:
        """Number of rows N."""
        return self.vectors.shape[-2]

    @property
    def bits(self) -> float:
        """Entropy in bits: -sum_i p_i log2 p_i."""
        return self.entropy

    def vector(self, number: jax.Array) -> jax.Array:
        """Row (dim,) of this number ()."""
        return self.vectors[number]

    def sample(self, key: jax.Array, n: int) -> Batch:
        """Draw n: messages (n, message_dim) int8, vectors (n, dim) float32."""
        index = _numbers(key, self.lower_edges, n)
        return Batch(binary_digits(index, self.message_dim), self.vectors[index])

    def log_prob(self, message: jax.Array) -> jax.Array:
        """Log mass () in nats of one message; -inf past the last row."""
        index = from_digits(message)
        return jnp.where(index < self.count, self.log_probs[jnp.minimum(index, self.count - 1)], -jnp.inf)

    def codebook(self) -> tuple[jax.Array, jax.Array]:
        """Vectors (N, dim) and log masses (N,) in nats, in the order of `messages`."""
        check_listing(self.count)
        return self.vectors, self.log_probs


@partial(jax.jit, static_argnums=2)
def _numbers(key: jax.Array, lower_edges: jax.Array, n: int) -> jax.Array:
    """Numbers (n,) int32 of rows, each drawn by its part of the line."""
    draws = jax.random.bits(key, (n,), jnp.uint32)
    return jnp.searchsorted(lower_edges, draws, side="right").astype(jnp.int32) - 1


def _checked_rows(vectors: ArrayLike) -> np.ndarray:
    """Rows as float32, after the checks of shape and finiteness."""
    rows = np.asarray(vectors, np.float32)
    if rows.ndim != 2 or 0 in rows.shape:
        raise ValueError(f"Expected vectors of shape (N, dim), N >= 1; got shape {rows.shape}.")
    if not np.isfinite(rows).all():
        raise ValueError("Expected finite vectors; got nan or infinity.")
    return rows


def _checked_probs(probs: ArrayLike, count: int) -> np.ndarray:
    """Probabilities as float64, scaled to sum to one to its last digit."""
    mass = np.asarray(probs, np.float64)
    if mass.shape != (count,):
        raise ValueError(f"Expected probs of shape ({count},); got shape {mass.shape}.")
    if not (mass >= 0).all():
        raise ValueError("Expected probs that are not negative; got a negative one or nan.")
    if not abs(mass.sum() - 1.0) <= 1e-6:
        raise ValueError(f"Expected probs with sum 1 within 1e-6; got {mass.sum():.8g}.")
    return np.asarray(mass / mass.sum())


def _row_bytes(rows: np.ndarray) -> np.ndarray:
    """Each row as one opaque value, fast to sort; + 0.0 makes -0.0 and 0.0 the same."""
    return np.ascontiguousarray(rows + np.float32(0.0)).view(f"V{rows.shape[1] * 4}").ravel()
