"""Classes by name: the toolkit's own, and those that other packages offer by their entry points.

A package says in its `pyproject.toml`

    [project.entry-points."infocapacity.estimators"]
    sign = "their_package.sign:Sign"

and once it is installed the class stands in the registry beside the toolkit's own: in the command line, in
`capacity list`, and under its name for `capacity.estimate`.  Groups: `infocapacity.` and `channels`, `sources`,
`estimators`, `systems`, `networks`, `claims`, `bounds` or `codes`.  What is broken, lacks what the contract asks for,
or takes a name that is taken, is left out with a warning that says whose it is and why.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar

from capacity.runtime.contracts import check_class, full_name

__all__ = ["PluginWarning", "Registry"]

PREFIX = "infocapacity."
Class = TypeVar("Class", bound=type)


class PluginWarning(UserWarning):
    """An entry point that was left out, whose it is, and why."""


class Registry(MutableMapping[str, Any]):
    """Classes by name; installed packages are asked at the first look.

    Not earlier, so that a package may import the toolkit, and the toolkit the package, in any order.

    Args:
        group: of entry points, without the prefix `infocapacity.`.
        own: the toolkit's classes, each with its `name`: a line in this tuple enrols one.
        points: entry points; by default those installed.
        contract: the class that says what each must have; what lacks a member is refused.
        aliases: old names and the new ones: found with a DeprecationWarning, but not listed.
        renamed: members of the contract that go by a new name since: old and new; a class with an old one is refused.
        rule: what else is asked of a class: raises TypeError.
    """

    def __init__(
        self,
        group: str,
        own: Iterable[type],
        points: Iterable[EntryPoint] | None = None,
        *,
        contract: type | None = None,
        aliases: Mapping[str, str] | None = None,
        renamed: Mapping[str, str] | None = None,
        rule: Callable[[type], None] | None = None,
    ):
        self.group, self.points, self.contract, self.aliases = group, points, contract, dict(aliases or {})
        self.renamed, self.rule = dict(renamed or {}), rule
        self.classes: dict[str, Any] = {name_of(kind): kind for kind in own}
        self.looked = False

    def register(self, kind: Class) -> Class:
        """Enrol a class for this session, also as a decorator; a class defined anew takes its own place.

        Raises:
            TypeError: if it is no class, or lacks what the contract asks for; the message names the members.
            ValueError: if another class has its name.
        """
        self.check(kind)
        name = name_of(kind)
        taken = self._all().get(name, kind)
        if full_name(taken) != full_name(kind):
            raise ValueError(
                f"Expected a new name; got {name!r}, which is taken by {full_name(taken)}; give it another name."
            )
        self.classes[name] = kind
        return kind

    def check(self, kind: object) -> None:
        """Refuse what is no class with a name and all that the contract asks for.

        Raises:
            TypeError: naming what is missing, or what is not as the contract says.
        """
        if not isinstance(kind, type):
            raise TypeError(f"Expected a class; got {kind!r}.")
        if self.contract is not None:
            check_class(kind, self.contract, self.renamed)
        if not isinstance(vars_of(kind).get("name"), str):
            raise TypeError(f"Expected a class with name, as a string; got {full_name(kind)}.")
        if self.rule is not None:
            self.rule(kind)

    def _all(self) -> dict[str, Any]:
        if not self.looked:
            self.looked = True
            points = entry_points(group=PREFIX + self.group) if self.points is None else self.points
            for point in sorted(points, key=lambda point: point.name):
                self._add(point)
        return self.classes

    def _add(self, point: EntryPoint) -> None:
        try:
            kind = point.load()
        except Exception as error:  # somebody else's module may fail in any way; the warning says how
            return _warn(point, self.group, f"it fails to load, {type(error).__name__}: {error}")
        try:
            self.register(kind)
        except (TypeError, ValueError) as error:
            _warn(point, self.group, str(error))

    def __getitem__(self, name: str) -> Any:
        if name in self.aliases and name not in self._all():
            new = self.aliases[name]
            warnings.warn(f"{name!r} is now called {new!r}; use that name.", DeprecationWarning, stacklevel=2)
            name = new
        return self._all()[name]

    def __contains__(self, name: object) -> bool:
        return name in self._all() or name in self.aliases

    def __setitem__(self, name: str, kind: type) -> None:
        self.check(kind)
        self._all()[name] = kind

    def __delitem__(self, name: str) -> None:
        del self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __repr__(self) -> str:
        return f"Registry({self.group!r}: {', '.join(self._all())})"


def name_of(kind: type) -> str:
    """The `name` of a class, under which it is enrolled."""
    return str(vars_of(kind)["name"])


def vars_of(kind: type) -> dict[str, Any]:
    """All attributes of a class by name, its bases' among them."""
    return {name: value for base in reversed(kind.__mro__) for name, value in vars(base).items()}


def _warn(point: EntryPoint, group: str, why: str) -> None:
    package = point.dist.name if point.dist else "an unnamed package"
    message = f"Left out {point.name!r} of {package} ({PREFIX}{group} = {point.value}): {why}"
    warnings.warn(message, PluginWarning, stacklevel=5)
