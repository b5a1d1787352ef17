"""What the user can mend ends in one sentence on stderr and exit status 2."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Never

import typer

from capacity.cli.interrupts import INTERRUPTED as INTERRUPTED

USER_FAULT, PIPE_CLOSED = 2, 141


@contextmanager
def refusals() -> Iterator[None]:
    """Turn a ValueError into one sentence and exit status 2."""
    try:
        yield
    except ValueError as error:
        refuse(str(error))


def refuse(sentence: str) -> Never:
    """Print one sentence on stderr and leave with exit status 2."""
    print(f"Error: {' '.join(sentence.split())}", file=sys.stderr)
    raise typer.Exit(USER_FAULT)
