"""Sorting of floating-point numbers as unsigned integers, which XLA sorts several times as fast on a CPU.

The bits of positive IEEE 754 numbers, read as integers, are in the order of the numbers; those of negative ones in the
reverse order.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, UInt


def nearly_rising_order(values: Float[Array, " n"]) -> Int[Array, " n"]:
    """The row numbers by rising value, those of nearly equal value as they come; from a fourth of `jnp.argsort`'s time.

    One sort, of an integer a row: the leading digits of what its value is above the least, and the row's number.  Of
    2^16 values in single precision 16 digits are left: two whose relative difference is more than 1e-3 are in order,
    if all are of one sign and less than 2^64 times the least; more than 1e-2, whatever the others are.
    """
    bits = _ordered_bits(values)
    place = max(len(values) - 1, 1).bit_length()
    above = bits - bits.min()
    lost = jnp.maximum(place - jax.lax.clz(above.max()).astype(int), 0).astype(bits.dtype)
    rows = jnp.arange(len(values), dtype=bits.dtype)
    ordered = jax.lax.sort(((above >> lost) << place) | rows, is_stable=False)
    return (ordered & ((1 << place) - 1)).astype(int)


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
