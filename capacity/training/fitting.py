"""Fit one lane: a loop of optimiser steps over a loss, all or a part of them.  It takes a loss, never a model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias, TypeVar

import jax
import jax.numpy as jnp
import optax
from jaxtyping import PyTree

from capacity.runtime.keys import Seed, as_key
from capacity.runtime.shapes import Key, Scalar

P = TypeVar("P")
Loss: TypeAlias = Callable[[Any, Key, Scalar], Scalar]
"""(params, key, progress from 0 to 1) -> nats."""


class Fitting(NamedTuple):
    """A fit under way: parameters, the optimiser's state, and the loss of the steps done, (steps,), 0 for the rest."""

    params: PyTree
    state: PyTree
    history: jax.Array


def begin(params: PyTree, optimiser: optax.GradientTransformation, steps: int) -> Fitting:
    """Before the first of so many steps."""
    return Fitting(params, optimiser.init(params), jnp.zeros(steps))


def advance(
    key: jax.Array,
    loss: Loss,
    optimiser: optax.GradientTransformation,
    fitting: Fitting,
    start: jax.Array | int,
    stop: jax.Array | int,
) -> Fitting:
    """Steps start to stop - 1; both may be traced: one program goes any part of the way, to the same bits.

    Args: as in `fit`; step i draws its data and noise from `fold_in(key, i)`.
    """
    steps = fitting.history.shape[0]

    def step(i: jax.Array, at: Fitting) -> Fitting:
        progress = i.astype(jnp.float32) / steps
        value, gradient = jax.value_and_grad(loss)(at.params, jax.random.fold_in(key, i), progress)
        params, state = apply_update(optimiser, gradient, at.state, at.params)
        return Fitting(params, state, at.history.at[i].set(value))

    done: Fitting = jax.lax.fori_loop(start, stop, step, fitting)
    return done


def fit(key: Seed, loss: Loss, params: P, optimiser: optax.GradientTransformation, steps: int) -> tuple[P, jax.Array]:
    """Minimise a stochastic loss; traceable, so that lanes can be mapped over it.

    Args:
        key: step i draws its data and noise from `fold_in(key, i)`.
        loss: `(params, key, progress) -> scalar`, progress from 0 to 1 over the run.
        params: a pytree.
        optimiser: any optax transformation, its schedule included.
        steps: how many.

    Returns:
        Trained parameters and the loss at every step, shape (steps,).
    """
    key = as_key(key)
    done = advance(key, loss, optimiser, begin(params, optimiser, steps), 0, steps)
    return done.params, done.history


def apply_update(
    optimiser: optax.GradientTransformation, gradient: PyTree, state: PyTree, params: P
) -> tuple[P, PyTree]:
    """One step of an optimiser: new parameters and state.

    Args:
        optimiser: any optax transformation.
        gradient: of the loss, a pytree as the parameters.
        state: the optimiser's.
        params: before the step.
    """
    with jax.numpy_dtype_promotion("standard"):  # optax itself mixes integer counts with floats
        update, state = optimiser.update(gradient, state, params)
        return optax.apply_updates(params, update), state


def cosine_adam(learning_rate: float, steps: int, b2: float = 0.999) -> optax.GradientTransformation:
    """Adam with a short linear warm-up, then a cosine decay to zero.

    Args:
        b2: decay of the mean squared gradients; a fit of a thousand steps forgets faster with advantage.
    """
    warmup = min(100, steps // 10)
    schedule = optax.warmup_cosine_decay_schedule(0.0, learning_rate, warmup, max(steps, warmup + 1))
    return optax.adam(schedule, b2=b2)
