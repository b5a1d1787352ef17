"""The size of the minibatch as a noise: the mean gradient of B of n examples, drawn without replacement.

Its variance is Sigma/B (n - B)/(n - 1), Sigma being the covariance of one example's gradient: B = n has none.

Source: Cochran (1977), theorem 2.2 (the variance of a mean from a finite population).
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import PyTree

from capacity.runtime.keys import Seed, as_key


class Minibatch(NamedTuple):
    """Which examples, (most,) int32, and their weights, (most,) float32, of sum 1: 1/B on the first B, else 0."""

    rows: jax.Array
    weight: jax.Array


class MinibatchState(NamedTuple):
    """The key of the next step."""

    key: jax.Array


def minibatch(key: Seed, count: int, size: int | jax.Array, most: int) -> Minibatch:
    """`size` of `count` examples without replacement, in `most` places: lanes of different sizes share one program.

    Args:
        key: decides which.
        count: n, how many there are.
        size: B, from 1 to `most`; may be traced.
        most: how many places, at most n.

    Raises:
        ValueError: for a size out of range, where it is a plain number.
    """
    key = as_key(key)
    if not 1 <= most <= count:
        raise ValueError(f"Expected from 1 to {count} places for a minibatch; got {most}.")
    if not isinstance(size, jax.Array) and not 1 <= size <= most:
        raise ValueError(f"Expected a minibatch of 1 to {most} examples; got {size}.")
    rows = jax.random.permutation(key, count)[:most]
    size = jnp.asarray(size, jnp.int32)
    return Minibatch(rows, (jnp.arange(most, dtype=jnp.int32) < size).astype(jnp.float32) / size.astype(jnp.float32))


def average_minibatch(size: int | jax.Array, key: jax.Array) -> optax.GradientTransformation:
    """Average a random minibatch of per-example gradients, the first link of a chain.

    As with `optax.contrib.differentially_private_aggregate`, updates come with a leading axis of all n examples.

    Args:
        size: B, from 1 to n; may be traced.
        key: decides which examples; may be traced.
    """

    def init(params: PyTree) -> MinibatchState:
        return MinibatchState(key)

    def update(updates: PyTree, state: MinibatchState, params: PyTree = None) -> tuple[PyTree, MinibatchState]:
        now, later = jax.random.split(state.key)
        count = jax.tree.leaves(updates)[0].shape[0]
        drawn = minibatch(now, count, size, count)
        weight = jnp.zeros(count).at[drawn.rows].set(drawn.weight)
        mean = jax.tree.map(lambda leaf: jnp.tensordot(weight.astype(leaf.dtype), leaf, 1), updates)
        return mean, MinibatchState(later)

    return optax.GradientTransformation(init, update)
