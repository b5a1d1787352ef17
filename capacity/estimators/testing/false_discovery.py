"""Many p-values at once: how many of the findings are false (Benjamini & Hochberg 1995)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def false_discovery(p_values: ArrayLike, any_dependence: bool = False) -> np.ndarray:
    """Adjusted p-values: those at most q are findings of which a share of at most q is false, on average.

    A symmetric table of pairs may be given as it is: each pair twice changes nothing.

    Args:
        p_values: any shape; NaN, as on a diagonal, stands for no test and stays.
        any_dependence: whether the tests may depend on each other in any way (Benjamini & Yekutieli 2001), at the price
            of a factor of about log m; by default not negatively.

    Returns:
        The same shape.

    Raises:
        ValueError: for figures outside [0, 1].

    Examples:
        >>> false_discovery([0.01, 0.02, 0.5, float("nan")]).round(3).tolist()
        [0.03, 0.03, 0.5, nan]
    """
    given = np.asarray(p_values, np.float64)
    known = ~np.isnan(given)
    if ((given[known] < 0) | (given[known] > 1)).any():
        raise ValueError(f"Expected p-values from 0 to 1; got {given[known].min()} to {given[known].max()}.")
    adjusted = given.copy()
    if known.any():
        from scipy.stats import false_discovery_control  # half a second, for those who ask

        adjusted[known] = false_discovery_control(given[known], method="by" if any_dependence else "bh")
    return adjusted
