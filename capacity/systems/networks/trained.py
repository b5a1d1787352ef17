"""A module that was trained elsewhere, frozen: as the encoder of a joint, or of a curve that trains decoders alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import jax
from flax import nnx

from capacity.systems.networks.running import OnBatches, run_one
from capacity.training.carried import ModuleState

CodeOf: TypeAlias = Callable[[Any, jax.Array], Any]
"""(module, x) -> what comes out, of a batch or of one item."""


def frozen_module(module: nnx.Module, call: CodeOf | None = None, single: bool = False) -> jax.tree_util.Partial:
    """A trained module in evaluation mode as a function of one vector, for `Joint(source, frozen_module(m), channel)`.

    A pytree, whose leaves are the module's variables as they are now.  What was trained by functions, with parameters
    beside them, needs no such thing: `jax.tree_util.Partial(apply, params)` is an encoder.

    Args:
        module: trained; with a state apart from it, `nnx.merge(graphdef, state)`.
        call: (module, x) -> code, by default the module's own call; `lambda m, x: m.encode(x)` for another method.  A
            code of means and log standard deviations is a pair.
        single: whether the module takes one item (dim,) instead of a batch (n, dim).

    Raises:
        ValueError: where it is called, for a module that is random, or mixes a batch, in evaluation mode.
    """
    kept = TrainedModule(module, call, single)
    return jax.tree_util.Partial(kept.run_one, kept.state)


class TrainedModule:
    """Makes encoders of a module that was trained elsewhere: `Modules(make_encoder=TrainedModule(module))`.

    Its variables are kept as they are, so that a curve trains decoders alone and measures, at every level, the bits of
    that module's code behind the system's noise: the system holds the code to its constraint by a shift and scale of
    each unit.  The module is copied: what it is trained to later changes nothing.

    Args:
        module, call, single: as of `frozen_module`; what comes out has as many entries as the system's encoder.
    """

    def __init__(self, module: nnx.Module, call: CodeOf | None = None, single: bool = False):
        copied = nnx.clone(module)
        self.state: ModuleState = nnx.state(copied, nnx.Not(nnx.RngState))
        self.call = call

        def build(rngs: nnx.Rngs) -> Any:
            return nnx.clone(copied)

        self.build = build if single else OnBatches(build)

    def __call__(self, inputs: int, outputs: int, rngs: nnx.Rngs) -> KeptModule:
        """The module, whatever is drawn; what comes out is held against the lengths where it runs."""
        return KeptModule(self)

    def run_one(self, state: ModuleState, x: jax.Array) -> Any:
        """What the module makes of one vector (dim,).

        Args:
            state: the module's.
            x: the vector.
        """
        return run_one(self.build, state, _own_call if self.call is None else self.call, x)


class KeptModule(nnx.Module):
    """A trained module whose variables are kept, not learnt, and which is always in evaluation mode."""

    def __init__(self, trained: TrainedModule):
        leaves, self.structure = jax.tree.flatten(trained.state)
        self.kept, self.trained = nnx.List([nnx.Variable(leaf) for leaf in leaves]), trained

    def __call__(self, x: jax.Array) -> jax.Array:
        """What it makes of a batch (n, dim), each row alone."""
        state = jax.tree.unflatten(self.structure, [leaf[...] for leaf in self.kept])
        made: jax.Array = jax.vmap(lambda one: self.trained.run_one(state, one))(x)
        return made


def _own_call(module: Callable[[jax.Array], Any], x: jax.Array) -> Any:
    return module(x)
