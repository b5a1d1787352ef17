"""Frozen dataclasses as pytrees that compiled programs tell apart.

`jax.tree_util.register_dataclass` is not used.  In JAX 0.10 two of its classes whose fields are alike count as equal
structures, although their hashes differ: `jax.jit` keeps its programs by structure, and about one time in a hundred,
when seven bits of the hashes agree, runs the program of one class for the other without a word.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from functools import cache
from types import SimpleNamespace
from typing import Any, TypeVar

import jax

T = TypeVar("T")


def register_dataclass(kind: type[T]) -> type[T]:
    """Class decorator: a dataclass as a pytree, in place of `jax.tree_util.register_dataclass`.

    Fields with `metadata={"static": True}` are configuration, compared with `==`; all others are data.  An instance is
    rebuilt without `__init__`, whose checks must not run on tracers.

    Args:
        kind: a dataclass.

    Raises:
        TypeError: for what is no dataclass.

    Examples:
        >>> @register_dataclass
        ... @dataclasses.dataclass(frozen=True)
        ... class Line:
        ...     slope: float
        ...     name: str = dataclasses.field(default="line", metadata={"static": True})
        >>> jax.tree.map(lambda leaf: 2 * leaf, Line(1.5))
        Line(slope=3.0, name='line')
    """
    if not (isinstance(kind, type) and dataclasses.is_dataclass(kind)):
        raise TypeError(f"Expected a dataclass; got {kind!r}: put @dataclass(frozen=True) below the decorator.")
    fields = dataclasses.fields(kind)
    static = [field.name for field in fields if field.metadata.get("static", False)]
    data = [field.name for field in fields if field.name not in static]
    keys = [jax.tree_util.GetAttrKey(name) for name in data]

    def flatten(value: T) -> tuple[list[object], tuple[object, ...]]:
        return [getattr(value, name) for name in data], tuple(getattr(value, name) for name in static)

    def flatten_with_keys(value: T) -> tuple[list[tuple[Any, object]], tuple[object, ...]]:
        leaves, configuration = flatten(value)
        return list(zip(keys, leaves, strict=True)), configuration

    def unflatten(configuration: tuple[object, ...], leaves: Iterable[Any]) -> Any:
        value = object.__new__(kind)
        for name, part in zip([*data, *static], [*leaves, *configuration], strict=True):
            object.__setattr__(value, name, part)
        return value

    jax.tree_util.register_pytree_with_keys(kind, flatten_with_keys, unflatten, flatten)
    return kind


def mistakable(tree: object) -> list[type]:
    """Classes of a pytree's nodes that JAX takes for others with fields alike; none where JAX tells them apart.

    Args:
        tree: a pytree, such as a channel.
    """
    found: dict[type, object] = {}

    def note(node: object) -> bool:
        found.setdefault(type(node), node)
        return False

    jax.tree.leaves(tree, is_leaf=note)
    return [kind for kind, node in found.items() if _is_mistakable(kind, node)]


def refuse_mistakable(tree: object, what: str) -> None:
    """Refuse a pytree whose compiled programs might be run for another's.

    Args:
        tree: a pytree.
        what: what it is, for the message.

    Raises:
        TypeError: naming the classes.
    """
    kinds = mistakable(tree)
    if kinds:
        raise TypeError(
            f"Expected {what} whose class is told from others; got {', '.join(kind.__name__ for kind in kinds)}: "
            f"JAX {jax.__version__} may run another class's program for one of jax.tree_util.register_dataclass; "
            "decorate it with capacity.register_dataclass instead."
        )


_KNOWN: dict[type, bool] = {}


def _is_mistakable(kind: type, node: object) -> bool:
    """Whether another class with the same fields has an equal structure."""
    if kind not in _KNOWN:
        structure: Any
        leaves, structure = jax.tree.flatten(node, is_leaf=lambda part: part is not node)
        described = structure.node_data()
        if described is None or not isinstance(described[1], tuple):
            return False
        other = _namesake(len(leaves), len(described[1]))(
            **{f"data_{i}": 0 for i in range(len(leaves))},
            **{f"static_{i}": value for i, value in enumerate(described[1])},
        )
        _KNOWN[kind] = bool(structure == jax.tree.structure(other))
    return _KNOWN[kind]


@cache
def _namesake(data: int, static: int) -> type:
    """A class of JAX's own decorator with so many fields."""
    kind = type("Namesake", (SimpleNamespace,), {})
    names = [f"data_{i}" for i in range(data)], [f"static_{i}" for i in range(static)]
    return jax.tree_util.register_dataclass(kind, *names)
