"""What the house asks of names, types and docstrings, read from the source alone; offenders as lines.

`python -m tests.craft` prints the counts, with `-v` every offender too.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("capacity", "synthetic")
MIN_WORDS = 4
MIN_PARAMETERS_WITH_ARGS = 4
MAX_ANY_SHARE = 0.03

# Objects of other projects, and objects whose fields are asked by name: nothing here is a contract of this project.
FOREIGN = {
    ("capacity.runtime.cores", "sched_getaffinity"): "os, not on every system",
    ("capacity.report.drawing", "_suptitle"): "matplotlib has no public name for it",
    ("capacity.report.marks", "_orientation"): "matplotlib has no public name for it",
    ("capacity.runtime.tables.foreign", "columns"): "a table of pandas or of anyone else",
    ("capacity.runtime.registry", "*"): "a plug-in is examined when it is enrolled",
}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def modules() -> dict[str, ast.Module]:
    """The parsed source: read by the first who asks, not by every process that collects the tests."""
    files = sorted(file for package in PACKAGES for file in (ROOT / package).rglob("*.py"))
    return {module_name(file): ast.parse(file.read_text()) for file in files}


@cache
def classes() -> dict[str, ast.ClassDef]:
    return {node.name: node for tree in modules().values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}


@cache
def commands() -> set[str]:
    return {
        alias.name
        for node in modules()["capacity.cli.app"].body
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("capacity.cli.")
        for alias in node.names
    }


def public(name: str) -> bool:
    return not name.startswith("_") or name == "__call__"


def top_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements of a module, those in an `if` among them."""
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.Try):
            yield from top_level([*node.body, *node.orelse])


def defined(tree: ast.Module) -> set[str]:
    """Public classes, functions and aliases of types; the last are told from constants by their case."""
    names = set()
    for node in top_level(tree.body):
        if isinstance(node, Function | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {ast.unparse(t) for t in node.targets if re.fullmatch(r"[A-Z][a-z]\w*", ast.unparse(t))}
        elif isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation).endswith("TypeAlias"):
            names.add(ast.unparse(node.target))
    return {name for name in names if not name.startswith("_")}


def second_meanings() -> list[str]:
    homes = defaultdict(list)
    for module, tree in modules().items():
        for name in defined(tree):
            homes[name].append(module)
    return [f"{name}: {', '.join(where)}" for name, where in sorted(homes.items()) if len(where) > 1]


def hidden_modules() -> list[str]:
    """Modules whose name stands for something else in their package."""
    offenders = []
    for file in sorted(file for package in PACKAGES for file in (ROOT / package).rglob("__init__.py*")):
        package, tree = module_name(file), ast.parse(file.read_text())
        bound = defined(tree)
        for node in top_level(tree.body):
            if isinstance(node, ast.ImportFrom) and node.module != package and (node.module or node.level > 1):
                bound |= {alias.asname or alias.name for alias in node.names}
        here = {one.stem for one in file.parent.iterdir() if one.suffix == ".py" or (one / "__init__.py").exists()}
        offenders += [f"{package}.{name}" for name in sorted(here & bound)]
    return sorted(set(offenders))


def parameters(node: Function) -> list[ast.arg]:
    arguments = node.args
    plain = [*arguments.posonlyargs, *arguments.args]
    if plain and plain[0].arg in ("self", "cls", "mcs"):
        plain = plain[1:]
    return [*plain, *arguments.kwonlyargs, *[a for a in (arguments.vararg, arguments.kwarg) if a]]


def names_of_any() -> set[str]:
    """`Any` itself, and aliases that stand for it."""
    each = (
        node
        for tree in modules().values()
        for node in top_level(tree.body)
        if isinstance(node, ast.Assign | ast.AnnAssign)
    )
    aliases = {
        (node.target if isinstance(node, ast.AnnAssign) else node.targets[0])
        for node in each
        if node.value and ast.unparse(node.value) == "Any"
    }
    return {"Any"} | {ast.unparse(name) for name in aliases}


def any_parameters() -> tuple[list[str], int]:
    """Parameters whose type has `Any` in it, also in brackets, and the number of all parameters."""
    offenders, total, anything = [], 0, names_of_any()
    for module, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, Function):
                total += len(parameters(node))
                for one in parameters(node):
                    words = re.findall(r"\w+", ast.unparse(one.annotation)) if one.annotation else ["Any"]
                    if anything & set(words):
                        offenders.append(f"{module}:{node.lineno} {node.name}({one.arg})")
    return offenders, total


def contract_questions() -> list[str]:
    """Calls of hasattr, and of getattr with a name that is written down."""
    offenders = []
    for module, tree in modules().items():
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) > 1):
                continue
            name = node.args[1].value if isinstance(node.args[1], ast.Constant) else None
            asks = node.func.id == "hasattr" or (node.func.id == "getattr" and (name or len(node.args) > 2))
            if asks and not {(module, name), (module, "*")} & FOREIGN.keys():
                offenders.append(f"{module}:{node.lineno} {ast.unparse(node)}")
    return offenders


def documented() -> Iterator[tuple[str, ast.ClassDef | None, ast.Module | ast.ClassDef | Function]]:
    """Public modules, classes, functions and methods: where, the class of a method, the node."""
    for module, tree in modules().items():
        yield module, None, tree
        for node in top_level(tree.body):
            if isinstance(node, Function | ast.ClassDef) and public(node.name):
                yield f"{module}:{node.lineno} {node.name}", None, node
                for one in node.body if isinstance(node, ast.ClassDef) else []:
                    if isinstance(one, Function) and public(one.name):
                        yield f"{module}:{one.lineno} {node.name}.{one.name}", node, one


def short_docstrings() -> list[str]:
    each = ((where, ast.get_docstring(node)) for where, _, node in documented())
    return [f"{where}: {text!r}" for where, text in each if text and len(text.split()) < MIN_WORDS]


def ancestors(owner: ast.ClassDef) -> Iterator[ast.ClassDef]:
    for base in owner.bases:
        name = ast.unparse(base).split("[")[0].split(".")[-1]
        if name in classes() and classes()[name] is not owner:
            yield classes()[name]
            yield from ancestors(classes()[name])


def overridden(owner: ast.ClassDef, name: str) -> Iterator[Function]:
    """The methods of the same name in the bases of a class."""
    for base in ancestors(owner):
        yield from (one for one in base.body if isinstance(one, Function) and one.name == name)


def explains_arguments(owner: ast.ClassDef | None, node: Function) -> bool:
    """Whether the docstring has Args, the class Attributes, or the contract says it."""
    if "Args:" in (ast.get_docstring(node) or ""):
        return True
    if owner is None:
        return False
    bases = [ast.get_docstring(base) or "" for base in (owner, *ancestors(owner))]
    contracts = [ast.get_docstring(one) or "" for one in overridden(owner, node.name)]
    return any("Attributes:" in text for text in bases) or any("Args:" in text for text in contracts)


def without_args() -> list[str]:
    return [
        f"{where}({len(parameters(node))})"
        for where, owner, node in documented()
        if isinstance(node, Function) and len(parameters(node)) >= MIN_PARAMETERS_WITH_ARGS
        if not (where.startswith("capacity.cli.") and node.name in commands())  # every option has its help
        if not explains_arguments(owner, node)
    ]


COUNTS: dict[str, Callable[[], list[str]]] = {
    "names with two meanings": second_meanings,
    "modules hidden by a name of their package": hidden_modules,
    "contract questions by getattr or hasattr": contract_questions,
    "docstrings of three words or less": short_docstrings,
    "public functions of four parameters or more without Args": without_args,
}


def main() -> None:
    for title, offenders in COUNTS.items():
        found = offenders()
        print(f"{len(found):4d}  {title}")
        if "-v" in sys.argv:
            print("".join(f"      {line}\n" for line in found))
    offenders, total = any_parameters()
    print(f"{len(offenders):4d}  parameters of type Any, {len(offenders) / total:.1%} of {total}")
    if "-v" in sys.argv:
        print("".join(f"      {line}\n" for line in offenders))


if __name__ == "__main__":
    main()
