"""Frozen dataclasses as pytrees, whose checks do not run again inside `jax.jit`."""

import dataclasses
from collections.abc import Callable, Iterable
from typing import TypeVar

import jax

T = TypeVar("T")


def register(*static: str) -> Callable[[type[T]], type[T]]:
    """Class decorator: make a dataclass a pytree whose `static` fields are configuration.

    All other fields are data, so that sources of one shape stack and pass through `jax.jit`.
    `jax.tree_util.register_dataclass` is not used because it rebuilds through `__init__`, whose
    checks must not run on tracers, on stacked leaves, or again at each crossing of a `jit`.

    Raises:
      ValueError: a static field that the class does not have.
    """

    def enrol(cls: type[T]) -> type[T]:
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

    return enrol
