"""A linear block code: message bits spread over more code bits than they need.

c = m G mod 2 with G = [1 | A] a (k, n) binary matrix of full rank, sent as ±1 and rotated. H = k:
full rank makes the map one to one. Source: MacWilliams & Sloane (1977), chapter 1.
"""

from dataclasses import dataclass
from typing import ClassVar, Self

import jax
import jax.numpy as jnp
import numpy as np

from synthetic.algebra import amplitudes, binary_rank, checked_orthonormal, matmul, orthonormal
from synthetic.binary import BinarySource
from synthetic.pytrees import register
from synthetic.sizes import check_coded


@register()
@dataclass(frozen=True, eq=False)
class LinearCode(BinarySource):
    """k fair bits spread over n code bits by a binary generator, sent as ±1, rotated to `dim`.

    No single amplitude belongs to a message bit, unlike `FairBits`: parts of the message can only
    be read from several entries together. The mean square of a vector's entry is n / dim.

    Args:
      generator: (k, n) of digits 0, 1, of rank k over GF(2).
      rotation: (n, dim) with orthonormal rows.

    Raises:
      ValueError: digits other than 0 and 1, shapes that do not match, or a rank below k.
    """

    name: ClassVar[str] = "code"
    summary: ClassVar[str] = "fair bits spread over more bits by a binary linear code, rotated"

    generator: jax.Array
    rotation: jax.Array

    def __post_init__(self) -> None:
        """Check the fields, and keep them as float32 arrays or plain values."""
        generator = np.asarray(self.generator)
        rotation = checked_orthonormal(self.rotation, "rotation")
        if generator.ndim != 2 or 0 in generator.shape:
            raise ValueError(f"Expected generator of shape (k, n); got shape {generator.shape}.")
        if not np.isin(generator, (0, 1)).all():
            raise ValueError("Expected generator of digits 0 and 1; got other values.")
        if generator.shape[1] != rotation.shape[0]:
            raise ValueError(
                f"Expected rotation with one row for each of the {generator.shape[1]} code bits; "
                f"got {rotation.shape[0]}."
            )
        rank = binary_rank(generator)
        if rank < generator.shape[0]:
            raise ValueError(
                f"Expected generator of rank {generator.shape[0]} over GF(2), so that no two "
                f"messages share a codeword; got rank {rank}."
            )
        object.__setattr__(self, "generator", jnp.asarray(generator, jnp.int8))
        object.__setattr__(self, "rotation", rotation)

    @classmethod
    def build(cls, key: jax.Array, bits: int, dim: int) -> Self:
        """A random systematic code of rate one half, or of `dim` code bits where dim < 2 bits.

        Raises:
          ValueError: dim <= bits, which leaves no room for a check digit.
        """
        check_coded(bits, dim)
        length = min(dim, 2 * bits)
        check_key, rotation_key = jax.random.split(key)
        checks = jax.random.bernoulli(check_key, 0.5, (bits, length - bits)).astype(jnp.int8)
        generator = jnp.concatenate([jnp.eye(bits, dtype=jnp.int8), checks], axis=1)
        return cls(generator, orthonormal(rotation_key, length, dim))

    @property
    def message_dim(self) -> int:
        """Number of message digits."""
        return self.generator.shape[-2]

    def encode(self, message: jax.Array) -> jax.Array:
        """Codeword (n,) int8 of one message (k,): m G mod 2."""
        # float32 counts exactly to 2**24, and its products run on every device's matrix units.
        ones = matmul(message.astype(jnp.float32), self.generator.astype(jnp.float32))
        return (ones.astype(jnp.int32) & 1).astype(jnp.int8)

    def embed(self, message: jax.Array) -> jax.Array:
        """Vector (dim,) of one message (k,)."""
        return matmul(amplitudes(self.encode(message)), self.rotation)
