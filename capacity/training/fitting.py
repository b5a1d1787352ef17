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
from capacity.training.carried import carried, joined, learnt

P = TypeVar("P")
Loss: TypeAlias = Callable[[Any, Key, Scalar], Any]
"""(params, key, progress from 0 to 1) -> nats; or nats and the parameters with the state that the step leaves.

Of the latter only what is carried counts (`capacity.training.carried`): in an `nnx.State`, all but `nnx.Param`.
"""


class Fitting(NamedTuple):
    """A fit under way: parameters, the optimiser's state, and the loss of the steps done, (steps,), 0 for the rest.

    The optimiser's state is that of what is learnt.
    """

    params: PyTree
    state: PyTree
    history: jax.Array


def begin(params: PyTree, optimiser: optax.GradientTransformation, steps: int) -> Fitting:
    """Before the first of so many steps."""
    return Fitting(params, optimiser.init(learnt(params)), jnp.zeros(steps))


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
        params, state, value = one_step(jax.random.fold_in(key, i), loss, optimiser, at.params, at.state, progress)
        return Fitting(params, state, at.history.at[i].set(value))

    done: Fitting = jax.lax.fori_loop(start, stop, step, fitting)
    return done


def fit(key: Seed, loss: Loss, params: P, optimiser: optax.GradientTransformation, steps: int) -> tuple[P, jax.Array]:
    """Minimise a stochastic loss; traceable, so that lanes can be mapped over it.

    Args:
        key: step i draws its data and noise from `fold_in(key, i)`.
        loss: `(params, key, progress) -> scalar`, progress from 0 to 1 over the run; or, of flax modules with state, a
            pair of the scalar and the parameters whose carried variables the step leaves.
        params: a pytree.
        optimiser: any optax transformation, its schedule included.
        steps: how many.

    Returns:
        Trained parameters and the loss at every step, shape (steps,).
    """
    key = as_key(key)
    done = advance(key, loss, optimiser, begin(params, optimiser, steps), 0, steps)
    return done.params, done.history


def one_step(
    key: Key,
    loss: Loss,
    optimiser: optax.GradientTransformation,
    params: PyTree,
    state: PyTree,
    progress: Scalar,
) -> tuple[PyTree, PyTree, Scalar]:
    """Parameters and the optimiser's state after one step, and the loss before it.

    Args:
        key: of the step.
        loss, optimiser: as in `fit`.
        params, state: before the step.
        progress: from 0 to 1.
    """

    def of_learnt(part: PyTree) -> tuple[Scalar, PyTree]:
        found = loss(joined(part, rest), key, progress)
        value, after = found if isinstance(found, tuple) else (found, params)
        return value, carried(after)

    part, rest = learnt(params), carried(params)
    (value, rest_after), gradient = jax.value_and_grad(of_learnt, has_aux=True)(part)
    part, state = apply_update(optimiser, gradient, state, part)
    return joined(part, rest_after), state, value


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
