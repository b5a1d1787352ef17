"""What `docs/security.md` says of the code, read from the code; what it says of files is tried in their own tests."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = [file for package in ("capacity", "synthetic") for file in sorted((ROOT / package).rglob("*.py"))]
TREES = {str(file.relative_to(ROOT)): ast.parse(file.read_text(encoding="utf-8")) for file in FILES}
# Modules that load programs from data, run other programs, or talk to other machines.
MODULES = re.compile(
    r"(pickle|cPickle|dill|cloudpickle|marshal|shelve|joblib|runpy|subprocess|socket|socketserver|ssl|urllib|http|ftplib"
    r"|smtplib|requests|httpx|aiohttp|ctypes|code|pty)(\.|$)"
)
CALLS = {"eval", "exec", "compile", "__import__", "system", "popen", "read_pickle", "to_pickle", "loads_pickle"}


def calls() -> Iterator[tuple[str, ast.Call, str, str]]:
    """Every call: file, node, whose, and its name."""
    for file, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                whose = node.func.value if isinstance(node.func, ast.Attribute) else None
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                yield file, node, "" if whose is None else ast.unparse(whose), name


def test_nothing_loads_programs_from_data_runs_others_or_calls_other_machines() -> None:
    imported = [
        (file, name)
        for file, tree in TREES.items()
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom) and not node.level
            else []
        )
    ]
    assert [(file, name) for file, name in imported if MODULES.match(name)] == []
    plain = [
        (file, name) for file, _, whose, name in calls() if name in CALLS and whose in ("", "os", "pd", "builtins")
    ]
    assert plain == []


def test_numpy_files_are_read_without_pickles() -> None:
    without = [
        file
        for file, node, whose, name in calls()
        if whose == "np" and name == "load"
        and not any(k.arg == "allow_pickle" and isinstance(k.value, ast.Constant) and k.value.value is False
                    for k in node.keywords)
    ]  # fmt: skip
    assert without == []


@pytest.mark.parametrize("argument", ["coordinator_bind_address"])
def test_what_listens_is_bound_to_the_address_given(argument: str) -> None:
    starts = [node for _, node, _, name in calls() if name == "initialize"]
    assert len(starts) == 1 and argument in {keyword.arg for keyword in starts[0].keywords}


def test_files_are_opened_for_writing_in_few_places() -> None:
    """Besides what writes into a temporary file, handed to it as `target` or `path`, nobody opens a file to write."""
    writers = {"write_text", "write_bytes", "savefig", "to_csv", "to_netcdf", "savez"}
    direct = {
        (file, ast.unparse(node))
        for file, node, _, name in calls()
        if name in writers and not re.search(r"\b(target|path|file|buffer)\b", ast.unparse(node))
    }
    assert direct == set()


def test_the_page_is_in_the_navigation_and_linked() -> None:
    assert '"security.md"' in (ROOT / "docs/_site/hooks.py").read_text()
    assert "docs/security.md" in (ROOT / "README.md").read_text()
