"""Standard streams in whatever state they come: closed, full, or of an encoding that lacks signs."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable

from capacity.runtime.names import shown


def open_streams() -> None:
    """Put nothing in the place of streams that are closed, and escapes in the place of signs that one cannot write.

    Without it the next file that is opened would take a closed stream's number, and what is printed go into that file.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: this one
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def drop_output() -> None:
    """Write what is left for stdout into nothing: it takes no more."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())
    os.close(nothing)


def once_each() -> Callable[..., str]:
    """How warnings are written: each a line, and once."""
    said: set[str] = set()

    def once(message: Warning | str, *about: object, **more: object) -> str:
        line = f"Warning: {shown(' '.join(str(message).split()))}\n"
        new = line not in said
        said.add(line)
        return line if new else ""

    return once
