"""What is refused of a module before any work: random codes, batch statistics, state that changes, wrong outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

from capacity.training.carried import ModuleState

FROZEN = (nnx.RngCount, nnx.BatchStat)


@contextmanager
def named(name: str, *items: jax.Array) -> Iterator[None]:
    """Whatever a module raises within also says which network it is, and what it was called with.

    Args:
        name: of the network.
        items: its arguments.
    """
    try:
        yield
    except Exception as error:
        error.add_note(f"In the network {name!r}, called with {', '.join(str(item.shape) for item in items)}.")
        raise


def check_made(found: object, name: str, shape: tuple[int, ...], like: jax.Array) -> jax.Array:
    """What a module gave, in the type of what it was given.

    Args:
        found: by the module.
        name: of the network.
        shape: that is expected.
        like: what the module was given.

    Raises:
        ValueError: for another shape, and for what is no array of real numbers.
    """
    if not isinstance(found, jax.Array):
        raise ValueError(f"Expected {name} to make an array {shape} of {like.shape}; got {type(found).__name__}.")
    if found.shape != shape:
        raise ValueError(f"Expected {name} to make {shape} of {like.shape}; got {found.shape}.")
    if not jnp.issubdtype(found.dtype, jnp.floating):
        raise ValueError(f"Expected real numbers from {name}, through which gradients pass; got {found.dtype}.")
    return found.astype(like.dtype)


def frozen_values(module: object) -> list[object]:
    """Counters of random draws and statistics of batches, as the objects that they are: to write one makes another."""
    return [variable.get_value() for _, variable in nnx.to_flat_state(nnx.state(module, FROZEN))]


def check_frozen(module: object, before: list[object], draws: Callable[[], bool]) -> None:
    """Refuse a module that a call in evaluation mode has made draw, or move statistics of a batch.

    Args:
        module: after the call.
        before: by `frozen_values`, before it.
        draws: whether what came out depends on random numbers; asked where a key was drawn.

    Raises:
        ValueError: naming the variable, with the remedy.
    """
    for (path, one), value in zip(nnx.to_flat_state(nnx.state(module, FROZEN)), before, strict=True):
        if one.get_value() is value:
            continue
        where = ".".join(map(str, path))
        if isinstance(one, nnx.RngCount):
            if not draws():
                continue
            raise ValueError(
                f"Expected a module that in evaluation mode is a function of its input; got one that draws random "
                f"numbers there ({where}). Let `eval()` switch them off: give the layer no deterministic=False of its "
                "own, neither made nor called; noise that should stay belongs to the channel."
            )
        raise ValueError(
            f"Expected a module that in evaluation mode leaves its statistics as they are; got one that moves {where}: "
            "the code of a vector would depend on its batch. Let `eval()` switch to running averages: give the layer "
            "no use_running_average=False or update_stats=True of its own, neither made nor called."
        )


def check_state(name: str, before: ModuleState, after: ModuleState) -> None:
    """Refuse state that a step of training leaves in another structure, shape or type.

    Args:
        name: of the network.
        before, after: what it carries.

    Raises:
        ValueError: naming the variables.
    """
    one, other = (_shapes(state) for state in (before, after))
    changed = [f"{path} {one.get(path, 'nothing')}, then {other.get(path, 'nothing')}" for path in {**one, **other}]
    changed = [words for path, words in zip({**one, **other}, changed, strict=True) if one.get(path) != other.get(path)]
    if changed:
        raise ValueError(
            f"Expected the state of {name} to keep its variables, shapes and types from step to step; got "
            f"{'; '.join(changed)}. Make all variables where the module is made."
        )


def check_variables(name: str, state: ModuleState) -> None:
    """Refuse parameters that have no gradient, and random keys as state.

    Args:
        name: of the network.
        state: of the module, fresh.

    Raises:
        ValueError: naming the variable.
    """
    for path, variable in nnx.to_flat_state(state):
        where, dtype = ".".join(map(str, path)), jnp.asarray(jax.tree.leaves(variable)[0]).dtype
        if isinstance(variable, nnx.Param) and not jnp.issubdtype(dtype, jnp.floating):
            raise ValueError(
                f"Expected real-valued parameters, which have a gradient, in {name}; got {where} of {dtype}. Make it "
                "an nnx.Variable that is no nnx.Param: then it is kept and not learnt."
            )
        if isinstance(variable, nnx.Param) and dtype == jnp.float16:
            raise ValueError(
                f"Expected parameters in float32 or bfloat16; got {where} of {name} in float16, where the 1e-8 that "
                "optimisers add to a divisor is 0. Keep param_dtype=float32 and compute with dtype=float16."
            )
        if jnp.issubdtype(dtype, jax.dtypes.prng_key):
            raise ValueError(
                f"Expected numbers as the state of {name}; got a random key, {where}. Draw from the nnx.Rngs that the "
                "module is made with: every step gives them its own key."
            )


def check_plain_arrays(graph: nnx.GraphDef[Any]) -> None:
    """Refuse an array of JAX that a module holds as it is: flax takes it for structure, and its numbers are lost.

    Args:
        graph: of a module that was made while JAX traced.

    Raises:
        ValueError: naming the attribute.
    """
    for attribute, value in graph.attributes:
        if isinstance(value, nnx.graphlib.Static) and isinstance(value.value, jax.core.Tracer):
            raise ValueError(
                f"Expected arrays of a module in nnx.Param, where they are learnt, or in another nnx.Variable, where "
                f"they are kept; got a plain array in its attribute {attribute!r}."
            )


def _shapes(state: ModuleState) -> dict[str, str]:
    found = {}
    for path, variable in nnx.to_flat_state(state):
        (leaf,) = jax.tree.leaves(variable) or [None]
        found[".".join(map(str, path))] = "nothing" if leaf is None else f"{jnp.asarray(leaf).dtype}{jnp.shape(leaf)}"
    return found
