"""What the choices of a class may be, in its body as plain text: told before JAX is loaded, and held to by the class.

    allowed = {"temperature": "(0, inf)", "rule": ("even", "fsq"), "level": "[2, inf) whole"}

An interval has its ends in it by `[` or `]`, and not by `(` or `)`; `whole` after it means whole numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from capacity.runtime.names import check_name

Allowed: TypeAlias = Mapping[str, str | tuple[str, ...]]
"""Intervals, or names, by what they are of: a field, or "level"."""


def check_allowed(allowed: Allowed, choices: Mapping[str, Any]) -> None:
    """Refuse choices that are out of their range, or none of the names that there are; None is no choice.

    Args:
        allowed: of a class; what it does not name may be anything.
        choices: by name.

    Raises:
        TypeError: for what is no name where one is expected.
        ValueError: naming the range, or the names.

    Examples:
        >>> check_allowed({"rate": "[0, 1)"}, {"rate": 1.0})
        Traceback (most recent call last):
        ValueError: Expected rate in [0, 1); got 1.0.
    """
    for name, value in choices.items():
        rule = allowed.get(name)
        if rule is None or value is None:
            continue
        if isinstance(rule, tuple):
            check_name(value, rule, name)
        elif not _within(value, rule):
            raise ValueError(f"Expected {name} in {rule}; got {value}.")


def _within(value: float, rule: str) -> bool:
    interval = rule.removesuffix(" whole")
    low, high = (float(end) for end in interval[1:-1].split(","))
    above = value >= low if interval[0] == "[" else value > low
    below = value <= high if interval[-1] == "]" else value < high
    return bool(above and below and (interval == rule or value % 1 == 0))
