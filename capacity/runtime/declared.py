"""What is enrolled in a registry, read from the source where it is declared: names and summaries without imports.

To import the classes takes seconds, since they stand on JAX.  A registry's module imports its classes and lists them
in one tuple; each class says its `name` and what it is as plain strings in its body.  Where it is written otherwise,
`UndeclaredError` says so, and the registry itself must be asked.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Container, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple


class UndeclaredError(LookupError):
    """The source cannot be read, or says it in another way."""


class Declared(NamedTuple):
    """The members' words by name, in the registry's order, and the old names that are still known."""

    words: dict[str, str]
    aliases: tuple[str, ...]


def declared_members(module: str, attribute: str = "summary") -> Declared:
    """The classes that a registry's module enrols.

    Args:
        module: its full name.
        attribute: of each class: what it is, in words.

    Raises:
        UndeclaredError: for a module that does not list plain classes.
    """
    tree = _parsed(module)
    words, aliases = {}, list(_aliases(tree))
    for home, name in _enrolled(module, tree):
        said = _strings(home, name)
        if not {"name", attribute} <= said.keys():
            raise UndeclaredError(f"Expected name and {attribute} in the body of {home}.{name}, as strings.")
        words[said["name"]] = said[attribute]
        if said.get("former_name"):
            aliases.append(said["former_name"])
    return Declared(words, tuple(aliases))


def declared_fields(module: str, member: str) -> dict[str, str]:
    """The dataclass fields of one of the classes that a registry's module enrols: annotations by name, as they stand.

    Args:
        module: its full name.
        member: the class's `name`.

    Raises:
        UndeclaredError: where there is none of that name, or where it, or a class that it extends, is not plain.
    """
    return _fields(*_home(module, member))


def declared_literal(module: str, member: str, attribute: str, default: Any) -> Any:
    """A plain value in the body of one of the classes that a registry's module enrols, or of one that it extends.

    Args:
        module: its full name.
        member: the class's `name`.
        attribute: of the class.
        default: what it is where no body says it.

    Raises:
        UndeclaredError: where there is no class of that name, or the value is not plain.
    """
    found = _inherited(*_home(module, member), attribute)
    return default if found is None else _literal(found, f"{attribute} of {member}")


def declared_constant(module: str, name: str) -> Any:
    """The value of a module's constant, or the keys of a dictionary of constants.

    Raises:
        UndeclaredError: if it is not there, or not plain.
    """
    for target, value in _assignments(_parsed(module).body):
        if target == name:
            if isinstance(value, ast.Dict):
                return tuple(_literal(key, f"a key of {name}") for key in value.keys if key is not None)
            return _literal(value, name)
    raise UndeclaredError(f"Expected {name} in {module}.")


def _literal(node: ast.expr, what: str) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError as error:
        raise UndeclaredError(f"Expected {what} to be plain.") from error


@cache
def _parsed(module: str) -> ast.Module:
    top, *inner = module.split(".")
    spec = find_spec(top)
    if spec is None or not spec.submodule_search_locations:
        raise UndeclaredError(f"Expected a package {top}.")
    path = Path(spec.submodule_search_locations[0], *inner)
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    try:
        return ast.parse(path.read_bytes())
    except (OSError, SyntaxError) as error:
        raise UndeclaredError(f"Expected the source of {module}; got {error}.") from error


def _imported(tree: ast.Module) -> dict[str, tuple[str, str]]:
    """Where a module's names come from: another module, and the name there."""
    return {
        alias.asname or alias.name: (node.module, alias.name)
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }


def _enrolled(module: str, tree: ast.Module) -> list[tuple[str, str]]:
    """The classes that a registry's module lists, each as its own module and its name."""
    homes = _imported(tree)
    lists = [names for node in ast.walk(tree) if isinstance(node, ast.Tuple) and (names := _names(node, homes))]
    if len(lists) != 1:
        raise UndeclaredError(f"Expected one tuple of imported classes in {module}; got {len(lists)}.")
    return [homes[name] for name in lists[0]]


def _home(module: str, member: str) -> tuple[str, str]:
    """Module and name of the class of this `name`."""
    for home, name in _enrolled(module, _parsed(module)):
        if _strings(home, name).get("name") == member:
            return home, name
    raise UndeclaredError(f"Expected {member} among the classes of {module}.")


def _fields(module: str, name: str) -> dict[str, str]:
    """Annotations of a class and of those that it extends, where these have any; class variables left out."""
    found = dict[str, str]()
    for home in reversed(_bases(module, name)):
        found |= _fields(*home)
    for part in _class(_parsed(module), module, name).body:
        if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
            annotation = ast.unparse(part.annotation)
            if not annotation.startswith("ClassVar"):
                found[part.target.id] = annotation
    return found


def _inherited(module: str, name: str, attribute: str) -> ast.expr | None:
    """What is assigned in the body of a class, or of the first that it extends and that does; None where none does.

    Raises:
        UndeclaredError: where it is a property, whose value nothing but the class tells.
    """
    body = _class(_parsed(module), module, name).body
    if any(isinstance(part, ast.FunctionDef) and part.name == attribute for part in body):
        raise UndeclaredError(f"Expected {attribute} of {module}.{name} to be plain; got a property.")
    for target, value in _assignments(body):
        if target == attribute:
            return value
    found = (_inherited(*home, attribute) for home in _bases(module, name))
    return next((value for value in found if value is not None), None)


def _bases(module: str, name: str) -> list[tuple[str, str]]:
    """The classes that a class extends, as modules and names, without the standard library's."""
    tree = _parsed(module)
    homes = _imported(tree) | {part.name: (module, part.name) for part in tree.body if isinstance(part, ast.ClassDef)}
    found = []
    for base in _class(tree, module, name).bases:
        home = homes.get(base.id) if isinstance(base, ast.Name) else None
        if home is None:
            raise UndeclaredError(f"Expected imported classes that {module}.{name} extends; got {ast.unparse(base)}.")
        if home[0].partition(".")[0] not in sys.stdlib_module_names:
            found.append(home)
    return found


def _names(node: ast.Tuple, known: Container[str]) -> list[str]:
    names = [item.id for item in node.elts if isinstance(item, ast.Name)]
    return names if len(names) == len(node.elts) and all(name in known for name in names) else []


def _aliases(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "aliases" and isinstance(node.value, ast.Dict):
            yield from ast.literal_eval(node.value)


def _strings(module: str, name: str) -> dict[str, str]:
    return {
        target: value.value
        for target, value in _assignments(_class(_parsed(module), module, name).body)
        if isinstance(value, ast.Constant) and isinstance(value.value, str)
    }


def _class(tree: ast.Module, module: str, name: str) -> ast.ClassDef:
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == name:
            return node
    raise UndeclaredError(f"Expected a class {name} in {module}.")


def _assignments(body: list[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    for node in body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            yield node.target.id, node.value
