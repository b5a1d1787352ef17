"""Stochastic gradient Langevin dynamics: theta <- theta - eps_t/2 dU/dtheta + sqrt(eps_t T) N(0, 1).

With a decaying step the parameters become samples of exp(-U/T): at T = 1 and U the negative log of prior times
likelihood, of the posterior.

Source: Welling & Teh (2011), equation 4; the temperature as in Wenzel et al. (2020).
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import PyTree


class LangevinState(NamedTuple):
    """Steps done, and the key of the next one."""

    steps: jax.Array
    key: jax.Array


def langevin(
    step_size: float | jax.Array | optax.Schedule, key: jax.Array, temperature: float | jax.Array = 1.0
) -> optax.GradientTransformation:
    """Turn gradients of U into steps of Langevin dynamics; the last link of a chain, as `optax.sgd` is.

    On U = a theta^2 / 2 a constant step eps leaves variance T / (a (1 - eps a / 4)), not T / a: the price of a finite
    step without a correction.

    Args:
        step_size: eps, or a schedule of the step's number; may be traced.
        key: decides the noise; may be traced.
        temperature: T; 0 is gradient descent at learning rate eps / 2.

    Raises:
        ValueError: for a step size or temperature out of range, where it is a plain number.
    """
    if not callable(step_size) and not isinstance(step_size, jax.Array) and not step_size > 0:
        raise ValueError(f"Expected a positive step_size; got {step_size}.")
    if not isinstance(temperature, jax.Array) and not temperature >= 0:
        raise ValueError(f"Expected a temperature of at least 0; got {temperature}.")

    def init(params: PyTree) -> LangevinState:
        return LangevinState(jnp.zeros((), jnp.int32), key)

    def update(updates: PyTree, state: LangevinState, params: PyTree = None) -> tuple[PyTree, LangevinState]:
        now, later = jax.random.split(state.key)
        size = jnp.asarray(step_size(state.steps) if callable(step_size) else step_size)
        noise = optax.tree.random_like(now, updates, jax.random.normal)
        spread = jnp.sqrt(size * temperature)

        def move(gradient: jax.Array, normal: jax.Array) -> jax.Array:
            return -0.5 * size.astype(gradient.dtype) * gradient + spread.astype(gradient.dtype) * normal

        return jax.tree.map(move, updates, noise), LangevinState(state.steps + 1, later)

    return optax.GradientTransformation(init, update)
