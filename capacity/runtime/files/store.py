"""Datasets and parts of them, whole or not at all, on disk.

A store holds the parts of one configuration as they finish, sealed `.npz` files that name it; a
finished curve is one sealed netCDF-4 file and one plain CSV table.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np

from capacity.runtime.files.atomic import OtherRunError, StoreError, unseal, write_atomic
from capacity.runtime.files.lock import DirectoryLock
from capacity.runtime.files.places import check_run_directory
from capacity.runtime.files.seals import (
    CONFIGURATION_FILE,
    DIGEST,
    digest_of,
    digest_of_part,
    read_configuration,
    write_configuration,
)
from capacity.runtime.files.temporary import remove_leftovers

__all__ = ["Store", "StoreError", "fingerprint"]


def fingerprint(tree: object, **static: object) -> str:
    """SHA-256, in hexadecimal, of a pytree's structure and numbers, and of JSON values beside it.

    Raises:
        ValueError: if the structure holds an object that is only known by its address in memory.
    """
    leaves, structure = jax.tree.flatten(tree)
    if " at 0x" in repr(structure):
        raise ValueError(f"Expected a tree of plain data; got an object without a value: {structure}.")
    digest = hashlib.sha256(repr(structure).encode())
    for leaf in leaves:
        if isinstance(leaf, jax.Array) and jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            digest.update(str(leaf.dtype).encode())
            leaf = jax.random.key_data(leaf)
        array = np.ascontiguousarray(leaf)
        digest.update(f"{array.dtype.str}{np.shape(leaf)}".encode())
        digest.update(array.tobytes())
    digest.update(json.dumps(static, sort_keys=True).encode())
    return digest.hexdigest()


@dataclass(frozen=True)
class Store:
    """A directory of named parts, all of one configuration, held by one process at a time.

    Attributes:
        directory: where.
        digest: of the configuration; it stands in every file that is made for it.
    """

    directory: Path
    digest: str
    _lock: DirectoryLock = field(repr=False, compare=False)

    @classmethod
    def open(cls, directory: str | os.PathLike[str], configuration: Mapping[str, Any]) -> Self:
        """Make the directory, or go on in it if it was made with the same configuration.

        Args:
            directory: where; parents are made too.
            configuration: JSON values, all that decides what the parts hold.

        Raises:
            StoreError: if the directory is in use, was made for something else, or has links out of it.
        """
        path = Path(directory)
        config = path / CONFIGURATION_FILE
        try:
            path.mkdir(parents=True, exist_ok=True)
            check_run_directory(path)
            plain = json.loads(json.dumps(configuration))
            if config.exists():  # first without the lock: nothing is written into somebody else's directory
                _agree(config, plain)
            lock = DirectoryLock.take(path)
        except OSError as error:
            raise StoreError(f"Expected a directory that can be written; got {path} ({error.strerror}).") from error
        try:
            _agree(config, plain)
            remove_leftovers(path)
            remove_leftovers(path / "parts")
        except BaseException:
            lock.close()
            raise
        return cls(path, digest_of(plain), lock)

    def close(self) -> None:
        """Let go of the directory; also done at the end of a `with` and of the process."""
        self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def check(self) -> None:
        """Whether this run still holds the directory; asked before every file that is written there.

        Raises:
            StoreError: if somebody has deleted or replaced what holds it.
        """
        self._lock.check()

    def load(self, name: str) -> dict[str, np.ndarray] | None:
        """Arrays of a part, or None if there is none that is whole and of this configuration and name.

        A damaged one becomes NAME.corrupt, one of another run NAME.foreign.
        """
        path = self._part(name)
        if not path.exists():
            return None
        try:
            with np.load(io.BytesIO(unseal(path, self._digest(name))), allow_pickle=False) as part:
                return {key: part[key] for key in part.files}
        except (StoreError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
            foreign = isinstance(error, OtherRunError)
            ending, words = ("foreign", "was made for another run") if foreign else ("corrupt", "is damaged")
            aside = path.with_name(f"{name}.{ending}")
            path.replace(aside)
            warnings.warn(f"{path} {words} and will be made again; kept as {aside.name}.", stacklevel=2)
            return None

    def save(self, name: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Keep a part, whole or not at all.

        Raises:
            StoreError: if the disk does not take it, or this run does not hold the directory any longer.
        """

        def write(target: Path) -> None:
            with target.open("wb") as file:
                np.savez(file, allow_pickle=False, **arrays)

        path = self._part(name)
        self.check()
        path.parent.mkdir(exist_ok=True)
        write_atomic(path, write, sealed=True, made_for=self._digest(name))

    def names(self, prefix: str) -> list[str]:
        """Names of all parts that begin so."""
        return [path.stem for path in (self.directory / "parts").glob(f"{prefix}*.npz")]

    def _digest(self, name: str) -> str:
        return digest_of_part(self.digest, name)

    def _part(self, name: str) -> Path:
        if not name or Path(name).name != name or name.startswith("."):
            raise ValueError(f"Expected a part's name without folders; got {name!r}.")
        return self.directory / "parts" / f"{name}.npz"


def _agree(file: Path, configuration: dict[str, Any]) -> None:
    """Write the configuration into a new directory, or compare it to the one there."""
    if not file.exists():
        write_configuration(file, configuration)
        return
    try:
        there = read_configuration(file)
    except StoreError as error:
        raise StoreError(f"{error} Put back a copy of it, or choose another --out.") from error
    changed = list(_differences(there, configuration | {DIGEST: there[DIGEST]}))
    if changed:
        more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
        raise StoreError(
            f"Expected a directory of the same configuration; got {file.parent} made with "
            f"{', '.join(changed[:3])}{more}. Choose another --out."
        )


def _differences(before: object, now: object, name: str = "") -> Iterator[str]:
    """What differs between two JSON values, as 'dotted.name=before (now after)'."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in {**before, **now}:
            inner = f"{name}.{key}" if name else key
            yield from _differences(before.get(key, ...), now.get(key, ...), inner)
    elif before != now:
        yield f"{name}={_short(before)} (now {_short(now)})"


def _short(value: object) -> str:
    if value is ... or isinstance(value, dict):
        return "absent" if value is ... else "present"
    text = json.dumps(value)
    return text if len(text) <= 48 else f"{text[:44]} ..."
