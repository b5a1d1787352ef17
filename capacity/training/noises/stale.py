"""Stale gradients: step t applies the gradient of step t - tau, as a worker of asynchronous SGD hands it in.

theta_{t+1} = theta_t - eta g(theta_{t - tau}), from a ring buffer of the last gradients inside the optimiser's state.
On a quadratic of curvature a it is stable iff eta a < 2 sin(pi / (2 (2 tau + 1))) (`delay_limit`).

Source: Agarwal & Duchi (2011) for the delayed method; Zhang, Gupta, Lian & Liu (2016) for random staleness.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import PyTree


class StaleState(NamedTuple):
    """Steps done, the last gradients (stacked on a leading axis), the key of the next step."""

    steps: jax.Array
    buffer: PyTree
    key: jax.Array


def stale_gradients(delay: int | jax.Array, longest: int | None = None) -> optax.GradientTransformation:
    """Hand on the gradient of `delay` steps ago; zeros while there is none yet.

    Args:
        delay: tau, in steps; 0 hands on the gradient itself.  May be traced, then `longest` is needed.
        longest: the buffer's length less one; by default the delay.

    Raises:
        ValueError: for a delay below 0 or past `longest`, or a traced one without `longest`.
    """
    if longest is None:
        if isinstance(delay, jax.Array):
            raise ValueError("Expected `longest` beside a delay that is an array; got none.")
        longest = delay
    if not isinstance(delay, jax.Array) and not 0 <= delay <= longest:
        raise ValueError(f"Expected a delay from 0 to {longest} steps; got {delay}.")
    return _ring(lambda key: jnp.asarray(delay, jnp.int32), longest, jax.random.key(0))


def randomly_stale_gradients(probabilities: jax.Array, key: jax.Array) -> optax.GradientTransformation:
    """Hand on the gradient of a random number of steps ago, drawn anew and independently at each step.

    A gradient may so be applied twice, or never; in expectation over the draws each is applied once.

    Args:
        probabilities: (longest + 1,), of the delays 0, 1, ..., longest; may be traced.
        key: decides the delays; may be traced.

    Raises:
        ValueError: if the probabilities are not one vector.
    """
    probabilities = jnp.asarray(probabilities)
    if probabilities.ndim != 1 or probabilities.shape[0] < 1:
        raise ValueError(f"Expected probabilities of shape (longest + 1,); got shape {probabilities.shape}.")
    logits = jnp.log(probabilities)
    return _ring(lambda key: jax.random.categorical(key, logits), probabilities.shape[0] - 1, key)


def _ring(draw: Callable[[jax.Array], jax.Array], longest: int, key: jax.Array) -> optax.GradientTransformation:
    length = longest + 1

    def init(params: PyTree) -> StaleState:
        buffer = jax.tree.map(lambda leaf: jnp.zeros((length, *leaf.shape), leaf.dtype), params)
        return StaleState(jnp.zeros((), jnp.int32), buffer, key)

    def update(updates: PyTree, state: StaleState, params: PyTree = None) -> tuple[PyTree, StaleState]:
        now, later = jax.random.split(state.key)
        delay = draw(now).astype(jnp.int32)
        buffer = jax.tree.map(lambda past, new: past.at[state.steps % length].set(new), state.buffer, updates)
        # Slots not yet written hold zeros: the first `delay` steps stand still.
        stale = jax.tree.map(lambda past: past[(state.steps - delay) % length], buffer)
        return stale, StaleState(state.steps + 1, buffer, later)

    return optax.GradientTransformation(init, update)
