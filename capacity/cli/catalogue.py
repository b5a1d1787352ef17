"""Everything that has a name on the command line, by kind: names and words, without loading JAX where that can be.

The registries themselves are asked where they are loaded already, or where an installed package adds to them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import entry_points
from typing import Any, NamedTuple

from capacity.runtime.declared import Declared, UndeclaredError, declared_constant, declared_literal, declared_members
from capacity.runtime.names import check_name


class Place(NamedTuple):
    """Where a kind's classes are enrolled: the module that lists them, and the one that holds the registry."""

    enrolled: str
    registry: str


PLACES = {
    "system": Place("capacity.systems", "capacity.systems"),
    "network": Place("capacity.systems.networks", "capacity.systems.networks"),
    "source": Place("synthetic.registry", "capacity.cli.sources"),
    "channel": Place("capacity.channels", "capacity.channels"),
    "code": Place("capacity.systems.codes", "capacity.systems.codes"),
    "bound": Place("capacity.bounds", "capacity.bounds"),
    "estimator": Place("capacity.estimators.registry", "capacity.estimators.registry"),
    "claim": Place("capacity.claims", "capacity.claims"),
}
KINDS = tuple(PLACES)


def registries() -> dict[str, Mapping[str, Any]]:
    """The classes themselves, by kind and name; those of installed packages too. Loads JAX."""
    from capacity.bounds import BOUNDS
    from capacity.channels import CHANNELS
    from capacity.claims import CLAIMS
    from capacity.cli.sources import SOURCES
    from capacity.estimators.registry import ESTIMATORS
    from capacity.systems import SYSTEMS
    from capacity.systems.codes import HANDMADE
    from capacity.systems.networks import NETWORKS

    return {
        "system": SYSTEMS,
        "network": NETWORKS,
        "source": SOURCES,
        "channel": CHANNELS,
        "code": HANDMADE,
        "bound": BOUNDS,
        "estimator": ESTIMATORS,
        "claim": CLAIMS,
    }


def summary(kind: str, member: Any) -> str:
    """The line that says what it is; of a claim, its sentence."""
    return str(getattr(member, _words_of(kind)))


def enrolled(kind: str) -> Declared:
    """Names of a kind with the line that says what each is, in the registry's order, and old names."""
    if is_declared(kind):
        try:
            return declared_members(PLACES[kind].enrolled, _words_of(kind))
        except UndeclaredError:
            pass  # written in another way: the classes say it themselves
    registry = registries()[kind]
    words = {name: summary(kind, member) for name, member in registry.items()}
    return Declared(words, tuple(registry.aliases))  # type: ignore[attr-defined]


def is_declared(kind: str) -> bool:
    """Whether a kind's classes are read where they are declared: they are not loaded, and no package adds to them."""
    return PLACES[kind].registry not in sys.modules and not entry_points(group=f"infocapacity.{kind}s")


def declared_attribute(kind: str, name: str, attribute: str, default: Any) -> Any:
    """A plain value in the body of a class of the toolkit's, without loading it.

    Args:
        kind: as "system".
        name: of the class.
        attribute: of it.
        default: where the class does not say, or is another package's, which is asked later.
    """
    try:
        return declared_literal(PLACES[kind].enrolled, name, attribute, default) if is_declared(kind) else default
    except UndeclaredError:
        return default


def constant_names(module: str, name: str) -> tuple[str, ...]:
    """A module's tuple of names, or the keys of its dictionary."""
    return tuple(declared_constant(module, name))


def check_member(name: str, kind: str, option: str) -> None:
    """Refuse a name of none of its kind, with the nearest ones.

    Args:
        name: as it was typed; old names are known.
        kind: as "system".
        option: where it was typed, as "--system".

    Raises:
        ValueError: naming all that there are.
    """
    known = enrolled(kind)
    if name not in known.aliases:
        check_name(name, known.words, option)


def names_of(kind: str) -> Callable[[str], Sequence[tuple[str, str]]]:
    """What the shell offers for an option that takes a name of this kind."""

    def complete(incomplete: str) -> list[tuple[str, str]]:
        return [(name, words) for name, words in enrolled(kind).words.items() if name.startswith(incomplete)]

    return complete


def _words_of(kind: str) -> str:
    return "sentence" if kind == "claim" else "summary"
