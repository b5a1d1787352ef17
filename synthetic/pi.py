"""Windows into the digits of pi: a source that looks like many bits and is a few.

A message is a position k among N, its vector the `dim` decimals d_k, ..., d_{k+dim-1} of pi: they pass for random,
log2 10 = 3.32 bits each (no test has told them from random; that pi is normal is not proven), yet H = log2 N bits,
all of them in the position.  Source: Bailey, Borwein & Plouffe (1997); digits by the series
of Chudnovsky & Chudnovsky (1988), its terms added by halves in the standard library's decimal arithmetic.
"""

import bz2
import decimal
import functools
import lzma
import math
import zlib
from dataclasses import dataclass
from typing import ClassVar, Self

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from synthetic.numbered import NumberedSource
from synthetic.pytrees import register
from synthetic.sizes import MAX_LISTED, check_windows

_MEAN, _STD = 4.5, math.sqrt(8.25)  # of a digit, all ten equally likely
_GUARD = 20  # digits computed past the last one asked, so that rounding does not reach it
_DIGITS_PER_TERM = 14  # of the series; a little more in truth
_DISTINCT_LENGTH = 24  # windows of the first 2**20 digits differ within so many digits


@functools.cache
def _decimals(count: int) -> np.ndarray:
    with decimal.localcontext() as context:
        context.prec, context.Emax, context.Emin = count + _GUARD, decimal.MAX_EMAX, decimal.MIN_EMIN
        _, bottom, top = _series(1, count // _DIGITS_PER_TERM + 3)
        # 1/pi = (13591409 q + top) / (q 426880 sqrt(10005)), q being the bottom.
        pi = bottom * 426880 * decimal.Decimal(10005).sqrt() / (13591409 * bottom + top)
        text = str(pi)
    return np.frombuffer(text[2 : 2 + count].encode(), np.uint8) - ord("0")


def _series(first: int, end: int) -> tuple[decimal.Decimal, decimal.Decimal, decimal.Decimal]:
    """Terms first to end - 1 of the series as (p, q, t): p and q their products, t/q their sum."""
    if end - first == 1:
        p = decimal.Decimal(-(6 * first - 5) * (2 * first - 1) * (6 * first - 1))
        return p, decimal.Decimal(10939058860032000 * first**3), p * (13591409 + 545140134 * first)
    middle = (first + end) // 2
    left, right = _series(first, middle), _series(middle, end)
    return left[0] * right[0], left[1] * right[1], left[2] * right[1] + left[0] * right[2]


def pi_digits(count: int) -> np.ndarray:
    """The first `count` decimals of pi after the point, (count,) uint8: 1, 4, 1, 5, 9 ...

    Two seconds for 250,000, eleven for a million; kept for the next call.

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
class PiDigits(NumberedSource):
    """N overlapping windows of `dim` decimals of pi, equally likely; digits scaled to mean 0 and mean square 1.

    Args:
      digits: (N + dim - 1,) consecutive digits 0 to 9; window k starts at the k-th.
      dim: digits of a window.

    Raises:
      ValueError: other values, fewer digits than a window, or two windows that agree.
    """

    name: ClassVar[str] = "digits"
    summary: ClassVar[str] = "windows of the digits of pi: they look random, and only their position is"

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
        check_windows(bits, dim)
        return cls(jnp.asarray(pi_digits(2**bits + dim - 1)), dim)

    @property
    def count(self) -> int:
        """Number of windows N."""
        return self.digits.shape[-1] - self.dim + 1

    @property
    def apparent_bits(self) -> float:
        """Bits that a window seems to hold to whoever does not know pi: dim log2 10."""
        return self.dim * math.log2(10.0)

    def vector(self, number: jax.Array) -> jax.Array:
        """Window (dim,) float32 that starts at the digit of this number ()."""
        window = jax.lax.dynamic_slice(self.digits, (number,), (self.dim,))
        return (window.astype(jnp.float32) - _MEAN) / _STD


def _check_distinct(digits: np.ndarray, dim: int) -> None:
    """Raise ValueError where two windows agree; most differ within a few digits, and then so do longer ones."""
    count = digits.size - dim + 1
    for length in sorted({min(dim, _DISTINCT_LENGTH), dim}):
        windows = np.lib.stride_tricks.sliding_window_view(digits, length)[:count]
        distinct = len(np.unique(np.ascontiguousarray(windows).view(f"V{length}").ravel()))
        if distinct == count:
            return
    raise ValueError(
        f"Expected windows that all differ, of a larger dim than {dim}; got {count - distinct} of {count} that repeat "
        "earlier ones."
    )
