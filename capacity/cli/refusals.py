"""What the user can mend ends in one sentence on stderr and exit status 2."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Never

import typer

from capacity.cli.say import say_aside

USER_FAULT, INTERRUPTED, PIPE_CLOSED = 2, 130, 141


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
    """What to say of a file that the system refuses, of memory or of a device that is not there; None of a fault."""
    if isinstance(error, OSError):
        place = error.filename or "files that can be read and written"
        if error.errno == errno.ENAMETOOLONG:
            return f"Expected a shorter name of a file; got one of {len(str(place)):,} characters."
        return f"Expected {place} to be there to read or write; got: {error.strerror or error}."
    if isinstance(error, MemoryError):
        return f"Expected work that fits into memory; got more than there is. {error} Give less data, or lower sizes."
    said = str(error)
    if "RESOURCE_EXHAUSTED" in said or "Out of memory" in said:
        return f"Expected work that fits into the device's memory; got: {said.splitlines()[0]} Lower sizes."
    if "nable to initialize backend" in said or "Unknown backend" in said:
        asked = os.environ.get("JAX_PLATFORMS", "")
        return (
            f"Expected JAX_PLATFORMS to name a device that JAX can use here; got {asked!r}. Unset it, or say "
            "JAX_PLATFORMS=cpu; for an NVIDIA GPU: pip install 'jax[cuda12]'."
        )
    return None
