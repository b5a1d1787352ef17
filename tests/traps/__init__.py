"""Traps: pairs of arrays as people have them, of known information, outside the public 40 (`synthetic.pairs`).

Half of the families are for choosing methods and their constants, the other half is only reported.  Which is which was
settled before any method had run: the families in alphabetical order, the first for choosing, the second reported, and
so on in turn.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path

from tests.traps.task import Half, Task

FAMILIES: tuple[str, ...] = tuple(sorted(path.stem for path in Path(__file__).parent.glob("families/[a-z]*.py")))
"""Names of the families, which are those of the files."""
HALVES: dict[str, Half] = {name: ("choosing", "reported")[place % 2] for place, name in enumerate(FAMILIES)}
"""What each family is for."""


@cache
def family(name: str) -> tuple[Task, ...]:
    """The tasks of a family."""
    return tuple(import_module(f"tests.traps.families.{name}").tasks())


def tasks(half: Half | None = None) -> dict[str, Task]:
    """All tasks by name, or those of one half."""
    return {task.name: task for name in FAMILIES if half in (None, HALVES[name]) for task in family(name)}
