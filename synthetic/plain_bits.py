"""Fair bits sent as they are, one entry of the vector each: a sequence that local networks can read.

H = k; a rotation mixes every bit into every entry (`FairBits`), and k^2 numbers of it are kept.
"""

from dataclasses import dataclass
from typing import ClassVar, Self

import jax
import jax.numpy as jnp

from synthetic.binary import BinarySource
from synthetic.pytrees import register
from synthetic.sizes import check_linear


@register("digits", "length")
@dataclass(frozen=True, eq=False)
class PlainBits(BinarySource):
    """k independent fair bits as ±1 amplitudes, in order; entries past them are 0.

    Args:
      digits: k.
      length: of a vector, at least k.

    Raises:
      ValueError: unless 1 <= digits <= length.
    """

    name: ClassVar[str] = "sequence"
    summary: ClassVar[str] = "independent fair bits as +-1 amplitudes, one entry each, in order"

    digits: int
    length: int

    def __post_init__(self) -> None:
        """Check the fields."""
        check_linear(self.digits, self.length)

    @property
    def message_dim(self) -> int:
        """Number of binary digits k."""
        return self.digits

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self.length

    def embed(self, message: jax.Array) -> jax.Array:
        """Vector (dim,) of one message (k,), or (n, dim) of messages (n, k)."""
        signs = 2.0 * message.astype(jnp.float32) - 1.0
        return jnp.pad(signs, [(0, 0)] * (message.ndim - 1) + [(0, self.length - self.digits)])

    def shortened(self, digits: int) -> Self:
        """The same with fewer bits: what a network that shares weights along the sequence may be trained on.

        Args:
          digits: how many bits.

        Raises:
          ValueError: for more bits than there are, or entries past them.
        """
        if self.length != self.digits or not 1 <= digits <= self.digits:
            raise ValueError(f"Expected 1 to {self.digits} bits of a vector without padding; got {digits}.")
        return type(self)(digits, digits)

    @classmethod
    def build(cls, key: jax.Array, bits: int, dim: int) -> Self:
        """`bits` fair bits in `dim` entries, whatever the key; ValueError unless 1 <= bits <= dim."""
        return cls(bits, dim)
