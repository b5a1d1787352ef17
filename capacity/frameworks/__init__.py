"""Bits of a model as it stands in its framework: from a module and a data loader, in one call.

No framework is imported before a module of it is given.
"""

from capacity.frameworks.module import collect_module, measure_module, measure_posterior
from capacity.runtime.files.posteriors import load_posterior, save_posterior

__all__ = [
    "collect_module",
    "load_posterior",
    "measure_module",
    "measure_posterior",
    "save_posterior",
]
