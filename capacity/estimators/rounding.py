"""Rounded numbers: columns of values on a grid, spread evenly within their step.

Let X be a multiple of a step s and D uniform on (-s/2, s/2), independent of all else.  X is the multiple of s that is
nearest to X + D, so that I(X + D; Y) = I(X; Y) exactly, and X + D has no ties: methods for continuous numbers apply.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

GRID_TOLERANCE = 1e-3  # of a step: decimals are not exact in binary
LEAST_VALUES = 3  # with fewer any two values are a grid


def grid_step(column: Float[np.ndarray, " n"]) -> float | None:
    """The step of a grid on which all values of a column lie; None where they are on none, or where none repeats.

    Args:
        column: finite numbers.

    Examples:
        >>> grid_step(np.array([0.0, 0.5, 0.5, 2.0])), grid_step(np.array([0.0, 0.12, 1.57, 1.57]))
        (0.5, None)
    """
    values = np.unique(column)
    if not LEAST_VALUES <= len(values) < len(column):
        return None
    gaps = np.diff(values)
    step = float(gaps.min())
    whole = np.rint(gaps / step)
    on_grid = np.abs(gaps / step - whole).max() <= GRID_TOLERANCE
    # The values' own rounding must be small beside the step, else it is the grid of floating point that was found.
    resolved = np.spacing(np.abs(values).max()) < GRID_TOLERANCE * step
    return float((values[-1] - values[0]) / whole.sum()) if on_grid and resolved else None


def spread_within_steps(random: np.random.Generator, side: Float[np.ndarray, "n columns"]) -> tuple[np.ndarray, int]:
    """A side whose rounded columns are spread evenly within their steps, and how many those are.

    Args:
        random: of the places within the steps.
        side: real numbers.
    """
    spread, rounded = side.copy(), 0
    for j, column in enumerate(side.T):
        step = grid_step(column)
        if step is not None:
            spread[:, j] += step * random.uniform(-0.5, 0.5, len(side))
            rounded += 1
    return spread, rounded
