"""Measure how much information passes through a noisy network, in bits, with bounds.

The public names stand in `__init__.pyi`, each once; they are loaded when first asked for: importing JAX takes
seconds, which `capacity --help` need not wait for.
"""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path
from typing import Any

from capacity.runtime.deprecated import install, old_names


def _homes() -> dict[str, str]:
    """Where each public name is, as "module:name", or the name of a subpackage."""
    stub = ast.parse(Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    imports = [node for node in stub.body if isinstance(node, ast.ImportFrom)]
    return {
        alias.name: f"{__name__}.{node.module}:{alias.name}" if node.module else f"{__name__}.{alias.name}"
        for node in imports
        for alias in node.names
    }


_HOMES = _homes()
_old = old_names(__name__, calls=1)
__all__ = [*_HOMES, "__version__"]
install()


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from capacity.runtime.versions import version_of

        return version_of("infocapacity")
    if name not in _HOMES:
        return _old(name)
    module, _, member = _HOMES[name].partition(":")
    found = import_module(module)
    return getattr(found, member) if member else found


def __dir__() -> list[str]:
    return sorted(__all__)
