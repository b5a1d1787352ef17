"""flax nnx: modules in evaluation mode (`deterministic`, `use_running_average`), their state as it was afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import jax
import jax.numpy as jnp
from flax import nnx

from capacity.frameworks.batches import is_array
from capacity.frameworks.framework import Framework
from capacity.runtime.tables.foreign import as_numpy

MODES = ("deterministic", "use_running_average")


class NNX(Framework):
    """How modules of `flax.nnx` are run."""

    name = "flax nnx"
    home = "flax"

    @contextmanager
    def evaluating(self, module: object) -> Iterator[None]:
        """Each submodule gets its own attributes back; statistics and counts of random numbers stay what they were."""
        assert isinstance(module, nnx.Module)
        modes = [(part, {m: vars(part)[m] for m in MODES if m in vars(part)}) for _, part in nnx.iter_modules(module)]
        state = jax.tree.map(lambda leaf: leaf, nnx.state(module))
        try:
            for part, before in modes:
                for mode in before:
                    setattr(part, mode, True)
            yield
        finally:
            for part, before in modes:
                for mode, value in before.items():
                    setattr(part, mode, value)
            nnx.update(module, state)

    def placed(self, module: object, given: object) -> object:
        """A JAX array of what is an array, of whichever package."""
        return jnp.asarray(as_numpy(given)) if is_array(given) else given

    def random_parts(self, module: object, run: Callable[[], object]) -> list[str]:
        """Submodules whose streams of random numbers were drawn from."""
        assert isinstance(module, nnx.Module)
        before = _counts(module)
        run()
        drawn = [path for path, count in _counts(module).items() if count != before.get(path)]
        parts = dict(nnx.iter_modules(module))
        owners = [max((p for p in parts if p == path[: len(p)]), key=len) for path in drawn]
        return [
            f"`{'.'.join(map(str, path[:-1])).removesuffix('.rngs')}` ({type(parts[owner]).__name__})"
            for path, owner in zip(drawn, owners, strict=True)
        ]


def _counts(module: nnx.Module) -> dict[tuple[object, ...], int]:
    """How many numbers each stream has given, by its path."""
    return {tuple(path): int(variable[...]) for path, variable in nnx.to_flat_state(nnx.state(module, nnx.RngCount))}
