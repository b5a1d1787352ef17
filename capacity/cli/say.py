"""What a command says: lines whose texts, whoever wrote them, cannot steer the terminal.

Names of columns, arrays, files and the like come from others.  Every line goes through here, or through the console of
tables, and shows control characters as escapes; that no command prints past these two is a test.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from capacity.runtime.names import shown


def say(text: str) -> None:
    """One or several lines on stdout."""
    print(harmless(text))


def say_aside(text: str) -> None:
    """One or several lines on stderr: what is no result."""
    print(harmless(text), file=sys.stderr)


def say_json(record: Mapping[str, Any]) -> None:
    """One JSON object on stdout, in ASCII: whatever reads it, in whatever encoding."""
    print(json.dumps(record, indent=1))


def harmless(text: str) -> str:
    """A text of several lines, in each of which control characters are escapes."""
    return "\n".join(shown(line) for line in text.split("\n"))
