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
    "precision": lambda a: -0.5 * np.log(a),
}
NAMED = {"variance": "variances", "std": "standard deviations", "precision": "precisions"}
MIN_SAMPLES = 256
SAMPLE_BYTES = 40.0  # of a sample and unit; 58 were seen
MAX_LOG_STD = 40.0  # past this, single precision has no numbers left
LARGEST = 1e18  # of a mean: the squares of larger ones are past single precision
OFFSET = 100.0  # times the spread of a unit: so far from 0 it has an offset, which takes digits
UNIT_ERROR = 0.04  # of the logarithm of a variance in all, beside what so few points leave open
READINGS_APART = 0.15  # of the same: two ways of reading the noise are told apart
MIN_UNITS_TOLD = 3
COARSE = 0.5  # of the posterior's standard deviation: rounding by more than such a step is noise of its own


def checked_posterior(means: ArrayLike, spreads: ArrayLike, given: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Means and log standard deviations as float64 arrays (N, units).

    Args:
        means: (N, units).
        spreads: the same shape: log-variances, or what `given` says.
        given: one of "logvar", "log_std", "variance", "std", "precision"; None: log-variances,
            if they look like it.

    Raises:
        ValueError: for shapes that differ, numbers that are not real or not finite, fewer than two points, numbers
            that look like variances, standard deviations or precisions where logarithms are expected, or the other way
            round, and means that were rounded after an offset took their digits; the message says which.
        UserWarning: as `note_resolution` says it, of means in half precision.
    """
    if given is not None:
        check_name(given, TO_LOG_STD, "given")
    mean, spread = _table(means, "means"), _table(spreads, given or "logvars")
    check_magnitude(mean, "means")
    if mean.shape != spread.shape:
        turned = " One of them seems to be transposed." if mean.shape == spread.shape[::-1] else ""
        raise ValueError(
            f"Expected means and {given or 'logvars'} of one shape (N, units); "
            f"got {mean.shape} and {spread.shape}.{turned}"
        )
    if len(mean) < 2:
        raise ValueError(f"Expected at least two data points, a row for each; got {len(mean)}.")
    if given in NAMED and not (spread > 0).all():
        raise ValueError(
            f"Expected a {given} greater than 0 everywhere; got {_zeros(spread)}{spread.min():.4g}. "
            + ("Are they logarithms?" if spread.min() < 0 else "A unit without noise holds bits without end.")
        )
    if given is None and (spread >= 0).all() and spread.any():
        raise ValueError(_asked_about(mean, spread))
    if given is None and (spread < 0).any():
        _ask_about_log_std(mean, spread)
    log_std = TO_LOG_STD[given or "logvar"](spread)
    if not (np.abs(log_std) <= MAX_LOG_STD).all():
        raise ValueError(
            f"Expected log standard deviations within ±{MAX_LOG_STD:g}; got {log_std.min():.4g} to "
            f"{log_std.max():.4g}. Is it {given or 'logvar'} that was given?"
        )
    _check_digits(np.asarray(means).dtype, mean, log_std)
    note_resolution(mean, log_std)
    return mean, log_std


def like_a_unit_prior(mean: np.ndarray, log_std: np.ndarray, other: np.ndarray) -> bool:
    """Whether a code is all of variance 1, unit by unit, as one way of reading its noise has it, and not as the other.

    Under a prior of variance 1 a trained code has about that variance in all: of the means and within posteriors.  The
    two ways are log standard deviations twice or half as large, and come apart where the noise is neither small nor 1.

    Args:
        mean: (N, units).
        log_std: (N, units), as what was given was not meant to be read.
        other: the same, as it was.
    """
    unlikely, likely = (np.log(mean.var(0) + np.exp(2 * one).mean(0)) for one in (other, log_std))
    told = np.abs(unlikely - likely) > READINGS_APART
    error = UNIT_ERROR + 3 * (2 / len(mean)) ** 0.5
    if told.sum() < MIN_UNITS_TOLD or not (np.abs(likely) < error).all():
        return False
    return bool(abs(likely[told].mean()) < UNIT_ERROR and np.abs(unlikely[told]).min() > READINGS_APART)


def _ask_about_log_std(mean: np.ndarray, spread: np.ndarray) -> None:
    if like_a_unit_prior(mean, spread, spread / 2):
        whole = [float((mean.var(0) + np.exp(factor * spread).mean(0)).mean()) for factor in (1, 2)]
        raise ValueError(
            f"Expected log-variances; means and noise have a variance of {whole[0]:.3g} by these, and of "
            f"{whole[1]:.3g} if they are log standard deviations, where the usual prior has 1. Say which they are: "
            "given='logvar' or 'log_std' (on the command line: --given log_std)."
        )


def _asked_about(mean: np.ndarray, spread: np.ndarray) -> str:
    """The question which of three things numbers without a sign are.

    Under a prior of variance 1 a trained code has about that variance in all: of the means and within posteriors.
    """
    likely = ["precision"] if np.median(spread) > 1 else ["variance", "std"]
    positive = np.where(spread > 0, spread, np.nan)
    whole = {name: float(np.nanmean(mean.var(0) + np.exp(2 * TO_LOG_STD[name](positive)))) for name in likely}
    best = min(whole, key=lambda name: abs(np.log(whole[name])))
    sums = ", ".join(f"{whole[name]:.3g} as {NAMED[name]}" for name in likely)
    return (
        "Expected log-variances, of which some are below 0 wherever a posterior is narrower than the prior; got "
        f"no negative number, {_zeros(spread)}{spread.min():.4g} to {spread.max():.4g}, which look like "
        f"{' or '.join(NAMED[name] for name in likely)}. Means and noise have a variance of {sums}; a prior of "
        f"variance 1 suggests given='{best}'. Say which they are: given='variance', 'std', 'precision', 'logvar' or "
        f"'log_std' (on the command line: --given {best})."
    )


def _zeros(spread: np.ndarray) -> str:
    zeros = int((spread == 0).sum())
    return f"{zeros:,} zeros, " if zeros else ""


def _check_digits(kind: np.dtype, mean: np.ndarray, log_std: np.ndarray) -> None:
    """Refuse means that stood far from 0 when they were rounded to few digits: what they said is lost.

    Raises:
        ValueError: naming the unit.
    """
    if kind.kind != "f" or kind.itemsize >= mean.itemsize:
        return
    offset = np.median(mean, axis=0)
    step = np.spacing(np.abs(offset).astype(kind)).astype(mean.dtype)
    std = np.exp(np.median(log_std, axis=0))
    lost = (np.abs(offset) > OFFSET * np.median(np.abs(mean - offset), axis=0)) & (step > COARSE * std)
    if lost.any():
        unit = int(np.flatnonzero(lost)[0])
        raise ValueError(
            f"Expected means with digits for their noise; got {kind} means near {offset[unit]:.6g} in unit {unit}, in "
            f"steps of {step[unit]:.3g} beside a posterior standard deviation of {std[unit]:.3g}. Subtract the unit's "
            "mean before numbers are rounded, or save them as float64: a constant changes no bits."
        )


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


def check_magnitude(table: np.ndarray, name: str) -> None:
    """Refuse numbers whose squares no type of number holds beside others.

    Args:
        table: finite numbers.
        name: what they are called.

    Raises:
        ValueError: naming the first.
    """
    large = np.abs(table) > LARGEST
    if large.any():
        place = tuple(np.argwhere(large)[0].tolist())
        raise ValueError(f"Expected {name} within ±{LARGEST:g}; got {table[place]:.4g} in row {place[0]}.")
