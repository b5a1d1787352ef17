"""Datasets and parts of them, whole or not at all, on disk.

Every file is written beside its place, sealed with its own SHA-256 as a trailer, flushed, and renamed into place: after
a crash it is the old one or the new one. A damaged one is told by its seal before anything else reads it. The
trailer stands past what zip and HDF5 readers look at, so that parts are plain `.npz` and curves plain netCDF-4.
"""

from __future__ import annotations

import csv
import fcntl
import hashlib
import io
import json
import os
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import jax
import numpy as np
import xarray as xr

SEAL = b"\nsha256:"
SEAL_BYTES = len(SEAL) + 65  # 64 hexadecimal digits and a newline


class StoreError(ValueError):
    """What is on disk cannot be used; the message says what was expected and what is there."""


def fingerprint(tree: Any, **static: Any) -> str:
    """SHA-256, in hexadecimal, of a pytree's structure and numbers, and of JSON values beside it.

    Raises:
        ValueError: if the structure holds an object that is only known by its address in memory.
    """
    leaves, structure = jax.tree.flatten(tree)
    if " at 0x" in repr(structure):
        raise ValueError(f"Expected a tree of plain data; got an object without a value: {structure}.")
    digest = hashlib.sha256(repr(structure).encode())
    for leaf in leaves:
        if isinstance(leaf, jax.Array) and jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key):
            digest.update(str(leaf.dtype).encode())
            leaf = jax.random.key_data(leaf)
        array = np.ascontiguousarray(leaf)
        digest.update(f"{array.dtype.str}{np.shape(leaf)}".encode())
        digest.update(array.tobytes())
    digest.update(json.dumps(static, sort_keys=True).encode())
    return digest.hexdigest()


@dataclass(frozen=True)
class Store:
    """A directory of named parts, all of one configuration, held by one process at a time."""

    directory: Path
    _lock: IO[str] = field(repr=False, compare=False)

    @classmethod
    def open(cls, directory: str | os.PathLike[str], configuration: Mapping[str, Any]) -> Self:
        """Make the directory, or go on in it if it was made with the same configuration.

        Args:
            directory: where; parents are made too.
            configuration: JSON values, all that decides what the parts hold.

        Raises:
            StoreError: if the directory is in use, of another configuration, or holds something else.
        """
        path = Path(directory)
        try:
            path.mkdir(parents=True, exist_ok=True)
            lock = (path / ".lock").open("w")
        except OSError as error:
            raise StoreError(f"Expected a directory that can be written; got {path} ({error.strerror}).") from error
        try:
            _take(lock, path)
            _agree(path, json.loads(json.dumps(configuration)))
        except BaseException:
            lock.close()
            raise
        return cls(path, lock)

    def close(self) -> None:
        """Let go of the directory; also done at the end of a `with` and of the process."""
        self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def load(self, name: str) -> dict[str, np.ndarray] | None:
        """Arrays of a part, or None if it is missing or damaged; a damaged one is renamed to NAME.corrupt."""
        path = self._part(name)
        if not path.exists():
            return None
        try:
            with np.load(io.BytesIO(_unseal(path)), allow_pickle=False) as part:
                return {key: part[key] for key in part.files}
        except (StoreError, ValueError, OSError, EOFError, zipfile.BadZipFile):
            aside = path.with_name(f"{name}.corrupt")
            path.replace(aside)
            warnings.warn(f"{path} is damaged and will be made again; kept as {aside.name}.", stacklevel=2)
            return None

    def save(self, name: str, arrays: Mapping[str, np.ndarray]) -> None:
        """Keep a part, whole or not at all."""

        def write(target: Path) -> None:
            with target.open("wb") as file:
                np.savez(file, allow_pickle=False, **arrays)

        path = self._part(name)
        path.parent.mkdir(exist_ok=True)
        write_atomic(path, write, sealed=True)

    def _part(self, name: str) -> Path:
        if not name or Path(name).name != name or name.startswith("."):
            raise ValueError(f"Expected a part's name without folders; got {name!r}.")
        return self.directory / "parts" / f"{name}.npz"


def write_curves(path: str | os.PathLike[str], datasets: Mapping[str, xr.Dataset]) -> None:
    """Write curves as one netCDF-4 file, a group for each system; whole or not at all."""

    def write(target: Path) -> None:
        mode = "w"
        for name, dataset in datasets.items():
            dataset.to_netcdf(target, mode=mode, group=name, engine="h5netcdf")
            mode = "a"

    write_atomic(Path(path), write, sealed=True)


def read_curves(path: str | os.PathLike[str]) -> dict[str, xr.Dataset]:
    """Curves of a file by `write_curves`, in memory.

    Raises:
        StoreError: if the file is missing, truncated, changed since it was written, or no such file.
    """
    content = _unseal(Path(path))
    try:
        with xr.open_datatree(io.BytesIO(content), engine="h5netcdf") as tree:
            return {name: child.to_dataset().load() for name, child in tree.children.items()}
    except (OSError, ValueError, KeyError) as error:
        raise StoreError(f"Expected {path} to be netCDF-4 with a group for each system; got {error}.") from error


def write_csv(path: str | os.PathLike[str], datasets: Mapping[str, xr.Dataset]) -> None:
    """Write curves as one table, a row for each system, level and seed; loss histories stay in the netCDF file.

    What does not depend on the seed is repeated; what belongs to a unit stands in columns NAME_unit0, NAME_unit1 ...
    """
    rows = [row for name, dataset in datasets.items() for row in _rows(name, dataset)]
    columns = list(dict.fromkeys(column for row in rows for column in row))

    def write(target: Path) -> None:
        with target.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)

    write_atomic(Path(path), write)


def write_atomic(path: Path, write: Callable[[Path], None], *, sealed: bool = False) -> None:
    """Let `write` fill a file beside `path`, flush it to disk, and rename it into place.

    Args:
        path: the file's place; its ending is kept for whoever goes by it.
        write: called with the path to write to.
        sealed: whether to add the seal that `read_curves` and `Store.load` ask for.
    """
    handle, name = tempfile.mkstemp(prefix=".", suffix=f".tmp{path.suffix}", dir=path.parent)
    os.close(handle)
    beside = Path(name)
    try:
        write(beside)
        if sealed:
            digest = hashlib.sha256(beside.read_bytes()).hexdigest()
            with beside.open("ab") as file:
                file.write(SEAL + digest.encode() + b"\n")
        mask = os.umask(0)
        os.umask(mask)
        beside.chmod(0o666 & ~mask)  # mkstemp's 0600 would keep results from the user's group
        _flush(beside)
        beside.replace(path)
        _flush(path.parent)
    finally:
        beside.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unseal(path: Path) -> bytes:
    """Content of a sealed file, without the seal."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise StoreError(f"Expected a curve at {path}; got no such file.") from None
    except OSError as error:
        raise StoreError(f"Expected {path} to be readable; got {error.strerror}.") from error
    body, seal = content[:-SEAL_BYTES], content[-SEAL_BYTES:]
    if not seal.startswith(SEAL):
        raise StoreError(f"Expected {path} whole; got {len(content)} bytes without the closing checksum (truncated?).")
    if seal != SEAL + hashlib.sha256(body).hexdigest().encode() + b"\n":
        raise StoreError(f"Expected {path} as it was written; got other content (its checksum differs).")
    return body


def _take(lock: IO[str], path: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StoreError(f"Expected a directory that no other run is using; got {path}, in use.") from None


def _agree(path: Path, configuration: dict[str, Any]) -> None:
    """Write the configuration into a new directory, or compare it to the one there."""
    file = path / "config.json"
    if not file.exists():
        foreign = sorted(p.name for p in path.iterdir() if not p.name.startswith("."))
        if foreign:
            raise StoreError(f"Expected an empty directory or one made by this program; got {path} with {foreign[0]} in it.")
        text = json.dumps(configuration, indent=1, sort_keys=True) + "\n"
        write_atomic(file, lambda target: target.write_text(text) and None)
        return
    try:
        there = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise StoreError(f"Expected {file} to be JSON; got a file that cannot be read ({error}).") from error
    if there != configuration:
        before, now = dict(_entries(there)), dict(_entries(configuration))
        changed = [k for k in {**before, **now} if before.get(k, "absent") != now.get(k, "absent")]
        named = ", ".join(f"{k}={before.get(k, 'absent')} (now {now.get(k, 'absent')})" for k in changed[:3])
        more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
        raise StoreError(
            f"Expected a directory of the same configuration; got {path} made with {named}{more}. Choose another --out."
        )


def _entries(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Dotted names of all JSON values that are not objects, and the values as short text."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _entries(inner, f"{name}.{key}" if name else key)
    else:
        text = json.dumps(value)
        yield name, text if len(text) <= 60 else f"{text[:40]}...#{hashlib.sha256(text.encode()).hexdigest()[:6]}"


def _rows(system: str, dataset: xr.Dataset) -> Iterator[dict[str, str]]:
    for i, level in enumerate(dataset.level.values):
        for j, seed in enumerate(dataset.seed.values):
            row = {"system": system, "level": str(level), "seed": str(seed)}
            for name, variable in dataset.data_vars.items():
                if "step" in variable.dims:
                    continue
                picked = variable.isel({d: k for d, k in (("level", i), ("seed", j)) if d in variable.dims}).values
                if picked.ndim:
                    row |= {f"{name}_unit{k}": str(value) for k, value in enumerate(picked)}
                else:
                    row[str(name)] = str(picked[()])
            yield row
