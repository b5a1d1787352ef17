"""Posteriors as a user brings them: shapes, finite numbers, and whether they are variances or their logarithms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from capacity.runtime.memory import check_fits
from capacity.runtime.names import check_name
from capacity.runtime.tables.resolution import note_resolution
from capacity.runtime.whole import whole

TO_LOG_STD: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "logvar": lambda a: 0.5 * a,
    "log_std": lambda a: a,
    "variance": lambda a: 0.5 * np.log(a),
    "std": np.log,
}
MIN_SAMPLES = 256
SAMPLE_BYTES = 40.0  # of a sample and unit; 58 were seen
MAX_LOG_STD = 40.0  # past this, single precision has no numbers left


def checked_posterior(means: ArrayLike, spreads: ArrayLike, given: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Means and log standard deviations as float64 arrays (N, units).

    Args:
        means: (N, units).
        spreads: the same shape: log-variances, or what `given` says.
        given: one of "logvar", "log_std", "variance", "std"; None takes log-variances if they look like it.

    Raises:
        ValueError: for shapes that differ, numbers that are not real or not finite, fewer than two points, and numbers
            that look like variances where logarithms are expected or the other way round; the message says which.
        UserWarning: as `note_resolution` says it, of means in half precision.
    """
    if given is not None:
        check_name(given, TO_LOG_STD, "given")
    mean, spread = _table(means, "means"), _table(spreads, given or "logvars")
    if mean.shape != spread.shape:
        turned = " One of them seems to be transposed." if mean.shape == spread.shape[::-1] else ""
        raise ValueError(
            f"Expected means and {given or 'logvars'} of one shape (N, units); "
            f"got {mean.shape} and {spread.shape}.{turned}"
        )
    if len(mean) < 2:
        raise ValueError(f"Expected at least two data points, a row for each; got {len(mean)}.")
    if given in ("variance", "std") and not (spread > 0).all():
        raise ValueError(f"Expected a {given} greater than 0 everywhere; got {spread.min():.4g}. Are they logarithms?")
    if given is None and (spread >= 0).all() and spread.any():
        raise ValueError(
            f"Expected log-variances, of which some are below 0 wherever a posterior is narrower than the prior; got "
            f"no negative number, {spread.min():.4g} to {spread.max():.4g}, which look like variances or standard "
            "deviations. Say which they are: given='variance', 'std', 'logvar' or 'log_std' (on the command line: "
            "--given)."
        )
    log_std = TO_LOG_STD[given or "logvar"](spread)
    if not (np.abs(log_std) <= MAX_LOG_STD).all():
        raise ValueError(
            f"Expected log standard deviations within ±{MAX_LOG_STD:g}; got {log_std.min():.4g} to "
            f"{log_std.max():.4g}. Is it {given or 'logvar'} that was given?"
        )
    note_resolution(mean, log_std)
    return mean, log_std


def check_samples(samples: int, units: int) -> None:
    """Refuse numbers of noisy codes that say nothing, or that take more memory than there is.

    Raises:
        TypeError: for what is no whole number.
        ValueError: for fewer than 256, and where they do not fit into memory.
    """
    if whole(samples, "samples", None) < MIN_SAMPLES:
        raise ValueError(f"Expected at least {MIN_SAMPLES} samples; got {samples}.")
    check_fits(SAMPLE_BYTES * float(samples) * units, "a number of samples", "Lower samples (--samples).")


def _table(array: ArrayLike, name: str) -> np.ndarray:
    table = np.asarray(array)
    if table.dtype.kind not in "fiu":
        raise ValueError(f"Expected {name} as an array of real numbers; got {table.dtype}.")
    if table.ndim != 2 or 0 in table.shape:
        hint = " A single unit needs a column of its own: array[:, None]." if table.ndim == 1 else ""
        raise ValueError(f"Expected {name} of shape (N, units); got shape {table.shape}.{hint}")
    table = table.astype(np.float64)
    if not np.isfinite(table).all():
        row, column = np.argwhere(~np.isfinite(table))[0]
        raise ValueError(f"Expected finite {name}; got {table[row, column]} in row {row}, unit {column}.")
    return table
