"""Somebody else's channels, sources, estimators, systems and claims, found by their packages' entry points.

A package says in its `pyproject.toml`

    [project.entry-points."infocapacity.estimators"]
    sign = "their_package.sign:Sign"

and once it is installed the class stands in the registry beside the toolkit's own: in the command line, in
`capacity list`, and under its name for `capacity.estimate`.  Groups: `infocapacity.` and one of `GROUPS`.
What is broken, or takes a name that is taken, is left out with a warning that says whose it is and why.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, MutableMapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

PREFIX = "infocapacity."
GROUPS: dict[str, tuple[str, ...]] = {
    "channels": (
        "summary", "normal", "memoryless", "atomic", "full_support", "has_entropy", "has_ceiling", "constraint",
        "statement", "__call__", "log_prob", "moments", "entropy", "signal", "ceiling",
    ),
    "sources": ("summary", "build"),
    "estimators": ("summary", "takes", "symmetric", "unchanged_by", "__call__"),
    "systems": (
        "summary", "level_name", "level_symbol", "default_levels", "ceiling", "init", "channel", "prior_std", "loss",
        "joint",
    ),
    "claims": ("sentence", "source", "predictions", "run", "plot"),
}  # fmt: skip
"""What a class of each group must have, beside a `name`; see the protocol of the group."""


class PluginWarning(UserWarning):
    """An entry point that was left out, whose it is, and why."""


class Registry(MutableMapping[str, Any]):
    """Classes by name: the toolkit's own, and at the first look those of installed packages.

    Not earlier, so that a package may import the toolkit, and the toolkit the package, in any order.
    """

    def __init__(self, group: str, own: Iterable[Any], points: Iterable[EntryPoint] | None = None):
        """`own` are the toolkit's classes, each with its `name`; `points` by default the entry points installed."""
        self.group, self.points = group, points
        self.classes: dict[str, Any] = {kind.name: kind for kind in own}
        self.looked = False

    def _all(self) -> dict[str, Any]:
        if not self.looked:
            self.looked = True
            points = entry_points(group=PREFIX + self.group) if self.points is None else self.points
            for point in sorted(points, key=lambda point: point.name):
                self._add(point)
        return self.classes

    def _add(self, point: EntryPoint) -> None:
        try:
            kind = _loaded(point, self.group)
        except Exception as error:  # somebody else's module may fail in any way; the warning says how
            _warn(point, self.group, f"it fails to load, {type(error).__name__}: {error}")
            return
        taken = self.classes.setdefault(kind.name, kind)
        if taken is not kind:
            whose = f"{taken.__module__}.{taken.__qualname__}"
            _warn(point, self.group, f"the name {kind.name!r} is taken by {whose}; give it another name")

    def __getitem__(self, name: str) -> Any:
        return self._all()[name]

    def __setitem__(self, name: str, kind: Any) -> None:
        self._all()[name] = kind

    def __delitem__(self, name: str) -> None:
        del self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __repr__(self) -> str:
        return f"Registry({self.group!r}: {', '.join(self._all())})"


def _loaded(point: EntryPoint, group: str) -> Any:
    """The class that an entry point names.

    Raises:
        TypeError: unless it is a class with everything that the group asks for.
    """
    kind = point.load()
    if not isinstance(kind, type):
        raise TypeError(f"expected a class; got {kind!r}")
    fields = getattr(kind, "__dataclass_fields__", {})
    missing = [name for name in GROUPS[group] if not hasattr(kind, name) and name not in fields]
    if not isinstance(getattr(kind, "name", None), str):
        missing.insert(0, "name")
    if missing:
        raise TypeError(f"expected a class with {', '.join(missing)}")
    return kind


def _warn(point: EntryPoint, group: str, why: str) -> None:
    package = point.dist.name if point.dist else "an unnamed package"
    message = f"Left out {point.name!r} of {package} ({PREFIX}{group} = {point.value}): {why}."
    warnings.warn(message, PluginWarning, stacklevel=5)
