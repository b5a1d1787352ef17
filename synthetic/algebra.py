"""Binary digits and orthonormal maps, shared by the sources.

A message sent as ±1 amplitudes a and rotated to x = a R, with R R^T = 1, keeps every distance:
Gaussian noise of equal variance does not see the rotation.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike


@functools.partial(jax.jit, static_argnums=1)
def binary_digits(index: jax.Array, width: int) -> jax.Array:
    """Digits (n, width) int8 of whole numbers (n,) int32, most significant first."""
    shifts = jnp.arange(width - 1, -1, -1, dtype=jnp.int32)
    return ((index[:, None] >> shifts[None, :]) & 1).astype(jnp.int8)


@functools.partial(jax.jit, static_argnums=(1, 2))
def fair_digits(key: jax.Array, n: int, width: int) -> jax.Array:
    """Independent fair binary digits (n, width) int8, 32 from each random word."""
    words = jax.random.bits(key, (n, -(-width // 32), 1), jnp.uint32)
    digits = (words >> jnp.arange(32, dtype=jnp.uint32)[None, None, :]) & 1
    return digits.reshape(n, -1)[:, :width].astype(jnp.int8)


@jax.jit
def from_digits(message: jax.Array) -> jax.Array:
    """Whole number () int32 of one message (width,) of binary digits; width of at most 31."""
    shifts = jnp.arange(message.shape[0] - 1, -1, -1, dtype=jnp.int32)
    return jnp.sum(message.astype(jnp.int32) << shifts, dtype=jnp.int32)


def digits_needed(count: int) -> int:
    """Binary digits that number `count` messages: ceil(log2 count), at least one."""
    return max(1, (count - 1).bit_length())


@jax.jit
def amplitudes(digits: jax.Array) -> jax.Array:
    """Binary digits 0, 1 as amplitudes -1, +1, float32."""
    return 2.0 * digits.astype(jnp.float32) - 1.0


def matmul(vector: jax.Array, matrix: jax.Array) -> jax.Array:
    """Product vector @ matrix in full float32: the default on a GPU keeps about three digits."""
    return jnp.matmul(vector, matrix, precision=jax.lax.Precision.HIGHEST)


@jax.jit
def sent(digits: jax.Array, rotation: jax.Array) -> jax.Array:
    """Vectors (..., dim) of binary digits (..., k): amplitudes times `rotation`."""
    return matmul(amplitudes(digits), rotation)


def orthonormal(key: jax.Array, rows: int, dim: int) -> jax.Array:
    """Matrix (rows, dim) float32 with orthonormal rows, rows <= dim, uniformly distributed.

    Source: Mezzadri (2007), "How to generate random matrices from the classical compact groups":
    QR of a Gaussian matrix, with the signs of R's diagonal taken out; in float64, since its error
    would be the error of every distance.
    """
    # Drawn by NumPy from the key's own words: JAX would compile anew for every shape.
    words = np.asarray(jax.random.key_data(key)).ravel()
    q, r = np.linalg.qr(np.random.default_rng(words).normal(size=(dim, rows)))
    return jnp.asarray((q * np.where(np.diagonal(r) < 0, -1.0, 1.0)).T, jnp.float32)


def checked_orthonormal(matrix: ArrayLike, name: str) -> jax.Array:
    """The matrix as float32, once it is known to have orthonormal rows (within 1e-4).

    Raises:
      ValueError: not a finite two-dimensional array, or rows not orthonormal.
    """
    rows = np.asarray(matrix, np.float64)
    if rows.ndim != 2 or 0 in rows.shape:
        raise ValueError(f"Expected {name} of shape (rows, dim); got shape {rows.shape}.")
    if rows.shape[0] > rows.shape[1]:
        raise ValueError(f"Expected {name} with at most as many rows as columns; got {rows.shape}.")
    error = float(np.abs(rows @ rows.T - np.eye(rows.shape[0])).max())
    if not error < 1e-4:
        raise ValueError(f"Expected {name} with orthonormal rows; got them off by {error:.2g}.")
    return jnp.asarray(rows, jnp.float32)


def coin_entropy(probability: float) -> float:
    """Entropy in bits of a coin, h(p) = -p log2 p - (1-p) log2(1-p)."""
    p = np.array([probability, 1.0 - probability])
    p = p[p > 0]
    return float(-(p * np.log2(p)).sum())


def binary_rank(matrix: ArrayLike) -> int:
    """Rank over GF(2) of a matrix of digits 0, 1, by Gaussian elimination."""
    rows = np.array(matrix, dtype=bool)
    rank = 0
    for column in range(rows.shape[1]):
        pivots = np.flatnonzero(rows[rank:, column])
        if pivots.size == 0:
            continue
        pivot = rank + int(pivots[0])
        rows[[rank, pivot]] = rows[[pivot, rank]]
        others = rows[:, column].copy()
        others[rank] = False
        rows[others] ^= rows[rank]
        rank += 1
        if rank == rows.shape[0]:
            break
    return rank
