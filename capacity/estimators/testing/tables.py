"""The exact test of a small table: every table of the same margins, with its probability (Fisher's conditional test).

Given both margins and independence a table has the probability prod r_i! prod c_j! / (n! prod t_ij!).  Tables are
built column by column, and those that have the same rows left and the same statistic are put together on the way
(Mehta & Patel 1983).
"""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
from scipy.special import gammaln, xlogy

MAX_STATES = 20_000  # tables in the making, for one column
_DIGITS = 9  # statistics that agree so far are equal


def exact_p_value(table: np.ndarray) -> float | None:
    """Probability, under independence, of a table with as much information as this one; None where it is too large.

    Args:
        table: counts, shape (rows, columns).
    """
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    table = table.T if table.shape[0] > table.shape[1] else table
    columns = np.sort(table.sum(axis=0))
    left, log_mass, statistic = table.sum(axis=1)[None], np.zeros(1), np.zeros(1)
    for total in columns[:-1]:
        if len(left) * comb(int(total) + table.shape[0] - 1, table.shape[0] - 1) > MAX_STATES:
            return None
        column = _divisions(int(total), table.shape[0])
        after = left[:, None] - column
        state, which = np.nonzero((after >= 0).all(axis=2))
        left, column = after[state, which], column[which]
        log_mass = log_mass[state] - gammaln(column + 1).sum(axis=1)
        statistic = (statistic[state] + xlogy(column, column).sum(axis=1)).round(_DIGITS)
        left, log_mass, statistic = _merged(left, log_mass, statistic)
    log_mass = log_mass - gammaln(left + 1).sum(axis=1)
    statistic = statistic + xlogy(left, left).sum(axis=1)
    mass = np.exp(log_mass - log_mass.max())
    as_far = statistic >= xlogy(table, table).sum() - 10.0 ** (1 - _DIGITS) * table.shape[1]
    return min(float(mass[as_far].sum() / mass.sum()), 1.0)


def _divisions(total: int, parts: int) -> np.ndarray:
    """All ways to write a total as so many whole numbers from 0 up, shape (ways, parts)."""
    bars = np.array(list(combinations(range(total + parts - 1), parts - 1)), np.int64).reshape(-1, parts - 1)
    ends = np.hstack([np.full((len(bars), 1), -1), bars, np.full((len(bars), 1), total + parts - 1)])
    return np.diff(ends, axis=1) - 1


def _merged(left: np.ndarray, log_mass: np.ndarray, statistic: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """States that have the same rows left and the same statistic as one."""
    _, first, which = np.unique(np.column_stack([left, statistic]), axis=0, return_index=True, return_inverse=True)
    merged = np.full(len(first), -np.inf)
    np.logaddexp.at(merged, which.reshape(-1), log_mass)
    return left[first], merged, statistic[first]
