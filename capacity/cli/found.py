"""How the commands on arrays show progress, and what they found: as JSON, as tables, or not at all."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from capacity.cli.say import say, say_json

if TYPE_CHECKING:
    from capacity.runtime.progress import Bar

T = TypeVar("T")


def seen_bar(quiet: bool) -> Bar | None:
    """A progress bar where a terminal shows it."""
    from capacity.runtime.progress import Bar

    return Bar() if sys.stderr.isatty() and not quiet else None


def show_found(
    found: T,
    record: Callable[[T], dict[str, Any]],
    tables: Callable[[T], None],
    *,
    as_json: bool,
    quiet: bool,
    plot: Path | None = None,
) -> None:
    """Print what was found.

    Args:
        found: what was measured.
        record: of it, for JSON.
        tables: prints it.
        as_json, quiet: what was asked for.
        plot: the file that it was drawn into.
    """
    if as_json:
        say_json(record(found))
    elif not quiet:
        tables(found)
        if plot is not None:
            say(f"Drew {plot}")
