"""Posteriors on disk, as arrays by name and never a pickle: `.npz`, or `.safetensors` by its own library."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from capacity.runtime.files.arrays import ARCHIVES, read_arrays
from capacity.runtime.files.atomic import write_atomic
from capacity.runtime.files.safetensors_files import write_safetensors
from capacity.runtime.names import brief, check_name, shown
from capacity.runtime.tables.posterior_arrays import (
    PARAMETERS,
    PosteriorArrays,
    check_points,
    meaning_of,
    named_posterior,
)


def save_posterior(file: str | os.PathLike[str], posterior: PosteriorArrays) -> None:
    """Write the arrays of `collect_module` by their names, whole or not at all.

    Args:
        file: ends in `.npz` or `.safetensors`.
        posterior: of `collect_module`.

    Raises:
        ValueError: for another ending, and for `.safetensors` where safetensors is not installed.
        StoreError: if the disk does not take it.
    """
    path = Path(file)
    ending = path.suffix.lower()
    if ending not in ARCHIVES:
        raise ValueError(f"Expected a file that ends in {' or '.join(ARCHIVES)}; got {path}.")
    if ending == ".safetensors":
        write_safetensors(path, posterior.arrays)
    else:
        write_atomic(path, lambda target: _write_npz(target, posterior.arrays))


def load_posterior(
    file: str | os.PathLike[str], means: str | None = None, spread: str | None = None, given: str | None = None
) -> PosteriorArrays:
    """Posteriors from a `.npz` or `.safetensors` file, told by the names of its arrays.

    Args:
        file: holds means and one of logvars, log_stds, variances and stds, or codes, or probs or logits, by these names
            or others in use (`mu`, `loc`, `log_var`, `indices`), with or without a prefix, as `encoder.mu`.
        means, spread: names of the arrays of means and of their spread, where they have others.
        given: what the spread is: "logvar", "log_std", "variance", "std" or "precision"; None goes by its name.

    Raises:
        ValueError: for a file that cannot be read, names that are not there or not known, and what is no posterior.
    """
    path = Path(file)
    if path.suffix.lower() not in ARCHIVES and path.suffix.lower() in (".npy", ".csv", ".parquet"):
        raise ValueError(f"Expected arrays by their names, in a file that ends in {' or '.join(ARCHIVES)}; got {path}.")
    arrays: Mapping[str, np.ndarray] = read_arrays(path)
    if means is not None or spread is not None:
        arrays = _chosen(arrays, means, spread, path)
    hint = " Or say which is which: means=, spread= (on the command line: --means NAME --logvars NAME)."
    found = named_posterior(arrays, str(path), given, hint)
    check_points(found)
    return found


def _chosen(
    arrays: Mapping[str, np.ndarray], means: str | None, spread: str | None, path: Path
) -> Mapping[str, np.ndarray]:
    """Arrays under the names that are known, as these were said to be called."""
    if means is not None and means == spread:
        raise ValueError(f"Expected two arrays of {path}, means and their spread; got '{brief(shown(means))}' as both.")
    of_spread = "logvars" if spread is None else meaning_of(spread)
    picked: dict[str, np.ndarray] = {}
    for name, known in ((means, "means"), (spread, of_spread if of_spread in PARAMETERS else "logvars")):
        if name is not None:
            check_name(name, arrays, f"an array of {path}")
            picked[str(known)] = arrays[name]
    if len(picked) == 2:
        return picked
    return {name: array for name, array in arrays.items() if name not in (means, spread)} | picked


def _write_npz(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
