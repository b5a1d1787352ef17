"""How a network is run: on a batch in training mode, on one item frozen as it is measured.

In training mode (flax's `train()`) a module draws from the key of the step, the same bits for the same key, and its
running statistics and other state go on.  In evaluation mode (`eval()`) it is a function of its item alone: nothing is
drawn, nothing moves, and whatever stands beside the item in a batch is not seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
from flax import nnx
from jax.interpreters.partial_eval import dce_jaxpr

from capacity.systems.networks.network import Switched
from capacity.systems.networks.refusals import (
    check_frozen,
    check_plain_arrays,
    check_state,
    check_variables,
    frozen_values,
)
from capacity.systems.networks.repeats import check_repeats
from capacity.training.carried import ModuleState, TrainingPass, carried, joined, learnt, open_pass

CARRIED = nnx.All(nnx.Not(nnx.Param), nnx.Not(nnx.RngState), nnx.Not(nnx.Intermediate))
Module = TypeVar("Module")
Runnable = TypeVar("Runnable", bound=Switched)


@dataclass(frozen=True)
class OnBatches:
    """A builder of modules that take a batch, (n, ...) to (n, ...), as flax's layers do; else they take one item."""

    build: Callable[[nnx.Rngs], Any]

    def __call__(self, rngs: nnx.Rngs) -> Any:
        """A fresh module from these streams of random numbers."""
        return self.build(rngs)


def fresh(name: str, build: Callable[[nnx.Rngs], object], key: jax.Array) -> ModuleState:
    """The variables of a fresh module but its streams of random numbers; those of training come from each step's key.

    Args:
        name: of the network.
        build: makes the module.
        key: decides it.

    Raises:
        ValueError: for a module that holds a plain array of JAX, parameters without gradient, or keys as state.
    """
    graph, _, *(state,) = nnx.split(build(nnx.Rngs(key)), nnx.RngState, ...)
    check_plain_arrays(graph)
    check_variables(name, state)
    return state


def merge(build: Callable[[nnx.Rngs], Module], state: ModuleState, key: jax.Array | None = None) -> Module:
    """A module of known structure around given variables; nothing is initialised.

    Args:
        build: as it was made with.
        state: as of `fresh`.
        key: of its streams of random numbers, if it has any.
    """
    graph, streams = _structure(build)
    module: Module = nnx.merge(graph, state, _started(streams, key), copy=True)
    return module


def _depends_on_draws(
    build: Callable[[nnx.Rngs], Runnable],
    state: ModuleState,
    call: Callable[..., jax.Array],
    items: tuple[jax.Array, ...],
) -> bool:
    """Whether what a module in evaluation mode makes of an item depends on its streams' keys.

    That a key was asked for does not say so: a recurrent layer asks for one and starts from zeros.  What no operation
    of the traced program brings from the key to the result cannot matter; what some operation does is taken to.
    """

    def of_key(key: jax.Array) -> jax.Array:
        module = merge(build, state, key)
        module.eval()
        return call(module, *(item[None] for item in items) if isinstance(build, OnBatches) else items)

    traced = jax.make_jaxpr(of_key)(jax.random.key(0)).jaxpr
    return bool(dce_jaxpr(traced, [True] * len(traced.outvars))[1][0])


def _structure(build: Callable[[nnx.Rngs], object]) -> tuple[nnx.GraphDef[Any], ModuleState]:
    """A module's structure, and the shapes of its streams of random numbers; nothing is initialised."""
    found: list[nnx.GraphDef[Any]] = []

    def make() -> ModuleState:
        graph, streams, *_ = nnx.split(build(nnx.Rngs(0)), nnx.RngState, ...)
        found.append(graph)
        return streams

    streams = jax.eval_shape(make)
    return found[0], streams


def _started(streams: ModuleState, key: jax.Array | None) -> ModuleState:
    """Every stream from a key of its own, counted from 0."""
    leaves, structure = jax.tree.flatten(streams)
    started = []
    for number, leaf in enumerate(leaves):
        if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            own = jax.random.fold_in(jax.random.key(0) if key is None else key, number)
            started.append(jax.random.split(own, leaf.shape) if leaf.shape else own)
        else:
            started.append(jnp.zeros(leaf.shape, leaf.dtype))
    whole: ModuleState = jax.tree.unflatten(structure, started)
    return whole


def run_one(
    build: Callable[[nnx.Rngs], Runnable], state: ModuleState, call: Callable[..., jax.Array], *items: jax.Array
) -> jax.Array:
    """What a frozen module makes of one item, in evaluation mode.

    Args:
        build, state: of the module.
        call: (module, *items) -> an array; of a module on batches, with a leading axis.
        items: arrays of one item.

    Raises:
        ValueError: for a module that draws random numbers, or takes statistics of a batch, in evaluation mode.
    """
    module = merge(build, state)
    module.eval()
    before = frozen_values(module)
    if isinstance(build, OnBatches):
        found: jax.Array = jax.tree.map(lambda leaf: leaf[0], call(module, *(item[None] for item in items)))
    else:
        found = call(module, *items)
    check_frozen(module, before, lambda: _depends_on_draws(build, state, call, items))
    return found


def run_batch(
    name: str,
    build: Callable[[nnx.Rngs], Runnable],
    state: ModuleState,
    call: Callable[..., jax.Array],
    *items: jax.Array,
) -> jax.Array:
    """What a module makes of a batch: in training mode within a `training_pass`, else each item as by `run_one`.

    Args:
        name: of the network in the parameters.
        build, state, call: as of `run_one`.
        items: arrays with a leading axis of n.

    Raises:
        ValueError: as `run_one`; and for state whose structure or shapes change, or that a module of single items has.
    """
    opened = open_pass()
    if opened is not None and opened.checking:
        check_repeats(name, partial(run_one, build, state, call), _together(build, state, call), items)
    keeping = bool(jax.tree.leaves(carried(state)))
    if opened is None or not (keeping or isinstance(build, OnBatches) or _draws(build)):
        found: jax.Array = jax.vmap(lambda *item: run_one(build, state, call, *item))(*items)
        return found
    jax.eval_shape(lambda: run_one(build, state, call, *(item[0] for item in items)))  # refused before the first step
    if isinstance(build, OnBatches):
        return _train_on_batch(opened, name, build, state, call, items)
    if keeping:
        raise ValueError(
            f"Expected a module of single items without state but its parameters as {name}; got "
            f"{', '.join(_names(state))}. State goes on with batches: let the module take a batch (n, ...)."
        )

    def one(key: jax.Array, *item: jax.Array) -> jax.Array:
        module = merge(build, state, key)
        module.train()
        return call(module, *item)

    return jax.vmap(one)(jax.random.split(opened.next_key(), len(items[0])), *items)


def _train_on_batch(
    opened: TrainingPass,
    name: str,
    build: OnBatches,
    state: ModuleState,
    call: Callable[..., jax.Array],
    items: tuple[jax.Array, ...],
) -> jax.Array:
    before = joined(learnt(state), carried(opened.states.get(name, state)))
    module = merge(build, before, opened.next_key())
    module.train()
    found = call(module, *items)
    given, rest = nnx.filter_state(before, nnx.Not(nnx.Param)), nnx.state(module, CARRIED)
    check_state(name, given, rest)
    if jax.tree.leaves(given):
        opened.put(name, nnx.merge_state(nnx.filter_state(before, nnx.Param), rest))
    return found


def _together(
    build: Callable[[nnx.Rngs], Runnable], state: ModuleState, call: Callable[..., jax.Array]
) -> Callable[..., jax.Array] | None:
    """A batch through a frozen module at once, where it takes batches."""
    if not isinstance(build, OnBatches):
        return None
    module = merge(build, state)
    module.eval()
    return partial(call, module)


def _draws(build: Callable[[nnx.Rngs], object]) -> bool:
    """Whether a module has streams of random numbers."""
    return bool(jax.tree.leaves(_structure(build)[1]))


def _names(state: ModuleState) -> list[str]:
    """Names of the variables that a module carries."""
    return [".".join(map(str, path)) for path, _ in nnx.to_flat_state(nnx.filter_state(state, nnx.Not(nnx.Param)))]
