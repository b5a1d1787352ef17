"""Atoms: values of a real column that many rows share, such as the 0 of a rectified unit, spread without any loss.

Let a column take the value a with some probability and be continuous elsewhere.  What lies above a is moved up by a gap
and a itself becomes a uniform draw within that gap, independent of all else.  The column can be read off what comes
out, and what comes out is the column with independent noise where it is a, so that the information is the same exactly
(the distributional transform, Rueschendorf 2009, J. Stat. Plan. Inference 139), and there are no ties.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

LEAST_SHARE = 0.01  # of the rows, from which a value that repeats is an atom


def atoms_of(column: Float[np.ndarray, " n"]) -> tuple[np.ndarray, np.ndarray]:
    """The values that at least a hundredth of the rows share, two rows or more, and how many rows each has.

    Args:
        column: finite numbers.
    """
    values, counts = np.unique(column, return_counts=True)
    often = counts >= max(LEAST_SHARE * len(column), 2)
    return values[often], counts[often]


def spread_atoms(random: np.random.Generator, side: Float[np.ndarray, "n columns"]) -> tuple[np.ndarray, int]:
    """A side whose atoms are spread within gaps of their own, and how many columns had one.

    A gap is as wide as the atom's share of the rows asks at the density of the middle half of the others.

    Args:
        random: of the places within the gaps.
        side: real numbers.
    """
    spread, found = side.copy(), 0
    for j, column in enumerate(side.T):
        values, counts = atoms_of(column)
        others = column[~np.isin(column, values)]
        if not len(values):
            continue
        found += 1
        unit = len(column) / max(len(others), 1) * _middle(others if len(others) > 1 else column)
        for value, count in zip(values, counts, strict=True):
            gap = float(unit * count / len(column))
            above, equal = column > value, column == value
            spread[above, j] += gap
            spread[equal, j] += gap * random.uniform(size=int(equal.sum()))
    return spread, found


def _middle(column: np.ndarray) -> float:
    """Twice the interquartile range, or the whole range where that is 0."""
    quarter, three = np.quantile(column, [0.25, 0.75])
    return float(2 * (three - quarter) if three > quarter else np.ptp(column))
