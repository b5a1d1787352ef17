"""What a class lacks of a contract: an abstract base class or a protocol, read as it is written.

A contract asks for its abstract members, for its class attributes without a value (`name: ClassVar[str]`), and of a
class that does not inherit its defaults for these too.
"""

from __future__ import annotations

from abc import ABC, ABCMeta
from dataclasses import fields, is_dataclass
from inspect import get_annotations
from typing import Generic, Protocol

_BASES = (object, ABC, Generic, Protocol)


def missing_members(kind: type, contract: type) -> list[str]:
    """Names of the contract's members that a class lacks, in the contract's order.

    Examples:
        >>> from abc import abstractmethod
        >>> from typing import ClassVar
        >>> class Shape(ABC):
        ...     name: ClassVar[str]
        ...     sides: ClassVar[int] = 4
        ...     @abstractmethod
        ...     def area(self): ...
        >>> class Square(Shape):
        ...     name = "square"
        >>> missing_members(Square, Shape), missing_members(int, Shape)
        (['area'], ['name', 'sides', 'area'])
    """
    abstract = kind.__abstractmethods__ if isinstance(kind, ABCMeta) else frozenset()
    given = _members(kind, contract) - abstract
    return [name for name in members(contract) if name not in given]


def members(contract: type) -> list[str]:
    """Names of the public members that a contract has, and of `__call__` where it has one; bases first."""
    names: dict[str, None] = {}
    for base in reversed(contract.__mro__):
        if base not in _BASES:
            names |= dict.fromkeys([*get_annotations(base), *vars(base)])
    return [name for name in names if not name.startswith("_") or name == "__call__"]


def _members(kind: type, contract: type) -> set[str]:
    """What a class has: attributes and methods, own or inherited, and fields that it declares."""
    names = {field.name for field in fields(kind)} if is_dataclass(kind) else set()
    for base in kind.__mro__:
        if base is not object:
            names |= set(vars(base))
            if base not in contract.__mro__:
                declared = get_annotations(base)
                names |= {name for name, meant in declared.items() if "ClassVar" not in str(meant)}
    return names
