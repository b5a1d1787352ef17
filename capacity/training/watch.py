"""Fit a lane and look at it on the way: a scan of optimiser steps with a probe of the parameters at equal distances."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import PyTree

from capacity.runtime.keys import Seed, as_key
from capacity.training.carried import learnt
from capacity.training.fitting import Loss, one_step


class Watched(NamedTuple):
    """What a watched fit leaves: parameters, losses (steps,), and the probe's results on a leading axis (probes,)."""

    params: PyTree
    history: jax.Array
    probed: PyTree


def fit_watched(
    key: Seed,
    loss: Loss,
    params: PyTree,
    optimiser: optax.GradientTransformation,
    steps: int,
    probe: Callable[[jax.Array, PyTree], PyTree],
    probes: int,
) -> Watched:
    """As `fit`, step for step, with `probe(key, params)` taken after each of `probes` equal parts of the run.

    Args:
        key, loss, params, optimiser, steps: as in `fit`.
        probe: what to look at; traceable.
        probes: how often; it must divide the steps.

    Raises:
        ValueError: if it does not.
    """
    key = as_key(key)
    if probes < 1 or steps % probes:
        raise ValueError(f"Expected a number of probes that divides {steps} steps; got {probes}.")

    def step(carry: PyTree, i: jax.Array) -> PyTree:
        params, state = carry
        progress = i.astype(jnp.float32) / steps
        params, state, value = one_step(jax.random.fold_in(key, i), loss, optimiser, params, state, progress)
        return (params, state), value

    def part(carry: PyTree, numbers: jax.Array) -> PyTree:
        carry, values = jax.lax.scan(step, carry, numbers)
        # Steps count up from 0: numbers from the top down are keys that no step uses.
        seen = probe(jax.random.fold_in(key, 2**31 - 1 - numbers[-1]), carry[0])
        return carry, (values, seen)

    numbers = jnp.arange(steps).reshape(probes, -1)
    (params, _), (values, seen) = jax.lax.scan(part, (params, optimiser.init(learnt(params))), numbers)
    return Watched(params, values.reshape(-1), seen)
