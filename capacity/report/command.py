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
        target.write_text(_sealed(_plain(shlex.join(words))), encoding="utf-8")

    if not read_command(directory):
        write_atomic(directory / COMMAND_FILE, write)


def read_command(directory: Path) -> str:
    """The command, or nothing if it was not kept or is not as it was written."""
    try:
        if not (directory / COMMAND_FILE).is_file():  # a pipe is waited for
            return ""
        text = (directory / COMMAND_FILE).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    command = text.rsplit("\n", 2)[0]
    return command if text == _sealed(command) else ""


def _plain(command: str) -> str:
    """Without bytes that are no text, as names of files may have them: each as an escape."""
    return command.encode("utf-8", "backslashreplace").decode()


def _sealed(command: str) -> str:
    return f"{command}\n# sha256:{hashlib.sha256(command.encode()).hexdigest()}\n"
