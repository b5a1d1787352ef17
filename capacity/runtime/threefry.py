"""Random bits of JAX's keys, in NumPy: the same bits, without a compiler.

A key is two words of 32 bits, here one of 64 that holds both; random bits are words of a block cipher of a count
(Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").  Arrays of keys are arrays of such words, which
slice, stack and broadcast as other numbers do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import jax
import numpy as np
from jaxtyping import Int64, UInt8, UInt16, UInt32, UInt64

Halves: TypeAlias = UInt32[np.ndarray, "..."]
Keys: TypeAlias = UInt64[np.ndarray, "..."]
Bits: TypeAlias = UInt8[np.ndarray, "..."] | UInt16[np.ndarray, "..."] | Halves | Keys
ROTATIONS = (13, 15, 26, 6), (17, 29, 16, 24)
PARITY = np.uint32(0x1BD11BDA)
OURS = "threefry2x32"


def is_ours(key: jax.Array) -> bool:
    """Whether the bits of a key are those computed here."""
    partitionable: bool = jax.config.jax_threefry_partitionable  # type: ignore[attr-defined]
    return partitionable and str(jax.random.key_impl(key)) == OURS


def words_of(key: jax.Array) -> Keys:
    """Keys (...) as words of 64 bits (...)."""
    data = np.ascontiguousarray(jax.random.key_data(key))
    return np.asarray(data.view(np.uint64)[..., 0])


def as_keys(words: Keys) -> jax.Array:
    """The inverse of `words_of`."""
    keys: jax.Array = jax.random.wrap_key_data(jax.device_put(_halves(words)), impl=OURS)
    return keys


def random_bits(parameters: dict[str, Any], keys: Keys) -> Bits:
    """Bits (..., *shape) of keys (...), of the width and shape asked for."""
    high, low = _counted(keys, parameters["shape"])
    width = parameters["bit_width"]
    if width == 64:
        return np.asarray((high.astype(np.uint64) << np.uint64(32)) | low)
    return np.asarray((high ^ low).astype(f"uint{width}"))


def split(parameters: dict[str, Any], keys: Keys) -> Keys:
    """Keys (..., *shape) of keys (...)."""
    return _keys(*_counted(keys, parameters["shape"]))


def fold_in(parameters: dict[str, Any], keys: Keys, number: Halves) -> Keys:
    """Keys of keys and a number each."""
    zero = np.zeros_like(number)
    return _keys(*_enciphered(keys, zero, number))


def key_of(seed: int) -> jax.Array:
    """`jax.random.key(seed)` of a seed below 2^32, without a program that JAX compiles for it."""
    default: str = jax.config.jax_default_prng_impl  # type: ignore[attr-defined]
    return as_keys(np.asarray(seed << 32, np.uint64)) if default == OURS else jax.random.key(seed)


def parts_of(key: jax.Array, count: int) -> tuple[jax.Array, ...]:
    """Those of `jax.random.split(key, count)`, for which JAX compiles a program for every count.

    Args:
        key: one key; traced ones, and those of other generators, go to JAX.
        count: how many.
    """
    if isinstance(key, jax.core.Tracer) or not is_ours(key):
        return tuple(jax.random.split(key, count))
    return tuple(as_keys(words) for words in split({"shape": (count,)}, words_of(key)))


def order_of(key: jax.Array, count: int) -> Int64[np.ndarray, " count"]:
    """That of `jax.random.permutation(key, count)`: sorted by random words, as often as makes equal ones harmless."""
    order = np.arange(count)
    if not is_ours(key):
        return np.asarray(jax.random.permutation(key, count), np.int64)
    words = words_of(key)
    for _ in range(int(np.ceil(3 * np.log(max(1, count)) / np.log(2**32 - 1)))):
        words, own = split({"shape": (2,)}, words)
        order = order[np.argsort(random_bits({"shape": (count,), "bit_width": 32}, own), kind="stable")]
    return order


def _counted(keys: Keys, shape: Sequence[int]) -> tuple[Halves, Halves]:
    count = np.arange(int(np.prod(shape, dtype=int)), dtype=np.uint64).reshape(shape)
    keys = np.asarray(keys)[(..., *[None] * len(shape))]
    return _enciphered(keys, (count >> np.uint64(32)).astype(np.uint32), count.astype(np.uint32))


def _enciphered(keys: Keys, high: Halves, low: Halves) -> tuple[Halves, Halves]:
    """Threefry of two words, in twenty rounds."""
    halves = _halves(keys)
    first, second = halves[..., 0], halves[..., 1]
    schedule = (first, second, first ^ second ^ PARITY)
    left, right = high + first, low + second
    for i in range(5):
        for turn in ROTATIONS[i % 2]:
            left = left + right
            right = left ^ ((right << np.uint32(turn)) | (right >> np.uint32(32 - turn)))
        left = left + schedule[(i + 1) % 3]
        right = right + schedule[(i + 2) % 3] + np.uint32(i + 1)
    return left, right


def _halves(keys: Keys) -> Halves:
    return np.ascontiguousarray(keys).reshape(*np.shape(keys), 1).view(np.uint32)


def _keys(first: Halves, second: Halves) -> Keys:
    return np.asarray(np.ascontiguousarray(np.stack([first, second], -1)).view(np.uint64)[..., 0])
