"""Old names of modules and of what they held, found for one release with a DeprecationWarning that has the new name.

Everything is looked up by `importlib` when it is asked for: no module of the toolkit is imported from here.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Sequence
from functools import wraps
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import FunctionType, ModuleType
from typing import Any

from capacity.runtime.deprecated.modules import MOVED, SPLIT
from capacity.runtime.deprecated.names import RENAMED


def _full(name: str) -> str:
    return name if name.startswith("synthetic") else f"capacity.{name}"


def _modules(table: str) -> dict[str, tuple[str, ...]]:
    rows = (row.split(": ") for row in table.strip().splitlines())
    return {_full(old): tuple(map(_full, new.split())) for old, new in rows}


MODULES = _modules(MOVED)
"""Old modules that are gone, and the new ones that have what they held."""
HOLDERS = MODULES | _modules(SPLIT)
"""The same, and those that became packages."""
NAMES = {_full(old): _full(new) for old, new in (row.split(" ", 1) for row in RENAMED.strip().splitlines())}
"""Full old names, and new ones as "module:attributes" or "module:attributes(positional parameters)"."""


KEPT = ({old.rpartition(".")[0] for old in NAMES} | set(HOLDERS)) - set(MODULES)
"""Modules that are still there, some of whose names have changed or moved."""


def install() -> None:
    """Let the import system find the old modules, and old names in modules that are still there."""
    if not any(isinstance(finder, MovedFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, MovedFinder())
    for name in KEPT & set(sys.modules):
        _add_old_names(sys.modules[name])


def old_names(module: str, calls: int = 0) -> Callable[[str], Any]:
    """The `__getattr__` of a module some of whose names have changed.

    Args:
        module: its `__name__`.
        calls: how many functions stand between the line that asks and this one; the warning names that line.
    """

    def get(name: str) -> Any:
        return _find(module, name, 4 + calls)

    return get


class MovedFinder(MetaPathFinder, Loader):
    """Finds modules that are gone: each gives the names that it had from where they are now."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> Any:
        """The spec of a module that is gone, or of one with old names that is there; None of any other."""
        if fullname in KEPT:
            return _with_old_names(fullname, path, target)
        if fullname not in MODULES:
            return None
        return ModuleSpec(fullname, self, is_package=any(name.startswith(f"{fullname}.") for name in MODULES))

    def exec_module(self, module: ModuleType) -> None:
        """Warn, and give the module its names."""
        name = module.__name__
        _warn(name, " and ".join(MODULES[name]), 3)
        module.__doc__ = f"Old name of {', '.join(MODULES[name])}."
        vars(module)["__getattr__"] = old_names(name)
        module.__class__ = _KeepsFunctions
        parent, _, child = name.rpartition(".")
        if isinstance(vars(sys.modules[parent]).get(child), FunctionType):
            sys.modules[parent].__class__ = _KeepsFunctions


class _KeepsFunctions(ModuleType):
    """A package whose function is not hidden by an old module of the same name, which imports make an attribute."""

    def __setattr__(self, name: str, value: object) -> None:
        moved = isinstance(value, ModuleType) and value.__name__ in MODULES
        if not (moved and (self.__name__ in MODULES or name in vars(self))):
            super().__setattr__(name, value)


def _with_old_names(fullname: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
    """The spec that the other finders have, whose module gets its old names once it is loaded."""
    others = (finder for finder in sys.meta_path if not isinstance(finder, MovedFinder))
    spec = next(filter(None, (finder.find_spec(fullname, path, target) for finder in others)), None)
    if spec is None or spec.loader is None:
        return spec
    load = spec.loader.exec_module

    def exec_module(module: ModuleType) -> None:
        load(module)
        _add_old_names(module)

    vars(spec.loader)["exec_module"] = exec_module
    return spec


def _add_old_names(module: ModuleType) -> None:
    vars(module).setdefault("__getattr__", old_names(module.__name__))


def _find(module: str, name: str, level: int) -> Any:
    old = f"{module}.{name}"
    if old in NAMES:
        new = NAMES[old]
        _warn(old, new.partition("(")[0].replace(":", "."), level)
        return _resolved(new)
    if not name.startswith("_") and module in HOLDERS and (module in MODULES or old in MODULES or not find_spec(old)):
        for holder in HOLDERS[module]:
            held = vars(import_module(holder))
            if name in held and not isinstance(held[name], ModuleType):
                _warn(old, f"{holder}.{name}", level)
                return held[name]
    if old in MODULES:
        return import_module(old)
    raise AttributeError(f"module {module!r} has no attribute {name!r}")


def _resolved(new: str) -> Any:
    path, _, parameters = new.rstrip(")").partition("(")
    module, _, attributes = path.partition(":")
    found: Any = import_module(module)
    for attribute in attributes.split("."):
        found, holder = getattr(found, attribute), found
    if isinstance(holder, type) and isinstance(found, FunctionType):
        return _method(attribute)
    return _by_keyword(found, parameters.split()) if parameters else found


def _method(name: str) -> Callable[..., Any]:
    """The method of whatever is given first."""

    def call(self: object, *positional: object, **named: object) -> Any:
        return getattr(self, name)(*positional, **named)

    call.__name__ = name
    return call


def _by_keyword(function: Callable[..., Any], parameters: list[str]) -> Callable[..., Any]:
    """The function, called with arguments by position that it now takes by keyword alone."""

    @wraps(function)
    def call(*positional: object, **named: object) -> Any:
        return function(**dict(zip(parameters, positional, strict=False)), **named)

    return call


def _warn(old: str, new: str, level: int) -> None:
    warnings.warn(f"{old} is now {new}; the old name goes with the next release.", DeprecationWarning, stacklevel=level)
