"""`--set` and `--set-network`: choices of a system's or a network's own, read as values of their fields' types."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import Field, fields
from functools import reduce
from operator import or_
from types import NoneType, SimpleNamespace, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from capacity.cli.catalogue import PLACES, declared_attribute, is_declared
from capacity.runtime.allowed import check_allowed
from capacity.runtime.declared import UndeclaredError, declared_fields
from capacity.runtime.names import check_name

OF_NETWORKS = ("architecture", "encoder")  # fields that other options decide
SIZES = tuple[int, ...]  # written as 32x32x1
WRITTEN: dict[Any, Callable[[str], Any]] = {
    bool: {"true": True, "false": False}.__getitem__,
    int: int,
    float: float,
    NoneType: {"none": None}.__getitem__,
    SIZES: lambda text: tuple(int(size) for size in text.split("x")),
    str: str,
}
"""How values are read, the narrowest first."""
WORDS = {bool: "true or false", NoneType: "none", SIZES: "sizes as in 32x32x1"}


def read_choices(kinds: dict[str, Any], texts: tuple[str, ...], option: str = "--set") -> dict[str, Any]:
    """The choices of the one class asked for, 'NAME=VALUE', as values of the types that they have.

    Args:
        kinds: that class, under its name.
        texts: as they were typed.
        option: where, for refusals.

    Raises:
        ValueError: for a choice that the class has not, or of another type.
    """
    if not texts:
        return {}
    kind = next(iter(kinds.values()))
    return _read({field.name: _annotation(kind, field) for field in fields(kind)}, texts, option)


def check_choices(name: str, texts: Sequence[str], kind: str = "system", option: str = "--set") -> dict[str, Any]:
    """The same of a name, without its class, whose fields are read where they are declared; also what they may be.

    Nothing is said of a class that another package brings, or whose fields have other types: it is asked later.

    Args:
        name: of a system or a network.
        texts: as they were typed.
        kind: "system" or "network".
        option: where they were typed, for refusals.

    Raises:
        ValueError: for a choice that the class has not, of another type, or out of its range.
    """
    with suppress(UndeclaredError):
        if texts and is_declared(kind):
            declared = declared_fields(PLACES[kind].enrolled, name)
            chosen = _read({field: _called(text) for field, text in declared.items()}, texts, option)
            check_allowed(declared_attribute(kind, name, "allowed", {}), chosen)
            return chosen
    return {}


def _read(annotations: dict[str, object], texts: Sequence[str], option: str) -> dict[str, Any]:
    known = {name: annotation for name, annotation in annotations.items() if name not in OF_NETWORKS}
    chosen = {}
    for typed in texts:
        name, found, text = typed.partition("=")
        if not found or not known:
            raise ValueError(f"Expected {option} NAME=VALUE, of {', '.join(known) or 'nothing'}; got {typed!r}.")
        check_name(name, known, option)
        chosen[name] = parse_value(text, known[name], typed, option)
    return chosen


def _called(annotation: str) -> object:
    """The type of this name, or the union of several; Any where one of them is not known here."""
    words = {"None": NoneType, str(SIZES): SIZES} | {kind.__name__: kind for kind in WRITTEN if kind != SIZES}
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


def parse_value(
    text: str, annotation: object, typed: str, option: str = "--set"
) -> str | bool | int | float | tuple[int, ...] | None:
    """The value of a field.

    Args:
        text: what was given.
        annotation: the field's type, or a union of several; a number where it is none of those that can be written.
        typed: the whole choice, for the refusal.
        option: where it was typed, likewise.

    Examples:
        >>> parse_value("3", int | None, "layers=3"), parse_value("8x8x1", tuple[int, ...], "layout=8x8x1")
        (3, (8, 8, 1))

    Raises:
        ValueError: for a text that is no such value.
    """
    parts = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    kinds = [kind for kind in WRITTEN if kind in parts]
    for kind in kinds if set(kinds) - {NoneType} else [*kinds, float]:
        try:
            value: str | bool | int | float | tuple[int, ...] | None = WRITTEN[kind](text)
            return value
        except (KeyError, ValueError):
            continue
    words = ", or ".join(WORDS.get(kind, kind.__name__) for kind in kinds) or "a number"
    raise ValueError(f"Expected {option} NAME=VALUE with a value that is {words}; got {typed!r}.")
