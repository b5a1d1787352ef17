"""Frozen dataclasses as pytrees, whose checks do not run again inside `jax.jit`."""

import dataclasses
from collections.abc import Callable, Iterable
from typing import TypeVar, overload

import jax

T = TypeVar("T")


@overload
def register(static: type[T], /) -> type[T]:
    """Without brackets: a class without static fields, as a pytree."""


@overload
def register(*static: str) -> Callable[[type[T]], type[T]]:
    """With names of static fields, or none: a decorator of the class."""


def register(*static: str | type[T]) -> type[T] | Callable[[type[T]], type[T]]:
    """Class decorator: make a dataclass a pytree whose `static` fields are configuration.

    `@register` without brackets, as `@register()`, is for a class without such fields.

    All other fields are data, so that sources of one shape stack and pass through `jax.jit`.
    `jax.tree_util.register_dataclass` is not used because it rebuilds through `__init__`, whose
    checks must not run on tracers, on stacked leaves, or again at each crossing of a `jit`.

    Raises:
      TypeError: what is neither the name of a field nor the class.
      ValueError: a static field that the class does not have.
    """
    if len(static) == 1 and isinstance(static[0], type):
        return _enrolled(static[0], ())
    names = tuple(name for name in static if isinstance(name, str))
    if len(names) < len(static):
        raise TypeError(f"Expected names of fields, or one class; got {static}.")
    return lambda cls: _enrolled(cls, names)


def _enrolled(cls: type[T], static: tuple[str, ...]) -> type[T]:
    names = [field.name for field in dataclasses.fields(cls)]  # type: ignore[arg-type]
    unknown = sorted(set(static) - set(names))
    if unknown:
        raise ValueError(f"Expected static fields among {names}; got {unknown}.")
    data = [name for name in names if name not in static]

    def flatten(source: T) -> tuple[list[object], tuple[object, ...]]:
        return [getattr(source, k) for k in data], tuple(getattr(source, k) for k in static)

    def flatten_with_keys(source: T) -> tuple[list[tuple[jax.tree_util.GetAttrKey, object]], tuple[object, ...]]:
        leaves, configuration = flatten(source)
        keys = [jax.tree_util.GetAttrKey(name) for name in data]
        return list(zip(keys, leaves, strict=True)), configuration

    def unflatten(configuration: Iterable[object], leaves: Iterable[object]) -> T:
        source = object.__new__(cls)
        for name, value in zip([*data, *static], [*leaves, *configuration], strict=True):
            object.__setattr__(source, name, value)
        return source

    jax.tree_util.register_pytree_with_keys(cls, flatten_with_keys, unflatten, flatten)
    return cls
