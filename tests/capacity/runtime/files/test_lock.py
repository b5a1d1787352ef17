"""One writer in a directory, also where its lock is deleted, moved or replaced while it runs."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from capacity.runtime.files.lock import DirectoryLock
from capacity.runtime.files.store import Store, StoreError

CONFIGURATION = {"levels": [1.0]}
ONE = {"a": np.arange(3)}


def deleted(directory: Path) -> None:
    (directory / ".lock").unlink()


def replaced(directory: Path) -> None:
    deleted(directory)
    (directory / ".lock").touch()


def renamed(directory: Path) -> None:
    (directory / ".lock").rename(directory / ".lock.old")


def copied(directory: Path) -> None:
    """The whole directory is another one, of the same content."""
    shutil.copytree(directory, directory.with_name("copy"))
    directory.rename(directory.with_name("moved"))
    directory.with_name("copy").rename(directory)


def removed(directory: Path) -> None:
    shutil.rmtree(directory)


@pytest.mark.parametrize("happens", [deleted, replaced, renamed, copied, removed])
def test_whoever_lost_its_lock_stops_before_the_next_file(tmp_path: Path, happens: Callable[[Path], None]) -> None:
    run = tmp_path / "run"
    with Store.open(run, CONFIGURATION) as store:
        store.save("first", ONE)
        happens(run)
        with pytest.raises(StoreError, match=r"\.lock to be the file that this run holds; got none or another.*stops"):
            store.save("second", ONE)
        assert not list(run.rglob("second*"))
    with Store.open(run, CONFIGURATION) as store:
        store.save("second", ONE)


@pytest.mark.parametrize("happens", [deleted, replaced, renamed])
def test_no_second_writer_comes_in_though_the_lock_is_deleted(tmp_path: Path, happens: Callable[[Path], None]) -> None:
    with Store.open(tmp_path, CONFIGURATION):
        happens(tmp_path)
        with pytest.raises(StoreError, match="no other run is using"):
            Store.open(tmp_path, CONFIGURATION)
    Store.open(tmp_path, CONFIGURATION).close()


def without_locks_on_directories(descriptor: int, operation: int) -> None:
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    flock(descriptor, operation)


flock = fcntl.flock


def test_where_directories_have_no_locks_the_first_one_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fcntl, "flock", without_locks_on_directories)
    with Store.open(tmp_path, CONFIGURATION) as first:
        with pytest.raises(StoreError, match="no other run is using"):
            Store.open(tmp_path, CONFIGURATION)
        deleted(tmp_path)
        with Store.open(tmp_path, CONFIGURATION) as second:
            second.save("p", ONE)
            with pytest.raises(StoreError, match="this one stops"):
                first.save("p", ONE)


def test_where_nothing_has_locks_no_run_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", none)
    with pytest.raises(StoreError, match=r"Expected a directory that can be written; got .* \(No locks available\)"):
        Store.open(tmp_path, CONFIGURATION)


def test_a_refused_lock_leaves_no_file_open(tmp_path: Path) -> None:
    lock = DirectoryLock.take(tmp_path)
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    for _ in range(5):
        with pytest.raises(StoreError):
            DirectoryLock.take(tmp_path)
    assert not before or len(os.listdir("/proc/self/fd")) == before
    lock.close()


def test_letting_go_again_closes_nobody_elses_file(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "run", CONFIGURATION)
    with store:
        store.close()
    later = [os.open(os.devnull, os.O_RDONLY) for _ in range(4)]  # the numbers that were the lock's
    store.close()
    for number in later:
        os.close(number)
    with pytest.raises(StoreError, match="let go"):
        store.save("a", ONE)
