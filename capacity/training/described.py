"""What a system is, in words and numbers for a run's configuration, and whether these say all that it does.

Names and numbers say it of the toolkit's own classes.  Of somebody else's class, function or array they do not: then
the digest of what runs stands beside them (`Training.program`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import partial
from types import BuiltinFunctionType, FunctionType
from typing import Any

import jax
import numpy as np

from capacity.runtime.files.store import fingerprint
from capacity.runtime.registry import vars_of

OWN = ("capacity",)  # the package whose classes are known by their names and numbers


def described(value: object, field: str = "system") -> Any:
    """A value as JSON: dataclasses by their fields (and name), functions and classes by where they are defined.

    Args:
        value: a system, or what is in its fields.
        field: where it stands, for the refusal.

    Raises:
        ValueError: for what can be neither written nor told apart, naming the field.
    """
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if is_dataclass(value) and not isinstance(value, type):
        name = vars_of(type(value)).get("name")
        called = {"name": name} if isinstance(name, str) else {}
        return called | {one.name: described(getattr(value, one.name), f"{field}.{one.name}") for one in fields(value)}
    if isinstance(value, np.ndarray | jax.Array):
        return f"array {fingerprint(np.asarray(value))[:16]}"
    if isinstance(value, Mapping):
        return {str(key): described(one, f"{field}[{key!r}]") for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [described(one, f"{field}[{number}]") for number, one in enumerate(value)]
    if isinstance(value, partial):
        return [described(part, f"{field} (a partial)") for part in (value.func, value.args, value.keywords)]
    if callable(value):
        named = value if isinstance(value, type | FunctionType | BuiltinFunctionType) else type(value)
        return f"{named.__module__}.{named.__qualname__}"
    raise ValueError(
        f"Expected {field} as a number, string, tuple, array, function, class or dataclass, so that a run can say what "
        f"it was made with; got {type(value).__name__}. Make its class a frozen dataclass."
    )


def is_toolkits(value: object) -> bool:
    """Whether a value is made of the toolkit's own classes and of plain numbers alone.

    Args:
        value: a system, or what is in its fields.
    """
    if value is None or isinstance(value, bool | int | float | str | np.generic):
        return True
    if is_dataclass(value) and not isinstance(value, type):
        own = type(value).__module__.partition(".")[0] in OWN
        return own and all(is_toolkits(getattr(value, one.name)) for one in fields(value))
    if isinstance(value, Mapping):
        return all(map(is_toolkits, value.values()))
    return isinstance(value, tuple | list) and all(map(is_toolkits, value))


def check_hashable(system: object) -> None:
    """Refuse a system that compiled programs cannot be kept for.

    Raises:
        ValueError: for fields that cannot be hashed.
    """
    try:
        hash(system)
    except TypeError as error:
        raise ValueError(
            f"Expected a system whose fields can be hashed, since programs are kept by it: tuples instead of lists and "
            f"arrays, frozen dataclasses; got {error}."
        ) from None
