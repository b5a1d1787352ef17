"""Which framework a module is of; none is imported before a module of it is given."""

from __future__ import annotations

from capacity.frameworks.framework import Framework
from capacity.runtime.tables.foreign import is_of


def framework_of(module: object) -> Framework:
    """The framework of a module, by where its class comes from; that of plain functions for all else."""
    if is_of(module, "torch.nn") or is_of(module, "torch.jit") or is_of(module, "torch._dynamo"):
        from capacity.frameworks.torch import Torch

        return Torch()
    if is_of(module, "flax.nnx"):
        from capacity.frameworks.nnx import NNX

        return NNX()
    return Framework()
