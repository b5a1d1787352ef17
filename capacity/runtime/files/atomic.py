"""Files that are whole or not there.

Every file is written beside its place, flushed, and renamed into place: after a crash it is the
old one or the new one. Links are followed, and a device or a pipe is written to, never replaced. A
sealed file ends in the digest of the run that it was made for and in its own SHA-256, so that
damage and mistaken files are told before anything else reads it. The seal stands past what zip,
PNG and HDF5 readers look at: a sealed `.npz`, `.png` or `.nc` is a plain one too.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

from capacity.runtime.files.temporary import temporary_file

SEAL, ORIGIN = b"\nsha256:", b"\nmade for:"
SEAL_BYTES = len(SEAL) + 65  # 64 hexadecimal digits and a newline
ORIGIN_BYTES = len(ORIGIN) + 64


class StoreError(ValueError):
    """What is on disk cannot be used; the message says what was expected and what is there."""


class OtherRunError(StoreError):
    """A file is whole and was made for something else than what was asked for."""

    def __init__(self, path: Path):
        super().__init__(
            f"Expected {path} of the run asked for; got one that was made for another (another seed, configuration or "
            "version), or under another name."
        )


def write_atomic(path: Path, write: Callable[[Path], None], *, sealed: bool = False, made_for: str = "") -> None:
    """Let `write` fill a file beside `path`, flush it to disk, and rename it into place.

    A file that is there keeps its mode, and a link to it stays a link.  Where `path` is a device or a pipe, the content
    is written to that.

    Args:
        path: the file's place; its ending is kept for whoever goes by it.
        write: called with the path to write to.
        sealed: whether to add the seal that `read_curves` and `Store.load` ask for.
        made_for: of a sealed file, the digest of the run's configuration, 64 hexadecimal digits; empty for none.

    Raises:
        StoreError: if the disk is full, or does not take it for another reason; what was at `path` is as it was.
    """
    beside = path
    try:
        mode = path.stat().st_mode if path.exists() else None
        whole = mode is None or stat.S_ISREG(mode)
        place = Path(os.path.realpath(path)) if whole else path
        if mode is not None and stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        beside = temporary_file(place.parent if whole else Path(tempfile.gettempdir()), path.suffix)
        write(beside)
        if sealed:
            _seal(beside, made_for)
        if whole:
            beside.chmod(_new_mode() if mode is None else stat.S_IMODE(mode))
            _flush(beside)
            beside.replace(place)
            _flush(place.parent)
        else:
            with beside.open("rb") as content, place.open("wb") as stream:
                shutil.copyfileobj(content, stream)
    except OSError as error:
        raise not_written(path, error.strerror or str(error)) from error
    finally:
        if beside is not path:
            beside.unlink(missing_ok=True)


def _seal(path: Path, made_for: str) -> None:
    with path.open("r+b") as file:
        if made_for:
            file.seek(0, os.SEEK_END)
            file.write(ORIGIN + made_for.encode())
            file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        file.write(SEAL + digest.encode() + b"\n")


def _new_mode() -> int:
    """Of a new file: a temporary one's would keep results from the user's group."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def not_written(path: Path, reason: str) -> StoreError:
    """What to say of a file that the disk did not take."""
    return StoreError(f"Expected room and leave to write {path}; got: {reason}.")


def unseal(path: Path, made_for: str | None = None) -> bytes:
    """Content of a sealed file, without the seal.

    Args:
        path: the file's place.
        made_for: the digest of the run that it must be of; None if any will do.

    Raises:
        StoreError: if the file is missing, truncated, not as it was written, or (`OtherRunError`) of another run.
    """
    try:
        if path.exists() and not path.is_file():  # a pipe is waited for, a device may have no end
            raise StoreError(f"Expected a plain file at {path}; got a directory, a device or a pipe.")
        content = path.read_bytes()
    except FileNotFoundError:
        raise StoreError(f"Expected a file at {path}; got no such file.") from None
    except OSError as error:
        raise StoreError(f"Expected {path} to be readable; got {error.strerror}.") from error
    body, seal = content[:-SEAL_BYTES], content[-SEAL_BYTES:]
    if not seal.startswith(SEAL):
        raise StoreError(f"Expected {path} whole; got {len(content)} bytes without the closing checksum (truncated?).")
    if seal != SEAL + hashlib.sha256(body).hexdigest().encode() + b"\n":
        raise StoreError(f"Expected {path} as it was written; got other content (its checksum differs).")
    origin = body[-ORIGIN_BYTES:] if body[-ORIGIN_BYTES:].startswith(ORIGIN) else b""
    if made_for is not None and origin != ORIGIN + made_for.encode():
        raise OtherRunError(path)
    return body.removesuffix(origin)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
