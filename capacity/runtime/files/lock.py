"""One writer at a time in a directory.

Two locks are held: one on the file `.lock`, which machines that share a directory see too, and one on the directory
itself, which nobody can delete and leave the rest.  Both end with the process.  Some shared file systems have no locks
on directories: there, whoever deletes `.lock` lets a second writer in, and the first one stops before its next file.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from capacity.runtime.files.atomic import StoreError

LOCK_FILE = ".lock"


@dataclass(frozen=True)
class DirectoryLock:
    """A directory in which this process alone writes; `file` and `folder` are the numbers of the open files."""

    directory: Path
    file: int
    folder: int
    _let_go: list[bool] = field(default_factory=list, repr=False, compare=False)

    @classmethod
    def take(cls, directory: Path) -> Self:
        """Hold a directory that is there.

        Raises:
            StoreError: if another run holds it.
            OSError: if it cannot be written, or its file system has no locks at all.
        """
        file = os.open(directory / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        try:
            folder = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        except BaseException:
            os.close(file)
            raise
        lock = cls(directory, file, folder)
        try:
            lock._hold()
        except BaseException:
            lock.close()
            raise
        return lock

    def _hold(self) -> None:
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            try:
                fcntl.flock(self.folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise
            except OSError:  # a shared file system without locks on directories
                pass
        except BlockingIOError:
            raise StoreError(
                f"Expected a directory that no other run is using; got {self.directory}, in use."
            ) from None
        self.check()

    def check(self) -> None:
        """Whether the directory is still held: what is at its place is what was locked.

        Raises:
            StoreError: if `.lock`, or the directory, was deleted, moved or replaced, or was let go of.
        """
        place = self.directory / LOCK_FILE
        if self._let_go:
            raise StoreError(f"Expected {self.directory} to be held by this run; got one that it has let go of.")
        with suppress(FileNotFoundError, NotADirectoryError):
            if os.path.samestat(place.stat(), os.fstat(self.file)):
                return
        raise StoreError(
            f"Expected {place} to be the file that this run holds; got none or another, so that a second run may write "
            "there, and this one stops."
        )

    def close(self) -> None:
        """Let go, once; also done at the end of the process."""
        if not self._let_go:  # by then the numbers may be those of somebody else's files
            self._let_go.append(True)
            os.close(self.file)
            os.close(self.folder)
