"""Counts that callers give: whole numbers in a range, told before any work."""

from __future__ import annotations

import operator
from dataclasses import fields, is_dataclass

from capacity.runtime.names import brief

LARGEST = 2**31 - 1
LEAST = {"depth": 0}  # of fields that count; of the others 1


def whole(value: object, name: str, least: int | None = 1, most: int | None = LARGEST) -> int:
    """The number as an int.

    Args:
        value: as it was given; NumPy's whole numbers are taken, 3.0 is not.
        name: what it is called, for refusals.
        least, most: its range; None where the caller says more of what lies outside.

    Raises:
        TypeError: for what is no whole number.
        ValueError: for one out of range.

    Examples:
        >>> whole(3, "samples")
        3
        >>> whole(10**12, "samples")
        Traceback (most recent call last):
        ValueError: Expected samples of at most 2147483647; got 1000000000000.
    """
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None or isinstance(value, bool):
        raise TypeError(f"Expected {name} as a whole number; got {brief(repr(value))}.")
    if least is not None and number < least:
        raise ValueError(f"Expected {name} of at least {least}; got {brief(str(number))}.")
    if most is not None and number > most:
        raise ValueError(f"Expected {name} of at most {most}; got {brief(str(number))}.")
    return number


def check_fields(choices: object) -> dict[str, int]:
    """All whole numbers among the fields of a dataclass, and of dataclasses in it, each checked by `whole`.

    Of a name that comes twice, the larger one.

    Raises:
        TypeError, ValueError: as `whole` does, naming the field.
    """
    found: dict[str, int] = {}
    if not is_dataclass(choices) or isinstance(choices, type):
        return found
    for field in fields(choices):
        value = getattr(choices, field.name)
        if field.type in ("int", int):
            found[field.name] = whole(value, field.name, LEAST.get(field.name, 1))
        else:
            found |= {name: max(count, found.get(name, 0)) for name, count in check_fields(value).items()}
    return found
