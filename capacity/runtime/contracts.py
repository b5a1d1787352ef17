"""What a class lacks of a contract: an abstract base class or a protocol, read as it is written.

A contract asks for its abstract members, for its class attributes without a value (`name: ClassVar[str]`), and of a
class that does not inherit its defaults for these too.  What a base class in between leaves abstract is asked for as
well, and methods take the parameters that they share with the contract's in the contract's order.
"""

from __future__ import annotations

from abc import ABC, ABCMeta
from collections.abc import Container, Mapping
from dataclasses import fields, is_dataclass
from inspect import Parameter, get_annotations, getattr_static, isfunction, signature
from types import FunctionType
from typing import Generic, Protocol

_BASES = (object, ABC, Generic, Protocol)
_BY_POSITION = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)


def check_class(kind: object, contract: type, renamed: Mapping[str, str] | None = None) -> None:
    """Refuse what is no class, defines a member by its old name, lacks one, or takes arguments in another order.

    Args:
        kind: what should be a class that keeps the contract, whether it inherits from it or not.
        contract: an abstract base class or a protocol.
        renamed: members that go by a new name since: old and new; the old ones are not asked for.

    Raises:
        TypeError: naming what is missing, or what is as it was before.
    """
    if not isinstance(kind, type):
        raise TypeError(f"Expected a class; got {kind!r}.")
    renamed = renamed or {}
    outside = {name for base in kind.__mro__ if base not in contract.__mro__ for name in vars(base)}
    for old, new in renamed.items():
        if old in outside:
            raise TypeError(f"Expected {new}, the name of {old} since release 0.2; got {full_name(kind)} with {old}.")
    missing = missing_members(kind, contract, renamed)
    if missing:
        inherits = "" if contract in kind.__mro__ else " (which gives defaults to what inherits it)"
        raise TypeError(
            f"Expected a class with {', '.join(missing)}, as {full_name(contract)} says{inherits}; "
            f"got {full_name(kind)}."
        )
    for name, (wanted, found) in reordered(kind, contract).items():
        raise TypeError(
            f"Expected the arguments of {name} in the order {', '.join(wanted)}, as {full_name(contract)} says; "
            f"got {', '.join(found)} in {full_name(kind)}."
        )


def check_instance(value: object, contract: type, renamed: Mapping[str, str] | None = None) -> None:
    """Refuse a class in place of an instance, and an instance of a class that does not keep the contract.

    Args:
        value: what should be an instance.
        contract: as in `check_class`.
        renamed: as in `check_class`.

    Raises:
        TypeError: naming what was given, or what is missing.
    """
    refuse_class(value, contract.__name__)
    check_class(type(value), contract, renamed)


def refuse_class(value: object, what: str) -> None:
    """Refuse a class in place of its instance.

    Raises:
        TypeError: naming the class.
    """
    if isinstance(value, type):
        raise TypeError(f"Expected an instance of {what}; got the class {value.__name__}: write {value.__name__}(...).")


def full_name(kind: type) -> str:
    """Module and name of a class."""
    return f"{kind.__module__}.{kind.__qualname__}"


def missing_members(kind: type, contract: type, without: Container[str] = ()) -> list[str]:
    """Names of the contract's members that a class lacks, in the contract's order, then of what it leaves abstract.

    Args:
        kind: a class.
        contract: an abstract base class or a protocol.
        without: names of the contract that are not asked for.

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
    given, asked = _members(kind, contract) - abstract, members(contract)
    missing = [name for name in asked if name not in given and name not in without]
    return missing + sorted(abstract - set(asked))


def reordered(kind: type, contract: type) -> dict[str, tuple[list[str], list[str]]]:
    """Methods that take parameters of the contract's names in another order than it does: both orders by the name."""
    orders = {}
    for name in members(contract):
        asked, own = getattr_static(contract, name, None), getattr_static(kind, name, None)
        if isfunction(asked) and isfunction(own) and asked is not own:
            wanted, found = _parameters(asked), _parameters(own)
            if [one for one in wanted if one in found] != [one for one in found if one in wanted]:
                orders[name] = wanted, found
    return orders


def _parameters(method: FunctionType) -> list[str]:
    """Names of what it takes by position, after the instance."""
    return [name for name, one in signature(method).parameters.items() if one.kind in _BY_POSITION][1:]


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
