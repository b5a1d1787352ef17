"""How many rows in time are worth, and whether rows are in an order that matters.

The variance of the mean of a product of two independent series is that of n / (1 + 2 sum_k r_x(k) r_y(k)) independent
rows, with the autocorrelations r of both (Bartlett 1935).  The sum ends at the first lag that is five times as large as
the sum so far (Sokal 1997), since what follows is noise.  A series is looked at through several functions of its
ranks, or the indicators of its symbols, because dependence of any shape is asked for; the most memory counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.fft import irfft, next_fast_len, rfft
from scipy.special import ndtr

from capacity.estimators.checks import checked
from capacity.estimators.ranks import mid_ranks
from capacity.estimators.testing.descriptions import cosines_of_ranks, principal_components

MIN_ROWS = 20
WINDOW = 5.0
FREQUENCIES = 2
MAX_COLUMNS = 8
MAX_SYMBOLS = 8
MAX_FUNCTIONS = 4  # of a side, those with the most memory, that stand for it
SURE = 1e-3  # chance that independent rows seem to be in order: stricter than 1 %, since it is a normal approximation
COSTLY = 0.95  # of the rows: where no fewer are left, memory costs nothing


@dataclass(frozen=True)
class RowOrder:
    """Whether neighbouring rows resemble each other on both sides.

    Attributes:
        resemble: whether they do, beyond chance and so much that rows count for less.
        p_value: chance that rows in random order look so, the larger of the two sides'.
        effective_rows: how many independent rows the rows are worth, at most n.
        sorted: whether the rows of a side are sorted by a column, or each symbol's rows stand together: a table that
            somebody sorted, or a trend.
    """

    resemble: bool
    p_value: float
    effective_rows: float
    sorted: bool

    @property
    def in_time(self) -> bool:
        """Whether rows are to be taken for rows in time: they resemble each other, and nobody sorted them."""
        return self.resemble and not self.sorted


def rows_resemble_neighbours(x: ArrayLike, y: ArrayLike) -> RowOrder:
    """Whether neighbouring rows resemble each other on both sides, so that rows are no independent draws.

    Both sides must do so: where one side's rows are independent draws, pairing at random is what happened, and
    intervals hold whatever memory the other side has.  Independent draws are taken for rows in order in fewer than
    1 % of cases.

    Args:
        x, y: shapes (n,) or (n, columns), row i of both from the same time.

    Raises:
        ValueError: for what `checked` refuses, and fewer than 20 rows.
    """
    sides = checked(x, y, "any", MIN_ROWS)
    p_value = max(_chance_of_order(side) for side in sides)
    effective = _effective(*sides)
    resemble = p_value < SURE and effective < COSTLY * len(sides[0])
    return RowOrder(resemble, p_value, effective, any(_is_sorted(side) for side in sides))


def effective_rows(x: ArrayLike, y: ArrayLike) -> float:
    """How many independent rows n rows of two series in time are worth, at most n.

    Args:
        x, y: shapes (n,) or (n, columns).

    Raises:
        ValueError: for what `checked` refuses, and fewer than 20 rows.
    """
    return _effective(*checked(x, y, "any", MIN_ROWS))


def functions_of(side: np.ndarray) -> np.ndarray:
    """Functions of a side whose memory is looked at: mean 0, variance 1, shape (n, p)."""
    if side.dtype.kind == "f":
        columns = principal_components(side, MAX_COLUMNS) if side.shape[1] > MAX_COLUMNS else side
        values = np.hstack([cosines_of_ranks(ranks, FREQUENCIES) for ranks in mid_ranks(columns).T])
    else:
        common = np.argsort(-np.bincount(side[:, 0]), kind="stable")[:MAX_SYMBOLS]
        values = (side == common).astype(float)
    values = values - values.mean(axis=0)
    deviation = values.std(axis=0)
    kept = deviation > 1e-9
    return np.asarray(values[:, kept] / deviation[kept])


def autocorrelations(values: np.ndarray) -> np.ndarray:
    """Autocorrelation of every column at lags 0 to n - 1, each lag's sum divided by n: shape (n, p)."""
    n = len(values)
    power = np.abs(rfft(values, next_fast_len(2 * n, real=True), axis=0)) ** 2
    return np.asarray(irfft(power, next_fast_len(2 * n, real=True), axis=0)[:n] / n)


def _effective(x: np.ndarray, y: np.ndarray) -> float:
    n = len(x)
    times = [_correlation_time(a * b) for a in _most_lasting(x).T for b in _most_lasting(y).T]
    return float(n / max(1.0, *times)) if times else float(n)


def _most_lasting(side: np.ndarray) -> np.ndarray:
    """Autocorrelations of the few functions of a side with the most memory, shape (n, p)."""
    found = autocorrelations(functions_of(side))
    memory = [_correlation_time(column**2) for column in found.T]
    return np.asarray(found[:, np.argsort(memory)[::-1][:MAX_FUNCTIONS]])


def _correlation_time(products: np.ndarray) -> float:
    """1 + 2 sum of products over lags from 1 to the first that is `WINDOW` times as large as that."""
    times = 1 + 2 * np.cumsum(products[1:])
    inside = np.arange(1, len(products)) >= WINDOW * times
    return float(times[inside.argmax() if inside.any() else -1])


def _chance_of_order(side: np.ndarray) -> float:
    """Chance, in random order, of a correlation of neighbouring rows as large as any found (Wald & Wolfowitz 1943)."""
    if side.dtype.kind == "i":
        return _chance_of_repeats(side[:, 0])
    values = functions_of(side)
    n = len(values)
    scores = (n * (values[1:] * values[:-1]).mean(axis=0) + 1) / np.sqrt(n)
    return float(min(1.0, 2 * ndtr(-np.abs(scores).max()) * values.shape[1]))


def _chance_of_repeats(symbols: np.ndarray) -> float:
    """Chance, in random order, of so many or so few symbols that are followed by themselves."""
    n, share = len(symbols), np.bincount(symbols) / len(symbols)
    second, third = (share**2).sum(), (share**3).sum()
    mean = (n - 1) * second
    variance = (n - 1) * (second - second**2 + 2 * (third - second**2))
    excess = abs(int((symbols[1:] == symbols[:-1]).sum()) - mean)
    if excess < 3:  # too few to tell by a normal law
        return 1.0
    return float(min(1.0, 2 * ndtr((0.5 - excess) / max(variance, 1.0) ** 0.5)))


def _is_sorted(side: np.ndarray) -> bool:
    """Whether a column never falls or never rises, or each symbol's rows stand together."""
    if side.dtype.kind == "f":
        steps = np.diff(side, axis=0)
        return bool(((steps >= 0).all(axis=0) | (steps <= 0).all(axis=0)).any())
    changes = int((side[1:, 0] != side[:-1, 0]).sum())
    return changes == int(side.max()) and changes < len(side) - 1
