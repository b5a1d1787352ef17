"""PyTorch: modules in evaluation mode, on their own device, without gradients.

A module is left as it was: the mode of each submodule, its buffers, and PyTorch's random numbers, so that training goes
on as it would have done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from capacity.frameworks.batches import is_array
from capacity.frameworks.framework import Framework
from capacity.runtime.tables.foreign import as_numpy

if TYPE_CHECKING:
    import torch

ModuleCall: TypeAlias = tuple[str, list[np.ndarray], list[np.ndarray]]
"""Of a submodule: its name, what it was given, what it gave."""


class Torch(Framework):
    """How modules of `torch.nn` are run."""

    name = "PyTorch"
    home = "torch"

    @contextmanager
    def evaluating(self, module: object) -> Iterator[None]:
        """Each submodule gets its own mode back, and each buffer its numbers."""
        import torch

        assert isinstance(module, torch.nn.Module)
        modes = [(part, part.training) for part in module.modules()]
        buffers = [(b, b.detach().clone()) for b in module.buffers() if not torch.nn.parameter.is_lazy(b)]
        device = _device(module)
        with torch.random.fork_rng([device] if device is not None and device.type == "cuda" else []), torch.no_grad():
            module.eval()
            try:
                yield
            finally:
                for part, mode in modes:
                    part.training = mode
                for buffer, before in buffers:
                    if not torch.equal(buffer, before):
                        buffer.copy_(before)

    def placed(self, module: object, given: object) -> object:
        """A tensor on the module's device; a NumPy array of real numbers as a tensor of the module's type."""
        import torch

        assert isinstance(module, torch.nn.Module)
        device = _device(module)
        if isinstance(given, torch.Tensor):
            return given.to(device) if device is not None else given
        if is_array(given):
            array = as_numpy(given)
            real = array.dtype.kind == "f"
            kind = next((p.dtype for p in module.parameters() if p.is_floating_point()), None)
            return torch.as_tensor(np.array(array), dtype=kind if real else None, device=device)
        return given

    def random_parts(self, module: object, run: Callable[[], object]) -> list[str]:
        """The first submodule that gives others of the same inputs, of those that have no such part themselves."""
        import torch

        assert isinstance(module, torch.nn.Module)
        first, second = (_answers(module, run) for _ in range(2))
        for (name, given, answer), (_, given_again, other) in zip(first, second, strict=False):
            if _same(given, given_again) and not _same(answer, other):
                return [f"`{name or 'the module itself'}` ({type(module.get_submodule(name)).__name__})"]
        return []


def _device(module: torch.nn.Module) -> torch.device | None:
    """Of the first parameter or buffer; None of a module that has none."""
    return next((tensor.device for tensor in chain(module.parameters(), module.buffers())), None)


def _answers(module: torch.nn.Module, run: Callable[[], object]) -> list[ModuleCall]:
    """Name, inputs and outputs of each submodule that `run` calls, in the order in which they answer: parts first."""
    heard: list[ModuleCall] = []

    def listen(name: str) -> Callable[[torch.nn.Module, tuple[object, ...], object], None]:
        return lambda _, given, answer: heard.append((name, _tensors(given), _tensors(answer)))

    hooks = [part.register_forward_hook(listen(name)) for name, part in module.named_modules()]
    try:
        run()
    finally:
        for hook in hooks:
            hook.remove()
    return heard


def _tensors(given: object) -> list[np.ndarray]:
    import torch

    if isinstance(given, torch.Tensor):
        return [as_numpy(given).copy()]
    if isinstance(given, dict):
        return [array for value in given.values() for array in _tensors(value)]
    return [array for value in given for array in _tensors(value)] if isinstance(given, tuple | list) else []


def _same(first: list[np.ndarray], second: list[np.ndarray]) -> bool:
    return len(first) == len(second) and all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
