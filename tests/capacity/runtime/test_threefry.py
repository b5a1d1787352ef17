"""Keys in NumPy are those of JAX."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from capacity.runtime.threefry import key_of, order_of, parts_of


@pytest.mark.parametrize("seed", [0, 7, 2**32 - 1])
def test_keys_parts_and_orders_are_those_of_jax(seed: int) -> None:
    key = jax.random.key(seed)
    assert key_of(seed) == key
    for count in (1, 2, 5):
        assert list(parts_of(key, count)) == list(jax.random.split(key, count))
    for count in (1, 9, 3000):
        assert np.array_equal(order_of(key, count), jax.random.permutation(key, count))


def test_other_keys_go_to_jax() -> None:
    other = jax.random.key(3, impl="rbg")
    assert list(parts_of(other, 2)) == list(jax.random.split(other, 2))
    assert np.array_equal(order_of(other, 50), jax.random.permutation(other, 50))
    traced = jax.jit(lambda key: jax.random.key_data(parts_of(key, 2)[1]))(jax.random.key(3))
    assert np.array_equal(traced, jax.random.key_data(jax.random.split(jax.random.key(3))[1]))
