"""Numbers that no curve can have, whatever its source and system: told without loading JAX."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable

from capacity.runtime.whole import whole

LEVELS = 1e-18, 1e18
MIN_SAMPLES = 16


def checked_levels(levels: Iterable[float]) -> tuple[float, ...]:
    """Noise levels as numbers.

    Raises:
        ValueError: unless they are positive, from 1e-18 to 1e18, and distinct in single precision.
    """
    values = tuple(float(level) for level in levels)
    if not values or not all(math.isfinite(v) and v > 0 for v in values):
        raise ValueError(f"Expected noise levels that are finite and greater than 0; got {_some(values) or 'none'}.")
    if not all(LEVELS[0] <= v <= LEVELS[1] for v in values):
        raise ValueError(
            f"Expected noise levels from {LEVELS[0]:g} to {LEVELS[1]:g}, whose squares single precision holds; "
            f"got {_some(values)}."
        )
    if len({struct.pack("f", value) for value in values}) < len(values):
        raise ValueError(f"Expected distinct noise levels, in single precision; got {_some(values)}.")
    return values


def check_counts(seeds: int, samples: int, budget_gflop: float) -> None:
    """Refuse counts and a budget that leave nothing to do.

    Raises:
        TypeError: for counts that are no whole numbers.
        ValueError: saying which.
    """
    if whole(seeds, "seeds", None, None) < 1:
        raise ValueError(f"Expected at least one seed; got {seeds}.")
    if whole(samples, "samples", None, None) < MIN_SAMPLES:
        raise ValueError(f"Expected at least {MIN_SAMPLES} samples for a figure with an interval; got {samples}.")
    if not (math.isfinite(budget_gflop) and budget_gflop > 0):
        raise ValueError(f"Expected a budget greater than 0, in billions of operations; got {budget_gflop}.")


def _some(values: tuple[float, ...], most: int = 12) -> str:
    more = f" and {len(values) - most} more" if len(values) > most else ""
    return ", ".join(map(str, values[:most])) + more
