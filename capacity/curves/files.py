"""Curves on disk: one sealed netCDF-4 file with a group for each system, and one plain CSV table."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping
from itertools import repeat
from pathlib import Path

import h5netcdf
import numpy as np
import xarray as xr
from xarray.backends import H5NetCDFStore

from capacity.curves.contents import check_own
from capacity.curves.schema import lacks
from capacity.runtime.files.atomic import StoreError, unseal, write_atomic
from capacity.runtime.files.names import CURVE_FILE
from capacity.runtime.files.seals import digest_in
from capacity.runtime.names import as_cell

CSV_BLOCK = 4096  # lanes that are text at a time


def write_curves(path: str | os.PathLike[str], datasets: Mapping[str, xr.Dataset], made_for: str = "") -> None:
    """Write curves as one netCDF-4 file, a group for each system; whole or not at all.

    Args:
        path: the file's place.
        datasets: by system.
        made_for: the digest of the run's configuration, if they are of a run: `Store.digest`.
    """

    # In memory first: on a full disk HDF5 loses errors while it closes, and a broken file would pass for a whole one.
    content = io.BytesIO()
    with h5netcdf.File(content, "w") as file:
        for name, dataset in datasets.items():
            dataset.dump_to_store(H5NetCDFStore(file, group=name))
    write_atomic(Path(path), lambda target: _write_bytes(target, content.getbuffer()), sealed=True, made_for=made_for)


def read_datasets(path: str | os.PathLike[str], made_for: str | None = None) -> dict[str, xr.Dataset]:
    """Datasets of a file by `write_curves`, in memory.

    Args:
        path: the file's place.
        made_for: the digest of the run that it must be of; None if any will do.

    Raises:
        StoreError: if the file is missing, truncated, not as it was written, of another run, or refused by `check_own`.
    """
    content = unseal(Path(path), made_for)
    try:
        check_own(content, path)
        with xr.open_datatree(io.BytesIO(content), engine="h5netcdf") as tree:
            return {name: child.to_dataset().load() for name, child in tree.children.items()}
    except StoreError:
        raise
    except (OSError, ValueError, KeyError) as error:
        raise StoreError(f"Expected {path} to be netCDF-4 with a group for each system; got {error}.") from error


def read_curves(path: str | os.PathLike[str], made_for: str | None = None) -> dict[str, xr.Dataset]:
    """Curves of a file by `write_curves`, in memory.

    Args:
        path, made_for: as in `read_datasets`.

    Raises:
        StoreError: as `read_datasets`; and where it holds something else than curves.
    """
    if not Path(path).exists():
        raise StoreError(f"Expected a curve at {path}; got no such file.")
    curves = read_datasets(path, made_for)
    if not curves:
        raise StoreError(f"Expected {path} to have a group for each system; got none.")
    for name, curve in curves.items():
        lost = lacks(curve)
        if lost:
            raise StoreError(f"Expected {path} to hold curves; got {name} {lost}.")
    return curves


def load_curves(path: str | os.PathLike[str]) -> dict[str, xr.Dataset]:
    """Curves that `capacity curve` has saved, by system: dims level, seed and unit, every figure with its unit.

    Args:
        path: the directory given as `--out`, or its file `curve.nc`, or a file by `write_curves`.

    Raises:
        StoreError: if the file is missing, truncated, or not as it was written; or of another run than the directory.
    """
    path = Path(path)
    if not path.is_dir():
        return read_curves(path)
    return read_curves(path / CURVE_FILE, digest_in(path))


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
            writer.writerow(map(as_cell, names))
            for system, dataset in datasets.items():
                step = max(1, CSV_BLOCK // dataset.sizes["seed"])
                for first in range(0, dataset.sizes["level"], step):
                    block = _columns(system, dataset.isel(level=slice(first, first + step)))
                    writer.writerows(zip(*(block.get(name, repeat("")) for name in names), strict=False))

    write_atomic(Path(path), write)


def _write_bytes(path: Path, content: memoryview) -> None:
    path.write_bytes(content)


def _columns(system: str, dataset: xr.Dataset) -> dict[str, np.ndarray]:
    """The table's columns as text, (lanes,) each, lanes ordered by level, then seed."""
    shape = tuple(dataset.sizes[d] for d in ("level", "seed"))
    about = {"system": np.array(as_cell(system)), "level": dataset.level.values[:, None], "seed": dataset.seed.values}
    columns = {name: np.broadcast_to(values, shape).ravel().astype(str) for name, values in about.items()}
    for name, variable in dataset.data_vars.items():
        if "step" in variable.dims:
            continue
        rest = [d for d in variable.dims if d not in ("level", "seed")]
        sizes = {d: dataset.sizes[d] for d in ("level", "seed", *rest)}
        whole = variable.variable.set_dims(sizes)
        values = whole.transpose(*sizes).values.reshape(np.prod(shape), -1)
        names = [f"{name}_{rest[0]}{k}" for k in range(values.shape[1])] if rest else [str(name)]
        cells = values.T.astype(str)
        cells = cells if variable.dtype.kind in "fiub" else np.vectorize(as_cell, otypes=[object])(cells)
        columns |= dict(zip(names, cells, strict=True))
    return columns
