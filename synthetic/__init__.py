"""Synthetic sources: vectors whose content in bits is known exactly; pairs/ holds two vectors with known information.

One line in `registry.py` is all that enrols a new source in the command line and in the laws of the tests. A source of
one's own subclasses `NamedSource`, or `NumberedSource` where it is a list of equally likely vectors; a finite data set
is a `Codebook`.

The public names stand in `__init__.pyi`, each once; they are loaded when first asked for: `sizes` can be told without
JAX, which takes seconds to load.
"""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path
from typing import Any

_STUB = ast.parse(Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
_HOMES = {
    alias.name: str(node.module) for node in _STUB.body if isinstance(node, ast.ImportFrom) for alias in node.names
}
__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
