"""Blocks of digits that act together: found where they are known, and a partition of the digits everywhere."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity.bounds.posterior import blocks
from capacity.bounds.posterior.blocks import find_blocks
from synthetic import Codebook, FairBits, LinearCode

Code = Callable[[jax.Array], jax.Array]


def bits(count: int) -> FairBits:
    return FairBits(jnp.eye(count))


def groups(places: np.ndarray, count: int) -> set[frozenset[int]]:
    """The blocks as sets of digits, once they are known to hold every digit exactly once."""
    found = [frozenset(int(i) for i in row if i < count) for row in places]
    assert sorted(i for block in found for i in block) == list(range(count))
    assert (places <= count).all() and places.dtype == np.int32
    return set(found)


def normal(seed: int, *shape: int) -> jax.Array:
    return jax.random.normal(jax.random.key(seed), shape)


def test_digits_of_a_separable_code_fill_blocks_that_mix_fast() -> None:
    source = bits(10)
    found = groups(find_blocks(jax.random.key(0), source, source.embed), 10)
    assert sorted(map(len, found)) == [2, 4, 4]


@pytest.mark.parametrize("size", [3, 5])
def test_nonlinear_blocks_under_a_rotation_are_found(size: int) -> None:
    count = 4
    weights = normal(1, count, 6, size)
    rotation = jnp.linalg.qr(normal(2, count * 6, count * 6))[0]
    order = np.random.default_rng(3).permutation(count * size)

    def code(m: jax.Array) -> jax.Array:
        parts = (2 * m - 1)[order].reshape(count, size)
        return rotation @ jnp.tanh(jnp.einsum("bui,bi->bu", weights, parts)).reshape(-1)

    found = groups(find_blocks(jax.random.key(0), bits(count * size), code), count * size)
    assert found == {frozenset(map(int, part)) for part in order.reshape(count, size)}


def test_digits_along_one_direction_share_a_block() -> None:
    """A linear code has no interactions; what decides is the overlap of the effects."""
    matrix = jnp.asarray(np.linalg.qr(np.asarray(normal(4, 12, 12)))[0])
    matrix = matrix.at[:, 7].set(0.9 * matrix[:, 0] + 0.1 * matrix[:, 7])
    found = groups(find_blocks(jax.random.key(0), bits(12), lambda m: matrix @ (2 * m - 1)), 12)
    assert any({0, 7} <= block for block in found)


@pytest.mark.parametrize("most", [4, 6, 8])
def test_a_dense_code_is_cut_to_blocks_of_the_size_allowed(most: int) -> None:
    first, second = normal(5, 32, 14), normal(6, 5, 32)
    places = find_blocks(jax.random.key(0), bits(14), lambda m: second @ jnp.tanh(first @ (2 * m - 1)), most)
    groups(places, 14)
    assert places.shape[1] <= most


def test_parities_have_no_gradient_and_are_found_by_differences() -> None:
    """Check digit j is m_j + m_{j+3}: the pairs interact, and nothing else does."""
    checks = jnp.concatenate([jnp.eye(3, dtype=jnp.int8)] * 2)
    generator = jnp.concatenate([jnp.eye(6, dtype=jnp.int8), checks], axis=1)
    source = LinearCode(generator, jnp.eye(9))
    found = groups(find_blocks(jax.random.key(0), source, source.embed, 2), 6)
    assert found == {frozenset(pair) for pair in ((0, 3), (1, 4), (2, 5))}


def test_a_codebook_without_structure_is_one_block() -> None:
    source = Codebook.build(jax.random.key(7), 6, 8)
    assert groups(find_blocks(jax.random.key(0), source, source.embed), 6) == {frozenset(range(6))}


def test_too_many_digits_without_gradient_still_make_a_partition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "MAX_DIFFERENCED", 5)
    source = Codebook.build(jax.random.key(7), 6, 8)
    places = find_blocks(jax.random.key(0), source, source.embed)
    groups(places, 6)
    assert places.shape[1] <= blocks.MAX_BLOCK_BITS


def test_a_digit_that_does_nothing_has_its_place() -> None:
    def code(m: jax.Array) -> jax.Array:
        return 2 * m[:5] - 1

    groups(find_blocks(jax.random.key(0), bits(6), code), 6)


def test_the_same_key_finds_the_same_blocks() -> None:
    matrix = normal(8, 6, 9)
    first, again = (find_blocks(jax.random.key(1), bits(9), lambda m: jnp.tanh(matrix @ m)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
