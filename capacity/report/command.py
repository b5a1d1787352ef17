"""The command that fills a directory, kept in it: what to type to have the same again.

The second line, a comment to a shell, is the checksum of the first.
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Sequence
from pathlib import Path

from capacity.runtime.files.atomic import write_atomic

COMMAND_FILE = "command.txt"


def save_command(directory: Path, words: Sequence[str]) -> None:
    """Keep the command, unless an earlier one has filled the directory; one that is damaged is replaced."""

    def write(target: Path) -> None:
        target.write_text(_sealed(shlex.join(words)), encoding="utf-8")

    if not read_command(directory):
        write_atomic(directory / COMMAND_FILE, write)


def read_command(directory: Path) -> str:
    """The command, or nothing if it was not kept or is not as it was written."""
    try:
        text = (directory / COMMAND_FILE).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    command = text.rsplit("\n", 2)[0]
    return command if text == _sealed(command) else ""


def _sealed(command: str) -> str:
    return f"{command}\n# sha256:{hashlib.sha256(command.encode()).hexdigest()}\n"
