"""Sections of docstrings in which one line describes several names: `lower, upper: the bounds, bits.`

The reader of docstrings takes what stands behind the first blank for a type.  A blank that does not break keeps
the names together.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

NAMES = re.compile(r"^(\s+\*{0,2}\w+)((?:, \*{0,2}\w+)+)(?=: )", re.MULTILINE)


def together(docstring: str) -> str:
    """The docstring, its shared names joined by blanks that do not break."""
    return NAMES.sub(lambda found: found[1] + found[2].replace(", ", ",\u00a0"), docstring)


class SharedNames(griffe.Extension):
    """Keeps names together in every docstring, before it is read."""

    def on_object(self, *, obj: griffe.Object, **about: Any) -> None:
        """Change the object's docstring."""
        if obj.docstring:
            obj.docstring.value = together(obj.docstring.value)
