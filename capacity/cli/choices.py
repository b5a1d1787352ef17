"""`--set`: the choices of a system's own, read as values of the types that its fields have."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import Field, fields
from functools import reduce
from importlib.metadata import entry_points
from operator import or_
from types import NoneType, SimpleNamespace, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from capacity.cli.catalogue import PLACES
from capacity.runtime.declared import UndeclaredError, declared_fields
from capacity.runtime.names import check_name

OF_NETWORKS = ("architecture", "encoder")  # fields that other options decide
WRITTEN: dict[type, Callable[[str], Any]] = {
    bool: {"true": True, "false": False}.__getitem__,
    int: int,
    float: float,
    NoneType: {"none": None}.__getitem__,
    str: str,
}
"""How values of `--set` are read, the narrowest first."""


def read_choices(kinds: dict[str, Any], texts: tuple[str, ...]) -> dict[str, Any]:
    """The choices of the one system asked for, 'NAME=VALUE', as values of the types that they have.

    Raises:
        ValueError: for a choice that the system has not, or of another type.
    """
    if not texts:
        return {}
    kind = next(iter(kinds.values()))
    return _read({field.name: _annotation(kind, field) for field in fields(kind)}, texts)


def check_choices(system: str, texts: Sequence[str]) -> None:
    """The same of a system's name, without its class, whose fields are read where they are declared.

    Nothing is said of a system that another package brings, or whose fields have other types: its class is asked later.

    Raises:
        ValueError: for a choice that the system has not, or of another type.
    """
    if not texts or PLACES["system"].registry in sys.modules or entry_points(group="infocapacity.systems"):
        return
    with suppress(UndeclaredError):
        declared = declared_fields(PLACES["system"].enrolled, system)
        _read({name: _called(text) for name, text in declared.items()}, texts)


def _read(annotations: dict[str, object], texts: Sequence[str]) -> dict[str, Any]:
    known = {name: annotation for name, annotation in annotations.items() if name not in OF_NETWORKS}
    chosen = {}
    for option in texts:
        name, found, text = option.partition("=")
        if not found or not known:
            raise ValueError(f"Expected --set NAME=VALUE, of {', '.join(known) or 'nothing'}; got {option!r}.")
        check_name(name, known, "--set")
        chosen[name] = parse_value(text, known[name], option)
    return chosen


def _called(annotation: str) -> object:
    """The type of this name, or the union of several; Any where one of them is not known here."""
    words = {"None": NoneType} | {kind.__name__: kind for kind in WRITTEN}
    parts = annotation.split(" | ")
    return reduce(or_, (words[part] for part in parts)) if all(part in words for part in parts) else Any


def _annotation(kind: type, field: Field[Any]) -> object:
    """The field's type, also of a class whose annotations are text; Any where a name in it is not to be had."""
    if not isinstance(field.type, str):
        return field.type
    owner = next(parent for parent in kind.__mro__ if field.name in vars(parent).get("__annotations__", {}))
    alone = SimpleNamespace(__annotations__={field.name: field.type})
    try:
        return get_type_hints(alone, vars(sys.modules[owner.__module__]))[field.name]
    except NameError:
        return Any


def parse_value(text: str, annotation: object, option: str) -> str | bool | int | float | None:
    """The value of a field.

    Args:
        text: what was given.
        annotation: the field's type, or a union of several; a number where it is none of those that can be written.
        option: the whole option, for the refusal.

    Examples:
        >>> parse_value("3", int | None, "--set layers=3")
        3

    Raises:
        ValueError: for a text that is no such value.
    """
    parts = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    kinds = [kind for kind in WRITTEN if kind in parts]
    for kind in kinds if set(kinds) - {NoneType} else [*kinds, float]:
        try:
            value: str | bool | int | float | None = WRITTEN[kind](text)
            return value
        except (KeyError, ValueError):
            continue
    words = ", or ".join({bool: "true or false", NoneType: "none"}.get(k, k.__name__) for k in kinds) or "a number"
    raise ValueError(f"Expected --set NAME=VALUE with a value that is {words}; got {option!r}.")
