"""The compiled programs of annealing: what is observed of samples, a start for each, and both legs, forwards and back.

Up, a step's work is done where the chain stands before its move; in reverse, where it has come to.  One program goes
both ways: compiling takes longer than many a chain.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PyTree

from capacity.bounds.annealed.ladder import STRIDE
from capacity.bounds.posterior.approximation import PosteriorApproximation, Sweep
from capacity.bounds.posterior.bridge import Carried, Target
from capacity.runtime.shapes import Key

LANES = 128  # chains that advance together
State = TypeVar("State")
Moved = TypeVar("Moved")


class Steps(NamedTuple):
    """Some steps of a leg, each between two rungs, and their numbers; all (STRIDE,)."""

    low: jax.Array
    high: jax.Array
    number: jax.Array


class Samples(NamedTuple):
    """Simulated samples that chains are to run for, leaves (n, ...).

    Attributes:
        message, code, z: of each sample.
        weight: (n,), what each counts in a mean; their sum is 1 in expectation.
        rows: (n,), which samples of a first phase they are; nothing if they are of none.
    """

    message: PyTree
    code: PyTree
    z: PyTree
    weight: Float[np.ndarray, " n"]
    rows: Int[np.ndarray, " n"] | None = None

    @classmethod
    def simulate(cls, key: Key, target: Target, n: int) -> Samples:
        """n fresh samples of the target, all of the same weight."""
        message, code, z = jax.tree.map(np.asarray, target.sample(key, n))
        return cls(message, code, z, np.full(n, 1 / n))


@jax.jit
def observe(
    target: Target, approximation: PosteriorApproximation, message: PyTree, code: PyTree, z: PyTree
) -> tuple[Float[Array, " lanes"], PyTree, PyTree]:
    """Of `LANES` samples log p(z|m), what is observed of each z, and each message's state: an exact one of p(m|z).

    Args:
        target: the truth.
        approximation: fixed before.
        message, code, z: of the samples, leaves (LANES, ...).
    """
    observations = jax.vmap(approximation.observe)(z)
    states = jax.vmap(approximation.state_of)(observations, message)
    return jax.vmap(target.conditional)(z, code), observations, states


@jax.jit
def start(key: Key, approximation: PosteriorApproximation, observation: PyTree) -> PyTree:
    """States drawn from q(m|z), one for each observation."""
    return jax.vmap(approximation.sample)(jax.random.split(key, LANES), observation)


@jax.jit
def carry(
    target: Target, approximation: PosteriorApproximation, observation: PyTree, state: PyTree, z: PyTree
) -> Carried:
    """What each chain carries along the second leg.

    Args:
        target: the truth.
        approximation: fixed before.
        observation: of each z, leaves (LANES, ...).
        state: where each chain stands.
        z: noisy codes.
    """
    return jax.vmap(partial(approximation.bridge.carry, target))(observation, state, z)


def run_leg(
    program: Callable[..., tuple[State, Any]],
    key: Key,
    rungs: Float[np.ndarray, " rungs"],
    forward: bool,
    state: State,
    *args: PyTree,
) -> tuple[State, Any]:
    """Climb or descend a leg, `STRIDE` steps a call.

    Args:
        program: `temper` or `bridge`.
        key: of the moves.
        rungs: of the leg, one more than its steps.
        forward: whether up.
        state: where the chains stand.
        args: what else the program takes.

    Returns:
        Where the chains end, and what the program says of its steps in the ladder's order, leaves (LANES, steps).
    """
    parts = []
    count = len(rungs) - 1
    for first in range(0, count, STRIDE) if forward else range(count - STRIDE, -1, -STRIDE):
        piece = jnp.asarray(rungs[first : first + STRIDE + 1], jnp.float32)
        steps = Steps(piece[:-1], piece[1:], jnp.arange(first, first + STRIDE))
        state, work = program(np.bool_(forward), jax.random.fold_in(key, first), steps, state, *args)
        parts.append(jax.tree.map(np.asarray, work))
    if not forward:
        parts.reverse()
    return state, jax.tree.map(lambda *p: np.concatenate(p, axis=1), *parts)


@jax.jit
def temper(
    forward: Bool[Array, ""],
    key: Key,
    steps: Steps,
    states: PyTree,
    approximation: PosteriorApproximation,
    observations: PyTree,
) -> tuple[PyTree, Float[Array, "lanes steps"]]:
    """The first leg, from the start to the approximation: states, and the work of each step, nats.

    Args:
        forward: whether up.
        key: of the moves.
        steps: of the ladder.
        states: where the chains stand, leaves (LANES, ...).
        approximation: fixed before.
        observations: of each z.
    """

    def chain(key: jax.Array, state: PyTree, observation: PyTree) -> tuple[PyTree, jax.Array]:
        def work(state: PyTree, step: jax.Array) -> jax.Array:
            return step * (approximation.log_joint(observation, state) - approximation.log_start(observation, state))

        def move(state: PyTree, x: tuple[jax.Array, Steps]) -> tuple[PyTree, jax.Array]:
            key, step = x
            part = Sweep(step.high, 0, approximation.moves, ~forward)
            new = approximation.sweep(key, observation, state, part)
            new = approximation.refresh(observation, new)
            return new, work(jax.tree.map(partial(jnp.where, forward), state, new), step.high - step.low)

        return _along(forward, move, state, (jax.random.split(key, STRIDE), steps))

    return jax.vmap(chain)(jax.random.split(key, LANES), states, observations)


@jax.jit
def bridge(
    forward: Bool[Array, ""],
    key: Key,
    steps: Steps,
    carried: Carried,
    approximation: PosteriorApproximation,
    observations: PyTree,
    target: Target,
    z: PyTree,
) -> tuple[Carried, tuple[Float[Array, "lanes steps"], Bool[Array, "lanes steps"]]]:
    """The second leg, from the approximation to the truth: what chains carry, and work and acceptance of each step.

    Args:
        forward: whether up.
        key: of the moves.
        steps: of the ladder.
        carried: where the chains stand, leaves (LANES, ...).
        approximation: fixed before.
        observations: of each z.
        target: the truth.
        z: noisy codes.
    """
    own = approximation.bridge

    def chain(
        key: jax.Array, carried: Carried, observation: PyTree, z: PyTree
    ) -> tuple[Carried, tuple[jax.Array, jax.Array]]:
        def move(carried: Carried, x: tuple[jax.Array, Steps]) -> tuple[Carried, tuple[jax.Array, jax.Array]]:
            key, step = x
            new, accept = own.move(key, target, observation, z, carried, step.high, step.number)
            return new, ((step.high - step.low) * jnp.where(forward, carried.log_ratio, new.log_ratio), accept)

        return _along(forward, move, carried, (jax.random.split(key, STRIDE), steps))

    return jax.vmap(chain)(jax.random.split(key, LANES), carried, observations, z)


def _along(
    forward: jax.Array,
    step: Callable[[State, Any], tuple[State, Moved]],
    state: State,
    each: PyTree,
) -> tuple[State, Moved]:
    """A scan over a leg's steps in their order, or from the last to the first; what it gives is in their order."""
    order = jnp.where(forward, jnp.arange(STRIDE), jnp.arange(STRIDE)[::-1])
    state, out = jax.lax.scan(step, state, jax.tree.map(lambda a: a[order], each))
    return state, jax.tree.map(lambda a: a[order], out)
