"""Lanes of a sweep: programs that do not depend on how many threads there are."""

from __future__ import annotations

import re
from typing import Any

import jax
import jax.numpy as jnp

from capacity.runtime.devices import cores
from capacity.training import sweep


def lane(scale: jax.Array, x: jax.Array) -> jax.Array:
    return jnp.tanh(x * scale) * jnp.exp(x)


def splits(lowered: Any) -> list[str]:
    """The loops that XLA splits among threads, and into how many."""
    return re.findall(r'outer_dimension_partitions":\[[^]]+\]', lowered.compile().as_text())


def test_no_loop_is_split_among_threads() -> None:
    x = jnp.ones((256, 256))
    assert not splits(sweep(lane).lower(jnp.ones(jax.local_device_count()), x))
    if jax.default_backend() == "cpu" and cores() > 1:  # or the reading of the program's text shows nothing
        assert splits(jax.jit(lane).lower(jnp.float32(1), x))
