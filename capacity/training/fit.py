"""Fit one lane: a scan of optimiser steps over a loss.  It takes a loss and never knows the model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import optax

Params = TypeVar("Params")
Loss = Callable[[Any, jax.Array, jax.Array], jax.Array]  # (params, key, progress) -> scalar, nats


def fit(
    key: jax.Array, loss: Loss, params: Params, optimiser: optax.GradientTransformation, steps: int
) -> tuple[Params, jax.Array]:
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

    def step(carry: tuple[Params, Any], i: jax.Array) -> tuple[tuple[Params, Any], jax.Array]:
        params, state = carry
        progress = i.astype(jnp.float32) / steps
        value, gradient = jax.value_and_grad(loss)(params, jax.random.fold_in(key, i), progress)
        params, state = apply(optimiser, gradient, state, params)
        return (params, state), value

    (params, _), history = jax.lax.scan(step, (params, optimiser.init(params)), jnp.arange(steps))
    return params, history


def apply(optimiser: optax.GradientTransformation, gradient: Any, state: Any, params: Params) -> tuple[Params, Any]:
    """One step of an optimiser: new parameters and state."""
    with jax.numpy_dtype_promotion("standard"):  # optax itself mixes integer counts with floats
        update, state = optimiser.update(gradient, state, params)
        return optax.apply_updates(params, update), state


def cosine_adam(learning_rate: float, steps: int) -> optax.GradientTransformation:
    """Adam with a short linear warm-up, then a cosine decay to zero: the default optimiser."""
    warmup = min(100, steps // 10)
    return optax.adam(optax.warmup_cosine_decay_schedule(0.0, learning_rate, warmup, max(steps, warmup + 1)))
