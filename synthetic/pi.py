"""Windows into the digits of pi: a source that looks like many bits and is a few.

A message is a position k among N, its vector the `dim` decimals d_k, ..., d_{k+dim-1} of pi: they pass for random,
log2 10 = 3.32 bits each (no test has told them from random; that pi is normal is not proven), yet H = log2 N bits,
all of them in the position.  Source: Bailey, Borwein & Plouffe (1997); digits by Chudnovsky's series in mpmath.
"""

import bz2
import functools
import lzma
import math
import zlib
from dataclasses import dataclass
from typing import ClassVar, Self

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
from numpy.typing import ArrayLike

from synthetic.algebra import binary_digits, digits_needed, from_digits
from synthetic.source import MAX_LISTED, Batch, check_listing, check_size, register

_MEAN, _STD = 4.5, math.sqrt(8.25)  # of a digit, all ten equally likely
_GUARD = 10  # digits computed past the last one asked, so that rounding does not reach it
_ENOUGH = 24  # windows of the first 2**20 digits differ within so many


@functools.cache
def _decimals(count: int) -> np.ndarray:
    with mpmath.workdps(count + _GUARD):
        text = mpmath.nstr(mpmath.pi, count + _GUARD, strip_zeros=False)
    return np.frombuffer(text[2 : 2 + count].encode(), np.uint8) - ord("0")


def pi_digits(count: int) -> np.ndarray:
    """The first `count` decimals of pi after the point, (count,) uint8: 1, 4, 1, 5, 9 ...

    Seconds for 250,000, about a minute for a million; kept for the next call.

    Raises:
      ValueError: `count` not a whole number of at least 1, or past 2**21.
    """
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= 2 * MAX_LISTED:
        raise ValueError(f"Expected a count of digits from 1 to 2**21 = {2 * MAX_LISTED}; got {count!r}.")
    # Rounded up, so that sources of nearly one size share the work.
    return _decimals(max(4096, 2 ** (count - 1).bit_length() if count < 2**17 else count))[:count]


def compressed_bits(digits: ArrayLike) -> dict[str, float]:
    """Bits per digit that general compressors need for a text of decimal digits, by their name.

    zlib (LZ77 and Huffman), bz2 (Burrows-Wheeler) and lzma (LZ77 and range coding), each at its best setting; the
    text is one byte a digit.

    Raises:
      ValueError: not a vector of digits 0 to 9.
    """
    values = np.asarray(digits)
    if values.ndim != 1 or values.size == 0 or not np.isin(values, np.arange(10)).all():
        raise ValueError(f"Expected a vector of digits 0 to 9; got shape {values.shape}.")
    text = (values.astype(np.uint8) + ord("0")).tobytes()
    packed = {
        "zlib": zlib.compress(text, 9),
        "bz2": bz2.compress(text, 9),
        "lzma": lzma.compress(text, preset=9 | lzma.PRESET_EXTREME),
    }
    return {name: 8.0 * len(data) / len(text) for name, data in packed.items()}


@register("dim")
@dataclass(frozen=True, eq=False)
class PiDigits:
    """N overlapping windows of `dim` decimals of pi, equally likely; digits scaled to mean 0 and mean square 1.

    Args:
      digits: (N + dim - 1,) consecutive digits 0 to 9; window k starts at the k-th.
      dim: digits of a window.

    Raises:
      ValueError: other values, fewer digits than a window, or two windows that agree.
    """

    name: ClassVar[str] = "digits"
    summary: ClassVar[str] = "windows of the digits of pi: they look random, and only their position is"
    discrete: ClassVar[bool] = True

    digits: jax.Array
    dim: int

    def __post_init__(self) -> None:
        """Check the fields, and keep them as arrays or plain values."""
        digits = np.asarray(self.digits)
        if digits.ndim != 1 or not np.isin(digits, np.arange(10)).all():
            raise ValueError(f"Expected digits from 0 to 9 in a vector; got shape {digits.shape}.")
        if not 1 <= self.dim <= digits.size:
            raise ValueError(f"Expected dim from 1 to the {digits.size} digits; got {self.dim}.")
        _check_distinct(digits.astype(np.uint8), self.dim)
        object.__setattr__(self, "digits", jnp.asarray(digits, jnp.int8))

    @classmethod
    def build(cls, key: jax.Array, bits: int, dim: int) -> Self:
        """The first 2**bits windows of `dim` digits; nothing random in it.

        Raises:
          ValueError: bits past 20, or dim so short that two windows agree.
        """
        del key
        check_size(bits, dim)
        check_listing(2**bits)
        return cls(jnp.asarray(pi_digits(2**bits + dim - 1)), dim)

    @property
    def count(self) -> int:
        """Number of windows N."""
        return self.digits.shape[-1] - self.dim + 1

    @property
    def bits(self) -> float:
        """Entropy in bits: log2 N, whatever the digits look like."""
        return math.log2(self.count)

    @property
    def apparent_bits(self) -> float:
        """Bits that a window seems to hold to whoever does not know pi: dim log2 10."""
        return self.dim * math.log2(10.0)

    @property
    def message_dim(self) -> int:
        """Binary digits of a position."""
        return digits_needed(self.count)

    @property
    def listable(self) -> bool:
        """Whether there are at most 2**20 windows."""
        return self.count <= MAX_LISTED

    def sample(self, key: jax.Array, n: int) -> Batch:
        """Draw n: messages (n, message_dim) int8, vectors (n, dim) float32."""
        position = jax.random.randint(key, (n,), 0, self.count, jnp.int32)
        return Batch(binary_digits(position, self.message_dim), jax.vmap(self._window)(position))

    def embed(self, message: jax.Array) -> jax.Array:
        """Vector (dim,) of one message; past the last window it is the last one's."""
        return self._window(jnp.minimum(from_digits(message), self.count - 1))

    def log_prob(self, message: jax.Array) -> jax.Array:
        """Log mass () in nats of one message: -ln N, or -inf past the last window."""
        return jnp.where(from_digits(message) < self.count, -math.log(self.count), -jnp.inf).astype(jnp.float32)

    def messages(self) -> jax.Array:
        """All (N, message_dim) positions int8; ValueError past 2**20."""
        check_listing(self.count)
        return binary_digits(jnp.arange(self.count, dtype=jnp.int32), self.message_dim)

    def codebook(self) -> tuple[jax.Array, jax.Array]:
        """Vectors (N, dim) and log masses (N,) in nats, in the order of `messages`."""
        check_listing(self.count)
        vectors = jax.vmap(self._window)(jnp.arange(self.count, dtype=jnp.int32))
        return vectors, jnp.full(self.count, -math.log(self.count), jnp.float32)

    def _window(self, position: jax.Array) -> jax.Array:
        window = jax.lax.dynamic_slice(self.digits, (position,), (self.dim,))
        return (window.astype(jnp.float32) - _MEAN) / _STD


def _check_distinct(digits: np.ndarray, dim: int) -> None:
    """Raise ValueError where two windows agree; most differ within a few digits, and then so do longer ones."""
    count = digits.size - dim + 1
    for length in sorted({min(dim, _ENOUGH), dim}):
        windows = np.lib.stride_tricks.sliding_window_view(digits, length)[:count]
        distinct = len(np.unique(np.ascontiguousarray(windows).view(f"V{length}").ravel()))
        if distinct == count:
            return
    raise ValueError(
        f"Expected windows that all differ, of a larger dim than {dim}; got {count - distinct} of {count} that repeat "
        "earlier ones."
    )
