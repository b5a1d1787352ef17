"""Figures with their intervals, and brackets, as words and as JSON; a bracket that says nothing is called so."""

from __future__ import annotations

from typing import TYPE_CHECKING, SupportsFloat

import numpy as np

if TYPE_CHECKING:
    from capacity.results.estimate import Bracket, Estimate

NOT_KNOWN = "saturated: not known"


def estimate_record(found: Estimate, place: int | tuple[()] = ()) -> dict[str, float]:
    """Figure and interval of one estimate, or of one of a stack."""
    return {name: float(np.asarray(getattr(found, name))[place]) for name in ("bits", "low", "high")}


def bracket_record(
    found: Bracket, known: bool | np.ndarray, place: int | tuple[()] = ()
) -> dict[str, float | bool | None]:
    """Both ends of one bracket, or of one of a stack, and whether they say more than that points are told apart."""
    low, high = (float(np.asarray(end)[place]) for end in (found.low, found.high))
    return {"low": low, "high": high if np.isfinite(high) else None, "known": bool(np.asarray(known)[place])}


def bracket_ends(found: Bracket, known: bool | np.ndarray, place: int | tuple[()] = ()) -> str:
    """Both ends; where the points say no more than that they are told apart, that first."""
    low, high = (float(np.asarray(end)[place]) for end in (found.low, found.high))
    if not np.isfinite(high):
        return f"not known: {found.method}"
    ends = f"{three(low)} to {three(high)}"
    return ends if np.asarray(known)[place] else f"{NOT_KNOWN} ({ends})"


def three(value: SupportsFloat) -> str:
    """A figure to three places, never -0."""
    return f"{round(float(value), 3) + 0.0:.3f}"
