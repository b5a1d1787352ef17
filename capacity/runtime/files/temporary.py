"""Temporary files: named by who writes them, so that what a killed writer left is told from what another is writing.

A name says the machine since its start, the table of processes (a container has its own) and the process.  Where the
first two are those of here, this machine knows whether the writer lives.  Files of other machines stay: on a shared
directory nobody here knows about theirs.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

BOOT, TABLE = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
PREFIX = ".capacity"


def temporary_file(folder: Path, suffix: str) -> Path:
    """A new empty file in a folder, for its owner alone; first, what dead writers of here have left there is removed.

    Args:
        folder: where.
        suffix: its ending, for whoever goes by it.

    Raises:
        OSError: if the folder does not take it.
    """
    _remove_once(folder.absolute())
    handle, name = tempfile.mkstemp(prefix=f"{PREFIX}-{_here()}-{os.getpid()}-", suffix=f".tmp{suffix}", dir=folder)
    os.close(handle)
    return Path(name)


def remove_leftovers(folder: Path) -> None:
    """Remove the temporary files of writers of this machine that are gone; what is not ours to remove stays."""
    for path in folder.glob(f"{PREFIX}-{_here()}-*"):
        named = re.fullmatch(rf"{re.escape(PREFIX)}-{_here()}-(\d+)-\w+\.tmp(\.[^.]*)?", path.name)
        if named and _gone(int(named[1])):
            with suppress(OSError):  # whoever may not write there is told soon enough
                path.unlink()


@cache
def _remove_once(folder: Path) -> None:
    """Once in a process's life: a directory of thousands of files is not listed for each of them."""
    with suppress(OSError):
        remove_leftovers(folder)


def _gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):  # another user's; or no number of a process
        return False
    return False


@cache
def _here() -> str:
    """Another one after the machine has started again, on another machine, and in another container."""
    boot = BOOT.read_text() if BOOT.exists() else ""
    table = os.readlink(TABLE) if TABLE.is_symlink() else ""
    return hashlib.sha256(f"{platform.node()} {boot} {table}".encode()).hexdigest()[:12]
