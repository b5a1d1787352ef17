"""A pair of plain functions with parameters, `init(key) -> params` and `apply(params, x)`, as a flax module."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jax
from flax import nnx
from jaxtyping import PyTree


class FunctionModule(nnx.Module):
    """Parameters of any structure and the function that they go into; every leaf of them is learnt."""

    def __init__(self, params: PyTree, apply: Callable[[PyTree, jax.Array], jax.Array]):
        leaves, self.structure = jax.tree.flatten(params)
        self.leaves, self.apply = nnx.List([nnx.Param(leaf) for leaf in leaves]), apply

    def __call__(self, x: jax.Array) -> jax.Array:
        """The function's value, of a batch as it takes one."""
        return self.apply(jax.tree.unflatten(self.structure, [leaf[...] for leaf in self.leaves]), x)


@dataclass(frozen=True)
class Functions:
    """Makes modules of two functions, for `Modules(make_encoder=Functions(init, apply))`.

    Attributes:
        init: from a key to parameters, any pytree of real-valued arrays; it knows its own sizes.
        apply: from parameters and a batch (n, inputs) to (n, outputs).
    """

    init: Callable[[jax.Array], PyTree]
    apply: Callable[[PyTree, jax.Array], jax.Array]

    def __call__(self, inputs: int, outputs: int, rngs: nnx.Rngs) -> FunctionModule:
        """A fresh module; what comes out is held against the lengths where it runs."""
        return FunctionModule(self.init(rngs.params()), self.apply)
