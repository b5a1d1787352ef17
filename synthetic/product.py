"""Independent blocks mixed by one orthonormal matrix: exact information at any size.

X = (X_1, ..., X_B) R with R R^T = 1. H(X) = sum_b H(X_b), and since Gaussian noise of equal
variance does not see the rotation, I(X; X + sigma N) = sum_b I(X_b; X_b + sigma N_b).
"""

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from synthetic.algebra import checked_orthonormal, matmul, orthonormal
from synthetic.bits import FairBits
from synthetic.pytrees import register
from synthetic.quadrature import information_by_quadrature
from synthetic.sizes import MAX_LISTED, check_linear, check_listing
from synthetic.source import Batch, NamedSource, Source


@register("copies", "sizes")
@dataclass(frozen=True, eq=False, init=False)
class Product(NamedSource):
    """Independent discrete blocks side by side, then mixed by one matrix.

    Neighbouring blocks of one structure are kept stacked, as one block with a leading axis, so that
    a thousand blocks compile as quickly as one. The mean square of a vector's entry is the sum of
    the blocks' squares, divided by `dim`.

    Args:
      blocks: discrete sources of at most 2**20 messages each.
      mixing: (sum of block.dim, dim) with orthonormal rows.

    Raises:
      ValueError: no blocks, a block that cannot be listed, or a `mixing` not as said.
    """

    name: ClassVar[str] = "product"
    summary: ClassVar[str] = "independent fair bits under one rotation, with exact information"

    groups: tuple[Source, ...]
    mixing: jax.Array
    copies: tuple[int, ...]
    sizes: tuple[int, ...]

    def __init__(self, blocks: Sequence[Source], mixing: ArrayLike) -> None:
        """Check the blocks and stack those of one structure."""
        if not blocks:
            raise ValueError("Expected at least one block; got none.")
        for number, block in enumerate(blocks):
            if not (block.discrete and block.listable):
                raise ValueError(
                    f"Expected blocks that can be listed; got block {number}, '{block.name}', of {block.bits} bits."
                )
        matrix = checked_orthonormal(mixing, "mixing")
        dims = sum(block.dim for block in blocks)
        if matrix.shape[0] != dims:
            raise ValueError(
                f"Expected mixing with one row for each of the blocks' {dims} dimensions; got {matrix.shape[0]}."
            )
        runs = [list(run) for _, run in itertools.groupby(blocks, key=_structure)]
        groups = tuple(jax.tree.map(lambda *leaves: jnp.asarray(np.stack(leaves)), *run) for run in runs)
        sizes = tuple(jax.eval_shape(run[0].messages).shape[0] for run in runs)
        object.__setattr__(self, "groups", groups)
        object.__setattr__(self, "mixing", matrix)
        object.__setattr__(self, "copies", tuple(len(run) for run in runs))
        object.__setattr__(self, "sizes", sizes)

    @classmethod
    def build(cls, key: jax.Array, bits: int, dim: int) -> Self:
        """`bits` blocks of one ±1 bit under a random rotation; ValueError unless bits <= dim."""
        check_linear(bits, dim)
        bit = FairBits(jnp.ones((1, 1), jnp.float32))
        return cls([bit] * bits, orthonormal(key, bits, dim))

    @property
    def blocks(self) -> tuple[Source, ...]:
        """The blocks, one by one."""
        return tuple(
            jax.tree.map(lambda leaf, i=i: leaf[i], group)
            for group, copies in zip(self.groups, self.copies, strict=True)
            for i in range(copies)
        )

    @property
    def bits(self) -> float:
        """Entropy in bits: the sum over blocks."""
        pairs = zip(self.groups, self.copies, strict=True)
        return math.fsum(group.bits * copies for group, copies in pairs)

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self.mixing.shape[-1]

    @property
    def message_dim(self) -> int:
        """Binary digits of all blocks together."""
        pairs = zip(self.groups, self.copies, strict=True)
        return sum(group.message_dim * copies for group, copies in pairs)

    @property
    def count(self) -> int:
        """Number of messages: the product over blocks."""
        return math.prod(n**copies for n, copies in zip(self.sizes, self.copies, strict=True))

    @property
    def listable(self) -> bool:
        """Whether there are at most 2**20 messages."""
        return self.count <= MAX_LISTED

    def sample(self, key: jax.Array, n: int) -> Batch:
        """Draw n: messages (n, message_dim) int8, vectors (n, dim) float32."""
        messages, vectors = [], []
        keys = jax.random.split(key, len(self.groups))
        for group, copies, group_key in zip(self.groups, self.copies, keys, strict=True):
            block_keys = jax.random.split(group_key, copies)
            batch = jax.vmap(lambda block, k: block.sample(k, n))(group, block_keys)
            messages.append(jnp.moveaxis(batch.message, 0, 1).reshape(n, -1))
            vectors.append(jnp.moveaxis(batch.vector, 0, 1).reshape(n, -1))
        unmixed = jnp.concatenate(vectors, axis=1)
        return Batch(jnp.concatenate(messages, axis=1), matmul(unmixed, self.mixing))

    def embed(self, message: jax.Array) -> jax.Array:
        """Vector (dim,) of one message (message_dim,)."""
        parts = [
            jax.vmap(lambda block, digits: block.embed(digits))(group, digits).reshape(-1)
            for group, digits in zip(self.groups, self._split(message), strict=True)
        ]
        return matmul(jnp.concatenate(parts), self.mixing)

    def log_prob(self, message: jax.Array) -> jax.Array:
        """Log mass () in nats of one message: the sum over blocks."""
        total = jnp.zeros((), jnp.float32)
        for group, digits in zip(self.groups, self._split(message), strict=True):
            log_probs = jax.vmap(lambda block, part: block.log_prob(part))(group, digits)
            total = total + jnp.sum(log_probs)
        return total

    def messages(self) -> jax.Array:
        """All (count, message_dim) messages int8, last block fastest; ValueError past 2**20."""
        check_listing(self.count)
        return self._combine([block.messages() for block in self.blocks])

    def codebook(self) -> tuple[jax.Array, jax.Array]:
        """Vectors (count, dim) and log masses (count,) in nats, in the order of `messages`."""
        check_listing(self.count)
        books = [block.codebook() for block in self.blocks]
        vectors = matmul(self._combine([vectors for vectors, _ in books]), self.mixing)
        columns = self._combine([log_probs[:, None] for _, log_probs in books])
        return vectors, jnp.sum(columns, axis=1)

    def information(self, noise_std: float) -> float:
        """Exact I(X; X + noise_std * N) in bits, N standard normal: the sum over blocks.

        By quadrature in float64, once for each distinct block; good to about 1e-9 bits a block
        (see `quadrature.information_by_quadrature`).

        Raises:
          ValueError: `noise_std` not positive, a block of more than two dimensions, or one of too
            many messages.
        """
        wide = [group.dim for group in self.groups if group.dim > 2]
        if wide:
            raise ValueError(f"Expected blocks of at most 2 dimensions for exact information; got one of {wide[0]}.")
        shapes: dict[tuple[bytes, bytes], tuple[np.ndarray, np.ndarray]] = {}
        uses: Counter[tuple[bytes, bytes]] = Counter()
        for group in self.groups:
            stacked = jax.jit(jax.vmap(lambda block: block.codebook()))(group)
            for book in zip(*(np.asarray(part) for part in stacked), strict=True):
                key = (book[0].tobytes(), book[1].tobytes())
                shapes[key] = book
                uses[key] += 1
        return math.fsum(times * information_by_quadrature(*shapes[key], noise_std) for key, times in uses.items())

    def _split(self, message: jax.Array) -> list[jax.Array]:
        """Digits of one message by group, (copies, block.message_dim) each."""
        parts, start = [], 0
        for group, copies in zip(self.groups, self.copies, strict=True):
            stop = start + copies * group.message_dim
            parts.append(message[start:stop].reshape(copies, group.message_dim))
            start = stop
        return parts

    def _combine(self, tables: list[jax.Array]) -> jax.Array:
        """Rows of the blocks' tables (M_b, d_b) side by side in all combinations."""
        index = jnp.arange(self.count, dtype=jnp.int32)
        positions = jnp.unravel_index(index, tuple(len(table) for table in tables))
        rows = [table[position] for table, position in zip(tables, positions, strict=True)]
        return jnp.concatenate(rows, axis=1)


def _structure(source: Source) -> tuple[object, tuple[object, ...]]:
    """What two sources must share to be stacked: configuration, shapes and types of the leaves."""
    leaves, tree = jax.tree.flatten(source)
    return tree, tuple((leaf.shape, leaf.dtype.name) for leaf in leaves)
