"""Sizes of networks, told without making them: parameters, and multiply-adds of one vector, from the traced program.

Numbers that a mask keeps from acting (`AutoregressiveBits`) are counted: they are kept and multiplied as others are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jax.extend.core import ClosedJaxpr, Jaxpr, JaxprEqn
from jaxtyping import PyTree


class NetworkSize(NamedTuple):
    """Of one network.

    Attributes:
        parameters: numbers that are trained.
        operations: multiply-adds of one item, forwards.
        activations: numbers of one item that its products take, which training keeps.
    """

    parameters: int
    operations: int
    activations: int


def network_size(build: Callable[[nnx.Rngs], Any], call: Callable[..., PyTree], *shapes: int) -> NetworkSize:
    """Size of a network.

    Args:
        build: its builder; nothing is initialised.
        call: of the module and one item's arrays: what is counted.
        shapes: lengths of these arrays.
    """
    graph, state = nnx.split(nnx.eval_shape(lambda: build(nnx.Rngs(0))))
    items = [jax.ShapeDtypeStruct((length,), jnp.float32) for length in shapes]
    traced = jax.make_jaxpr(lambda state, *items: call(nnx.merge(graph, state), *items))(state, *items)
    found = [_work(eqn, times) for eqn, times in _products(traced.jaxpr, 1)]
    return NetworkSize(_parameters(state), sum(work for work, _ in found), sum(kept for _, kept in found))


def count_parameters(build: Callable[[nnx.Rngs], object]) -> int:
    """How many parameters the module of a builder has; nothing is initialised."""
    return _parameters(nnx.split(nnx.eval_shape(lambda: build(nnx.Rngs(0))))[1])


def _parameters(state: nnx.State[Any, Any]) -> int:
    return sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(nnx.state(state, nnx.Param)))


def _products(jaxpr: Jaxpr, times: int) -> Iterator[tuple[JaxprEqn, int]]:
    """Every product, and how often it is done; of several branches all."""
    for eqn in jaxpr.eqns:
        if eqn.primitive.name in ("dot_general", "layer_product", "conv_general_dilated"):
            yield eqn, times
        for inner in _inner(eqn):
            yield from _products(inner, times * int(eqn.params.get("length") or 1))


def _inner(eqn: JaxprEqn) -> list[Jaxpr]:
    parts = [part for given in eqn.params.values() for part in (given if isinstance(given, tuple) else (given,))]
    return [
        part.jaxpr if isinstance(part, ClosedJaxpr) else part for part in parts if isinstance(part, ClosedJaxpr | Jaxpr)
    ]


def _work(eqn: JaxprEqn, times: int) -> tuple[int, int]:
    """Multiply-adds, and numbers that come in and are no kernel."""
    left, right, result = (v.aval.shape for v in (*eqn.invars[:2], eqn.outvars[0]))  # type: ignore[attr-defined]
    out = math.prod(result)
    if eqn.primitive.name == "layer_product":
        summed = left[-1]
    elif eqn.primitive.name == "dot_general":
        summed = math.prod(left[axis] for axis in eqn.params["dimension_numbers"][0][0])
    else:
        out_feature = eqn.params["dimension_numbers"].rhs_spec[0]
        summed = math.prod(right) // right[out_feature]
    return times * out * summed, times * math.prod(left)
