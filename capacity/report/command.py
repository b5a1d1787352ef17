"""The command that fills a directory, kept in it: what to type to have the same again."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from capacity.runtime.files.atomic import write_atomic

COMMAND_FILE = "command.txt"


def save_command(directory: Path, words: Sequence[str]) -> None:
    """Keep the command, unless an earlier one has filled the directory."""

    def write(target: Path) -> None:
        target.write_text(shlex.join(words) + "\n", encoding="utf-8")

    if not (directory / COMMAND_FILE).exists():
        write_atomic(directory / COMMAND_FILE, write)
