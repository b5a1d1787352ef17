"""Means in half precision: noticed by their numbers, and said where rounding is felt beside the noise."""

from __future__ import annotations

import warnings

import numpy as np

MIN_DISTINCT = 64  # fewer values may be short numbers by themselves
FELT = 0.01  # of a unit's noise variance
GLANCE = 4096


def half_precision(numbers: np.ndarray) -> str | None:
    """ "float16" or "bfloat16", where every number is one of these and there are too many different ones for chance.

    Args:
        numbers: real, of any shape and type; those that were rounded and then saved as float32 are told too.
    """
    flat = numbers.reshape(-1)
    for part in (flat[:GLANCE], flat):  # most are told by the first few
        kinds = [kind for kind in ("bfloat16", "float16") if (_rounded(part, kind) == part).all()]
        if not kinds:
            return None
    return kinds[0] if len(np.unique(np.abs(flat))) >= MIN_DISTINCT else None


def note_resolution(means: np.ndarray, log_std: np.ndarray) -> None:
    """Say where means were rounded to half precision, and that is more than the noise hides; both (N, units) float64.

    Rounding to steps of d is an error of variance d^2/12.

    Raises:
        UserWarning: with the type and the unit where it is felt most.
    """
    kind = half_precision(means)
    if kind is None:
        return
    share = (_step(means, kind) ** 2 / 12 * np.exp(-2 * log_std)).mean(0)
    if share.max() > FELT:
        unit = int(np.argmax(share))
        warnings.warn(
            f"Means have the resolution of {kind}: rounding is {100 * share[unit]:.2g} % of the noise's variance in "
            f"unit {unit}, and over {100 * FELT:g} % in {int((share > FELT).sum())} of {len(share)} units. Figures are "
            "those of the rounded means. Encode and save in float32.",
            stacklevel=3,
        )


def _rounded(numbers: np.ndarray, kind: str) -> np.ndarray:
    with np.errstate(over="ignore"):
        if kind == "float16":
            return numbers.astype(np.float16)
        single = np.ascontiguousarray(numbers, dtype=np.float32)
        return (single.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)


def _step(numbers: np.ndarray, kind: str) -> np.ndarray:
    """Between a number and the next of its type."""
    if kind == "float16":
        return np.abs(np.spacing(numbers.astype(np.float16)).astype(np.float64))
    exponent = np.frexp(numbers)[1]
    return np.asarray(np.ldexp(1.0, exponent - 8))
