"""Bits of a model as it stands in its framework: from a module and a data loader, in one call.

No framework is imported before a module of it is given.
"""

from typing import TYPE_CHECKING, Any

from capacity.frameworks.module import collect_module, measure_module, measure_posterior
from capacity.runtime.files.posteriors import load_posterior, save_posterior

if TYPE_CHECKING:
    from capacity.frameworks.nnx_layers import layers_of_module

__all__ = [
    "collect_module",
    "layers_of_module",
    "load_posterior",
    "measure_module",
    "measure_posterior",
    "save_posterior",
]


def __getattr__(name: str) -> Any:
    if name == "layers_of_module":
        from capacity.frameworks.nnx_layers import layers_of_module

        return layers_of_module
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
