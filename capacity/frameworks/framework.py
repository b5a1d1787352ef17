"""The contract of a framework: how its modules are run without a trace; by default, any callable of arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from capacity.runtime.names import check_name

Encode: TypeAlias = Callable[..., object]
"""From one batch of inputs to what `read_output` takes."""


class Framework:
    """What differs between frameworks; this one is of plain functions, and changes nothing.

    Attributes:
        name: what refusals call it.
        home: the package that its modules' classes come from.
    """

    name = "a function"
    home = "builtins"

    @contextmanager
    def evaluating(self, module: object) -> Iterator[None]:
        """While it lasts the module is in evaluation mode, without gradients; after it, whatever happened, as before.

        Args:
            module: of this framework.
        """
        yield

    def placed(self, module: object, given: object) -> object:
        """An array of a batch as the module takes it, on its device; what is no array is left as it is."""
        return given

    def random_parts(self, module: object, run: Callable[[], object]) -> list[str]:
        """Names of submodules that answer differently when `run` is called twice; empty where none is found."""
        return []

    def encoder(self, module: object, encode: str | Encode | None) -> Encode:
        """What is called with a batch's inputs: the module, its method of a name, or a function.

        Raises:
            TypeError: for what cannot be called.
            ValueError: for a name that the module lacks.
        """
        found: object = module if encode is None else encode
        if isinstance(encode, str):
            try:
                found = getattr(module, encode)
            except AttributeError:
                check_name(encode, self.methods(module), "encode")
                raise
        if not callable(found):
            raise TypeError(f"Expected a module, the name of its method, or a function; got {type(found).__name__}.")
        return found

    def methods(self, module: object) -> list[str]:
        """Names of the methods that the module's own classes have, those of the framework left out."""
        kinds = [
            kind
            for kind in type(module).__mro__
            if not f"{kind.__module__}.".startswith((f"{self.home}.", "builtins."))
        ]
        return sorted({n for kind in kinds for n, member in vars(kind).items() if callable(member) and n[0] != "_"})
