"""Rows that are copies of points, and rows that are equal by chance: how often rows came tells them apart.

Of n independent draws let F_k be how many different rows came k times.  With m_k = k! E F_k = sum_s l_s^k e^(-l_s),
l_s the expected number of a row, moments in l,

    m_k^2 <= m_(k-1) m_(k+1)          (Cauchy-Schwarz):          (E F_k)^2 <= (k+1)/k E F_(k-1) E F_(k+1)

so that many rows that came twice stand between rows that came once and thrice.  Where some points are there twice they
do not.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Int
from scipy.stats import gamma

COPIED_ROWS = 20  # different rows from which a common divisor of their counts is no chance
ERROR = 1e-5  # of either end of a count's Poisson interval: false alarms are rarer


def without_copies(rows: Int[np.ndarray, " n"]) -> Int[np.ndarray, " kept"]:
    """Places of rows, each as often as it came over the greatest common divisor of how often all of them came.

    Rows that were drawn have none in common, but for few different ones, where all are kept.

    Args:
        rows: a number for each, the same for equal rows.
    """
    times = np.bincount(rows)
    times = times[times > 0]
    divisor = int(np.gcd.reduce(times)) if len(times) >= COPIED_ROWS else 1
    order = np.argsort(rows, kind="stable")
    return np.sort(order[::divisor])


def some_are_copies(rows: Int[np.ndarray, " n"]) -> bool:
    """Whether rows came as often as independent draws do not: so many twice, say, and so few thrice.

    Args:
        rows: a number for each, the same for equal rows.
    """
    kinds = np.append(np.bincount(np.bincount(rows)), 0.0)  # how many rows came k times
    k = np.flatnonzero(kinds[2:]) + 2
    least = gamma.ppf(ERROR, kinds[k])
    most = gamma.ppf(1 - ERROR, kinds[k - 1] + 1) * gamma.ppf(1 - ERROR, kinds[k + 1] + 1)
    return bool((least**2 > (k + 1) / k * most).any())


def repeated(rows: Int[np.ndarray, " n"]) -> int:
    """How many of the rows are equal to one before them.

    Args:
        rows: a number for each, the same for equal rows.
    """
    return len(rows) - len(np.unique(rows))
