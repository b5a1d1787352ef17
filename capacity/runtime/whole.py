"""Counts that callers give: whole numbers in a range, told before any work."""

from __future__ import annotations

import operator

LARGEST = 2**31 - 1


def whole(value: object, name: str, least: int = 1, most: int = LARGEST) -> int:
    """The number as an int.

    Args:
        value: as it was given; NumPy's whole numbers are taken, 3.0 is not.
        name: what it is called, for refusals.
        least, most: its range.

    Raises:
        TypeError: for what is no whole number.
        ValueError: for one out of range.

    Examples:
        >>> whole(3, "samples")
        3
        >>> whole(10**12, "samples")
        Traceback (most recent call last):
        ValueError: Expected samples of at least 1 and at most 2147483647; got 1000000000000.
    """
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = None
    if number is None or isinstance(value, bool):
        raise TypeError(f"Expected {name} as a whole number; got {value!r}.")
    if not least <= number <= most:
        raise ValueError(f"Expected {name} of at least {least} and at most {most}; got {number}.")
    return number
