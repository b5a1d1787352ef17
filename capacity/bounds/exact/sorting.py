"""Sorting of floating-point numbers as unsigned integers, which XLA sorts several times as fast on a CPU.

The bits of positive IEEE 754 numbers, read as integers, are in the order of the numbers; those of negative ones in the
reverse order (Knuth 1998, volume 3, section 5.2.5 for sorting by digits, the lowest first).
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, UInt


def rising_order(values: Float[Array, " n"]) -> Int[Array, " n"]:
    """The row numbers by rising value, those of equal value as they come: `jnp.argsort`, from a third of its time.

    By digits, the lowest first: each sort is of one integer a row, the digit above the place that the row has so far.
    """
    bits = _ordered_bits(values)
    width, place = 8 * bits.dtype.itemsize, max(len(values) - 1, 1).bit_length()
    places = jnp.arange(len(values), dtype=bits.dtype)
    order, digit = places, width - place
    for low in range(0, width, digit):
        size = min(digit, width - low)
        digits = (bits[order] >> low) & ((1 << size) - 1)
        order = order[jax.lax.sort((digits << place) | places, is_stable=False) & ((1 << place) - 1)]
    return order.astype(int)


def quantiles_of_rows(
    values: Float[Array, "n columns"], shares: tuple[float, ...]
) -> tuple[Float[Array, " columns"], ...]:
    """Quantiles of each column, linear between two rows: `jnp.quantile`, from a quarter of its time.

    Args:
        values: rows, none NaN.
        shares: between 0 and 1.
    """
    ordered = _numbers(jax.lax.sort(_ordered_bits(values), dimension=0, is_stable=False), values.dtype)
    last = len(values) - 1

    def quantile(share: float) -> jax.Array:
        below = int(share * last)
        low, high = ordered[below], ordered[min(below + 1, last)]
        return low + (share * last - below) * (high - low)

    return tuple(quantile(share) for share in shares)


def _ordered_bits(values: Float[Array, "*shape"]) -> UInt[Array, "*shape"]:
    """Unsigned integers in the order of the numbers."""
    values = jnp.where(values == 0, 0.0, values)  # -0 has other bits
    bits = jax.lax.bitcast_convert_type(values, jnp.dtype(f"uint{8 * values.dtype.itemsize}"))
    sign = _sign_bit(bits.dtype)
    return jnp.where(bits & sign > 0, ~bits, bits | sign)


def _numbers(ordered: UInt[Array, "*shape"], dtype: jnp.dtype) -> Float[Array, "*shape"]:
    """The numbers behind `_ordered_bits`."""
    sign = _sign_bit(ordered.dtype)
    return jax.lax.bitcast_convert_type(jnp.where(ordered & sign > 0, ordered ^ sign, ~ordered), dtype)


def _sign_bit(dtype: jnp.dtype) -> UInt[Array, ""]:
    return jnp.asarray(1 << (8 * dtype.itemsize - 1), dtype)
