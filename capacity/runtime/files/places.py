"""Places in a directory that somebody else may have made: a plain file, or nothing.

At the name of a file that this program writes of its own accord, a link from a stranger would lead to any file of
whoever writes, and a pipe would be waited for.  Where the user names the file, links and devices are what he asked for.
"""

from __future__ import annotations

from pathlib import Path

from capacity.runtime.files.atomic import StoreError
from capacity.runtime.files.seals import CONFIGURATION_FILE


def plain_place(directory: Path, name: str) -> Path:
    """The place of a file that is written because of where it is, not because the user has named it.

    Args:
        directory: in which it is.
        name: of the file.

    Raises:
        StoreError: if a directory, a device, a pipe, or a link out of the directory is there.
    """
    place = directory / name
    leads_out = place.is_symlink() and directory.resolve() not in place.resolve().parents
    if leads_out or (place.exists() and not place.is_file()):
        what = "a link out of the directory" if leads_out else "a directory, a device or a pipe"
        raise StoreError(f"Expected a plain file at {place}, or none; got {what}. Remove it, or choose another place.")
    return place


def check_run_directory(path: Path) -> None:
    """Refuse a directory that holds something, and none of it a run of this program; one that is not there will do.

    Raises:
        StoreError: naming what is in it, or what is a link out of it, a device or a pipe.
    """
    there = sorted(entry.name for entry in path.iterdir() if not entry.name.startswith(".")) if path.exists() else []
    if there and not (path / CONFIGURATION_FILE).exists():
        raise StoreError(f"Expected an empty directory or one made by this program; got {path} with {there[0]} in it.")
    for entry in there:
        if not (path / entry).is_dir():
            plain_place(path, entry)
