"""What the user can mend ends in one sentence on stderr and exit status 2."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Never

import typer

from capacity.cli.interrupts import INTERRUPTED as INTERRUPTED
from capacity.cli.say import say_aside

USER_FAULT, PIPE_CLOSED = 2, 141


@contextmanager
def refusals() -> Iterator[None]:
    """Turn a ValueError, and what the machine has not, into one sentence and exit status 2."""
    try:
        yield
    except ValueError as error:
        refuse(str(error))
    except BrokenPipeError:
        raise
    except (OSError, MemoryError, RuntimeError) as error:
        sentence = sentence_of(error)
        if sentence is None:
            raise
        refuse(sentence)


def refuse(sentence: str) -> Never:
    """Print one sentence on stderr and leave with exit status 2."""
    say_aside(f"Error: {' '.join(sentence.split())}")
    raise typer.Exit(USER_FAULT)


def sentence_of(error: BaseException) -> str | None:
    """What to say of a file that the system refuses, of memory that is not there; None of a fault."""
    if isinstance(error, OSError):
        if error.filename is None:
            return f"Expected standard output, or a file, to take what is written; got: {error.strerror or error}."
        place = error.filename
        if error.errno == errno.ENAMETOOLONG:
            return f"Expected a shorter name of a file; got one of {len(str(place)):,} characters."
        return f"Expected {place} to be there to read or write; got: {error.strerror or error}."
    if isinstance(error, MemoryError):
        return f"Expected work that fits into memory; got more than there is. {error} Give less data, or lower sizes."
    said = str(error)
    if "RESOURCE_EXHAUSTED" in said or "Out of memory" in said:
        return f"Expected work that fits into the device's memory; got: {said.splitlines()[0]} Lower sizes."
    return None
