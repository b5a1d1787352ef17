"""Datasets and parts of them, whole or not at all, on disk.

A store holds the parts of one configuration as they finish, sealed `.npz` files; a finished curve
is one sealed netCDF-4 file and one plain CSV table.
"""

from __future__ import annotations

import csv
import fcntl
import hashlib
import io
import json
import os
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import h5netcdf
import jax
import numpy as np
import xarray as xr
from xarray.backends import H5NetCDFStore

from capacity.runtime.files.atomic import StoreError, unseal, write_atomic

CSV_BLOCK = 4096  # lanes that are text at a time

__all__ = ["Store", "StoreError", "fingerprint", "read_curves", "write_csv", "write_curves"]


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
            StoreError: if the directory is in use, or was made for something else.
        """
        path = Path(directory)
        config = path / "config.json"
        try:
            path.mkdir(parents=True, exist_ok=True)
            foreign = sorted(p.name for p in path.iterdir() if not p.name.startswith("."))
            if foreign and not config.exists():
                raise StoreError(
                    f"Expected an empty directory or one made by this program; got {path} with {foreign[0]} in it."
                )
            lock = (path / ".lock").open("w")
        except OSError as error:
            raise StoreError(f"Expected a directory that can be written; got {path} ({error.strerror}).") from error
        try:
            _take(lock, path)
            _agree(config, json.loads(json.dumps(configuration)))
            for half in (path / "parts").glob(".*.tmp.npz"):  # of a process that was killed before it could rename it
                half.unlink()
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
        """Arrays of a part, or None if missing or damaged; a damaged one becomes NAME.corrupt."""
        path = self._part(name)
        if not path.exists():
            return None
        try:
            with np.load(io.BytesIO(unseal(path)), allow_pickle=False) as part:
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

    def names(self, prefix: str) -> list[str]:
        """Names of all parts that begin so."""
        return [path.stem for path in (self.directory / "parts").glob(f"{prefix}*.npz")]

    def _part(self, name: str) -> Path:
        if not name or Path(name).name != name or name.startswith("."):
            raise ValueError(f"Expected a part's name without folders; got {name!r}.")
        return self.directory / "parts" / f"{name}.npz"


def write_curves(path: str | os.PathLike[str], datasets: Mapping[str, xr.Dataset]) -> None:
    """Write curves as one netCDF-4 file, a group for each system; whole or not at all."""

    # In memory first: on a full disk HDF5 loses errors while it closes, and a broken file would pass for a whole one.
    content = io.BytesIO()
    with h5netcdf.File(content, "w") as file:
        for name, dataset in datasets.items():
            dataset.dump_to_store(H5NetCDFStore(file, group=name))
    write_atomic(Path(path), lambda target: _write_bytes(target, content.getbuffer()), sealed=True)


def read_curves(path: str | os.PathLike[str]) -> dict[str, xr.Dataset]:
    """Curves of a file by `write_curves`, in memory.

    Raises:
        StoreError: if the file is missing, truncated, or not as it was written.
    """
    content = unseal(Path(path))
    try:
        with xr.open_datatree(io.BytesIO(content), engine="h5netcdf") as tree:
            return {name: child.to_dataset().load() for name, child in tree.children.items()}
    except (OSError, ValueError, KeyError) as error:
        raise StoreError(f"Expected {path} to be netCDF-4 with a group for each system; got {error}.") from error


def write_csv(path: str | os.PathLike[str], datasets: Mapping[str, xr.Dataset]) -> None:
    """Write curves as one table, a row for each system, level and seed.

    What does not depend on the seed is repeated; what belongs to a unit stands in columns
    NAME_unit0, NAME_unit1 ..., a lane's key in key_word0, key_word1; loss histories stay in the netCDF file.
    """
    names = [name for system, dataset in datasets.items() for name in _columns(system, dataset.isel(level=[0]))]
    names = list(dict.fromkeys(names))

    def write(target: Path) -> None:
        with target.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(names)
            for system, dataset in datasets.items():
                step = max(1, CSV_BLOCK // dataset.sizes["seed"])
                for first in range(0, dataset.sizes["level"], step):
                    block = _columns(system, dataset.isel(level=slice(first, first + step)))
                    writer.writerows(zip(*(block.get(name, repeat("")) for name in names), strict=False))

    write_atomic(Path(path), write)


def _take(lock: IO[str], path: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StoreError(f"Expected a directory that no other run is using; got {path}, in use.") from None


def _agree(file: Path, configuration: dict[str, Any]) -> None:
    """Write the configuration into a new directory, or compare it to the one there."""
    if not file.exists():
        text = json.dumps(configuration, indent=1, sort_keys=True) + "\n"
        write_atomic(file, lambda target: _write_text(target, text))
        return
    try:
        there = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise StoreError(f"Expected {file} to be JSON; got a file that is not ({error}).") from error
    changed = list(_differences(there, configuration))
    if changed:
        more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
        raise StoreError(
            f"Expected a directory of the same configuration; got {file.parent} made with "
            f"{', '.join(changed[:3])}{more}. Choose another --out."
        )


def _write_text(path: Path, text: str) -> None:
    path.write_text(text)


def _write_bytes(path: Path, content: memoryview) -> None:
    path.write_bytes(content)


def _differences(before: Any, now: Any, name: str = "") -> Iterator[str]:
    """What differs between two JSON values, as 'dotted.name=before (now after)'."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in {**before, **now}:
            inner = f"{name}.{key}" if name else key
            yield from _differences(before.get(key, ...), now.get(key, ...), inner)
    elif before != now:
        yield f"{name}={_short(before)} (now {_short(now)})"


def _short(value: Any) -> str:
    if value is ... or isinstance(value, dict):
        return "absent" if value is ... else "present"
    text = json.dumps(value)
    return text if len(text) <= 48 else f"{text[:44]} ..."


def _columns(system: str, dataset: xr.Dataset) -> dict[str, np.ndarray]:
    """The table's columns as text, (lanes,) each, lanes ordered by level, then seed."""
    shape = tuple(dataset.sizes[d] for d in ("level", "seed"))
    about = {"system": np.array(system), "level": dataset.level.values[:, None], "seed": dataset.seed.values}
    columns = {name: np.broadcast_to(values, shape).ravel().astype(str) for name, values in about.items()}
    for name, variable in dataset.data_vars.items():
        if "step" in variable.dims:
            continue
        rest = [d for d in variable.dims if d not in ("level", "seed")]
        sizes = {d: dataset.sizes[d] for d in ("level", "seed", *rest)}
        values = variable.variable.set_dims(sizes).transpose(*sizes).values.reshape(np.prod(shape), -1)
        names = [f"{name}_{rest[0]}{k}" for k in range(values.shape[1])] if rest else [str(name)]
        columns |= dict(zip(names, values.T.astype(str), strict=True))
    return columns
