"""Lanes of a sweep: programs that do not depend on how many threads there are."""

from __future__ import annotations

import re
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from capacity.runtime.cores import cores
from capacity.training import sweep


def lane(scale: jax.Array, x: jax.Array) -> jax.Array:
    return jnp.tanh(x * scale) * jnp.exp(x)


def splits(lowered: Any) -> list[str]:
    """The loops that XLA splits among threads, and into how many."""
    return re.findall(r'outer_dimension_partitions":\[[^]]+\]', lowered.compile().as_text())


def test_no_loop_is_split_among_threads() -> None:
    x = jnp.ones((256, 256))
    assert not splits(sweep(lane).batched.lower(jnp.ones(1), x))
    if jax.default_backend() == "cpu" and cores() > 1:  # or the reading of the program's text shows nothing
        assert splits(jax.jit(lane).lower(jnp.float32(1), x))


def columns(key: jax.Array, x: jax.Array) -> dict[str, jax.Array]:
    """Divisions by a column, sums and products: what XLA simplified in another order for several devices."""
    drawn = x / (1 + jax.random.uniform(key, (1, x.shape[1])))
    centred = jax.jit(lambda a: (a - a.mean(0, keepdims=True)) / jnp.sqrt(jnp.square(a).mean(0, keepdims=True)))(drawn)
    return {"gram": centred.T @ centred, "mean": jnp.exp(-centred / drawn.max(0, keepdims=True)).mean(0)}


@pytest.mark.parametrize("places", [2, 3, 6])
def test_many_places_give_the_bits_of_one(places: int) -> None:
    keys, x = jax.random.split(jax.random.key(3), 6), jax.random.normal(jax.random.key(4), (64, 5))
    one, many = (sweep(columns, count).lower(keys, x).compile()(keys, x) for count in (1, places))
    jax.tree.map(np.testing.assert_array_equal, one, many)
    assert one["gram"].shape == (6, 5, 5)


def test_lanes_that_do_not_fill_their_last_batch_are_refused() -> None:
    keys, x = jax.random.split(jax.random.key(3), 5), jnp.ones((4, 5))
    with pytest.raises(ValueError, match="multiple of 2 lanes; got 5"):
        sweep(columns, 1, 2).lower(keys, x).compile()(keys, x)
