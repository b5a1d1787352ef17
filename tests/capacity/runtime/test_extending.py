"""What it takes to add a channel, a source, an estimator, a system or a claim: the classes of the notebook, counted."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[3] / "notebooks" / "extending.py"
MAX_LINES = {"Laplace": 10, "ShotNoise": 18, "Zipf": 8, "Spearman": 12, "Bounded": 14, "OneBitPerHalving": 25}

TEXT = NOTEBOOK.read_text()
CLASSES = {node.name: node for node in ast.parse(TEXT).body if isinstance(node, ast.ClassDef)}


def code_lines(node: ast.ClassDef) -> int:
    """Lines of a class with its decorators, without blank lines, comments and docstrings."""
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    docstrings = {
        line
        for part in ast.walk(node)
        if isinstance(part, ast.ClassDef | ast.FunctionDef) and ast.get_docstring(part)
        for line in range(part.body[0].lineno, (part.body[0].end_lineno or 0) + 1)
    }
    lines = TEXT.splitlines()
    code = (i for i in range(first, (node.end_lineno or 0) + 1) if i not in docstrings)
    return sum(bool(lines[i - 1].strip()) and not lines[i - 1].strip().startswith("#") for i in code)


def test_every_class_of_the_notebook_is_counted() -> None:
    assert CLASSES.keys() == MAX_LINES.keys()


@pytest.mark.parametrize("name", MAX_LINES)
def test_a_class_is_short_and_the_notebook_says_how_short(name: str) -> None:
    measured = code_lines(CLASSES[name])
    before = TEXT[: TEXT.index(f"class {name}")]
    stated = re.findall(r"^# ## .*: (\d+) lines$", before, re.MULTILINE)[-1]
    assert measured == int(stated) <= MAX_LINES[name]


@pytest.mark.parametrize("name", sorted(MAX_LINES.keys() - {"Zipf"}))
def test_a_class_is_enrolled_by_one_line(name: str) -> None:
    assert len(re.findall(rf"^\w+\.register\({name}\)", TEXT, re.MULTILINE)) == 1
