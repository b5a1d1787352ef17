"""Imports run one way, as the table of rooms in docs/design.md says; no circle; files that a person reads in one go."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from statistics import median

from craft import ROOT, modules

HEADER = "| room | what lives there | may import |"
MAX_LINES, MAX_MEDIAN_LINES, MAX_ROOMS = 350, 130, 17
MEETS_SOURCES = ("claims", "cli")


def imports(module: str, tree: ast.AST) -> Iterator[tuple[str, bool]]:
    """Modules that one imports, also in functions, and whether for types alone."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, False) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, f"Expected absolute imports; got a relative one in {module}."
            names = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from ((name if name in modules() else node.module, False) for name in names)
        else:
            types = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
            yield from ((name, types or inner) for name, inner in imports(module, node))


@cache
def edges() -> dict[str, dict[tuple[str, bool], None]]:
    """What every module imports."""
    return {module: dict.fromkeys(imports(module, tree)) for module, tree in modules().items()}


def allowed() -> dict[str, set[str]]:
    """Each room of the table, with the rooms that it may import."""
    table = (ROOT / "docs" / "design.md").read_text().split(HEADER)[1].split("\n\n")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    return {re.findall(r"`(\w+)", row[0])[0]: set(re.findall(r"`(\w+)", row[2])) for row in rows}


def room(module: str) -> str:
    return module.split(".")[1] if module.startswith("capacity.") else module.split(".")[0]


def test_imports_follow_the_table_of_rooms() -> None:
    table = allowed()
    arrows = {
        (module, other)
        for module, others in edges().items()
        for other, _ in others
        if module.startswith("capacity.") and other.split(".")[0] == "capacity" and room(module) != room(other)
        if module != "capacity.__main__"
    }
    assert sorted((a, b) for a, b in arrows if room(b) not in table[room(a)]) == []


def test_no_circle_of_modules() -> None:
    """The sorter refuses a circle and names it."""
    TopologicalSorter({m: {o for o, _ in others if o in modules()} for m, others in edges().items()}).prepare()


def test_rooms_are_those_of_the_table() -> None:
    inside = [path for path in (ROOT / "capacity").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()]
    assert {path.stem for path in inside} - {"__init__", "__main__"} == allowed().keys()
    assert {path.name for path in inside if path.suffix} == {"__init__.py", "__main__.py"}
    assert len(allowed()) <= MAX_ROOMS


def test_sources_stand_beside() -> None:
    arrows = [(a, b, types) for a, others in edges().items() for b, types in others]
    assert [(a, b) for a, b, _ in arrows if a.startswith("synthetic") and b.startswith("capacity")] == []
    meeting = [(a, b) for a, b, types in arrows if b.startswith("synthetic") and a.startswith("capacity") and not types]
    assert [(a, b) for a, b in meeting if room(a) not in MEETS_SOURCES] == []


def test_files_are_read_in_one_go() -> None:
    lines = {str(path): len(path.read_text().splitlines()) for path in (ROOT / "capacity").rglob("*.py")}
    lines |= {str(path): len(path.read_text().splitlines()) for path in (ROOT / "synthetic").rglob("*.py")}
    assert [path for path, count in lines.items() if count > MAX_LINES] == []
    assert median(lines.values()) <= MAX_MEDIAN_LINES
