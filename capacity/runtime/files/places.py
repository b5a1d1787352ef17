"""Places in a directory that somebody else may have made: a plain file, or nothing.

At the name of a file that this program writes of its own accord, a link from a stranger would lead to any file of
whoever writes, and a pipe would be waited for.  Where the user names the file, links and devices are what he asked for.
"""

from __future__ import annotations

from pathlib import Path

from capacity.runtime.files.atomic import StoreError


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
