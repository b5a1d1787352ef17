"""Old keywords, methods and attributes, taken for one release with a DeprecationWarning that has the new name."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import wraps
from importlib import import_module
from operator import attrgetter
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def renamed_keywords(**names: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a function take keywords by their old names too.

    Args:
        names: the new name of each old one.

    Examples:
        >>> @renamed_keywords(budget="budget_gflop")
        ... def measured(*, budget_gflop=1.0): return budget_gflop
        >>> with warnings.catch_warnings(action="ignore"):
        ...     measured(budget=2.0)
        2.0
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def call(*positional: P.args, **named: P.kwargs) -> R:
            for old, new in names.items():
                if old in named:
                    _warn(f"{old}=", f"{new}=")
                    if new in named:
                        raise TypeError(f"Expected {new} once; got {old} too, which is its old name.")
                    named[new] = named.pop(old)
            return function(*positional, **named)

        return call

    return decorate


def old_method(name: str, module: str, function: str, **names: str) -> Callable[..., Any]:
    """A method that has become a function of its object: it calls that function.

    Args:
        name: of the method.
        module: where the function is; imported when the method is called.
        function: the function's name.
        names: the function's name of each keyword that the method had under another.
    """

    def call(self: object, *positional: object, **named: object) -> Any:
        _warn(f"{type(self).__name__}.{name}", f"{module}.{function}")
        new = {names.get(keyword, keyword): value for keyword, value in named.items()}
        return getattr(import_module(module), function)(self, *positional, **new)

    call.__name__, call.__doc__ = name, f"Old name of `{module}.{function}`."
    return call


def old_attribute(name: str, new: str) -> property:
    """An attribute under its old name.

    Args:
        name: the old name.
        new: the attribute's name now.

    Examples:
        >>> class Shape:
        ...     sides = 4
        ...     edges = old_attribute("edges", "sides")
        >>> with warnings.catch_warnings(action="ignore"):
        ...     Shape().edges
        4
    """

    def get(self: object) -> Any:
        _warn(f"{type(self).__name__}.{name}", new)
        return attrgetter(new)(self)

    return property(get, doc=f"Old name of `{new}`.")


def _warn(old: str, new: str) -> None:
    warnings.warn(f"{old} is now {new}; the old name goes with the next release.", DeprecationWarning, stacklevel=3)
