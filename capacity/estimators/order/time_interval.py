"""Information between two series in time, with an interval that allows for their memory.

The method is applied to all rows.  Rows that resemble their neighbours make it err in two ways.

*Bias.*  Few independent rows look related by chance, and the method takes this for information.  Shifting one side
against the other round a circle, far beyond the memory, keeps all of that and takes away all dependence (Harris 2020).
The mean of the estimates over such shifts is the bias of independent series, and is taken off.

*Spread.*  The estimates of shifted series also show how far independent series stray: the interval leaves out 0 only
where the estimate is above all of 39 shifts, which happens once in 40 times by chance.  Dependent series stray
otherwise; how far, is seen from estimates on consecutive parts, each long against the memory (Politis & Romano 1994):
their variance divided by their number, with Student's quantile.  Drawing rows with replacement would make duplicates,
at distance 0.

Measured on 4,000 rows of normal AR(1) by canonical correlations, 60 to 150 runs each: 0 was held in 99 % of independent
series of 0.99, which are worth 40 rows; of dependent ones 0.9 in 98 %, 0.99 in 93 to 96 %, and 89 % where one side adds
noise without memory, which hides some of the memory of their relation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import jax
import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from capacity.estimators.checks import checked, random_of
from capacity.estimators.estimator import Estimator
from capacity.estimators.order.memory import MIN_ROWS, effective_rows
from capacity.results.estimate import Estimate
from capacity.runtime.keys import Seed, as_key
from capacity.runtime.threefry import parts_of
from capacity.runtime.whole import whole

SHIFTS = 39  # one in forty is beyond all of them
MEMORIES = 5.0  # a block is at least so many correlation times long
PART = 1.6  # blocks of a part, where there are rows for four such: shorter ones show too little of the spread
MIN_PARTS, MAX_PARTS = 4, 10


def time_interval(key: Seed, x: ArrayLike, y: ArrayLike, estimator: Estimator, block: int | None = None) -> Estimate:
    """Bits between two stationary series, row by row, with a 95 % interval for rows that resemble their neighbours.

    The estimator is called some fifty times.

    Args:
        key: a key or a seed; decides the shifts, and what the estimator draws.
        x, y: shapes (n,) or (n, columns), row i of both from the same time.
        estimator: any estimator.
        block: rows that are long against the memory; by default five times the number of rows that are worth one
            independent row (`effective_rows`).

    Raises:
        ValueError: for what `checked` refuses, a block of more than a quarter of the rows, and series that are short
            against their memory.
    """
    key_whole, key_shifts, key_parts = parts_of(as_key(key), 3)
    x, y = checked(x, y, estimator.takes, max(MIN_ROWS, estimator.min_pairs))
    rows = block_rows(x, y, estimator.min_pairs, block)
    estimator = estimator.of_independent_rows()
    whole = estimator.information(key_whole, x, y)
    shifted = ShiftedBits.of(key_shifts, x, y, estimator, rows)
    return widened(whole, shifted, PartBits.of(key_parts, x, y, estimator, rows))


@dataclass(frozen=True)
class ShiftedBits:
    """What an estimator says of the same series without their dependence.

    Attributes:
        mean: of the estimates over shifts, bits.
        most: the largest of them.
    """

    mean: float
    most: float

    @classmethod
    def of(cls, key: jax.Array, x: np.ndarray, y: np.ndarray, estimator: Estimator, rows: int) -> ShiftedBits:
        """From shifts round the circle of at least so many rows either way.

        Args:
            key: decides the shifts, and what the estimator draws.
            x, y: as `checked` returns them.
            estimator: any estimator.
            rows: the least shift.
        """
        key_offsets, key_method = parts_of(key, 2)
        offsets = np.arange(rows, len(x) - rows + 1)
        chosen = random_of(key_offsets).choice(offsets, min(SHIFTS, len(offsets)), replace=False)
        bits = [float(estimator.information(key_method, x, np.roll(y, offset, axis=0)).bits) for offset in chosen]
        return cls(float(np.mean(bits)), float(np.max(bits)))


def block_rows(x: np.ndarray, y: np.ndarray, least: int, block: int | None) -> int:
    """How many rows are a block, at least four of which there must be.

    Args:
        x, y: as `checked` returns them.
        least: rows that the estimator needs.
        block: asked for; None to choose by the memory.

    Raises:
        ValueError: where the series are no longer than three blocks.
    """
    n = len(x)
    if block is not None:
        if not least <= whole(block, "block", None) <= n // MIN_PARTS:
            raise ValueError(f"Expected a block from {least} to a quarter of the {n} rows; got {block}.")
        return block
    worth = effective_rows(x, y)
    rows = max(least, int(np.ceil(MEMORIES * n / worth)))
    if rows > n // MIN_PARTS:
        raise ValueError(
            f"Expected series that are long against their memory; got {n} rows that are worth {worth:.0f} independent "
            "ones. Longer series, or their differences from row to row, can be answered for."
        )
    return rows


@dataclass(frozen=True)
class PartBits:
    """What an estimator says of consecutive parts of the series.

    Attributes:
        mean: of the estimates on parts, bits; NaN where hardly any part could be answered for.
        number: how many parts.
        half_width: half of the 95 % interval of the estimate on all rows, bits.
    """

    mean: float
    number: int
    half_width: float

    @classmethod
    def of(cls, key: jax.Array, x: np.ndarray, y: np.ndarray, estimator: Estimator, rows: int) -> PartBits:
        """From parts of a good many rows.

        Args:
            key: for what the estimator draws.
            x, y: as `checked` returns them.
            estimator: any estimator.
            rows: of a block; parts are `PART` times as long or longer, where there are rows for four such.
        """
        number = min(MAX_PARTS, max(MIN_PARTS, int(len(x) / (PART * rows))))
        parts = np.array_split(np.arange(len(x)), number)
        bits = np.array([_bits_of_part(estimator, key, x[part], y[part]) for part in parts])
        bits = bits[np.isfinite(bits)]
        if len(bits) < MIN_PARTS:
            return cls(np.nan, len(bits), np.inf)
        alike = 1 + rows * number / (2 * len(x))  # the shorter the parts, the more each resembles the next
        half_width = alike * float(stdtrit(len(bits) - 1, 0.975) * bits.std(ddof=1)) / len(bits) ** 0.5
        return cls(float(bits.mean()), len(bits), half_width)


def widened(whole: Estimate, shifted: ShiftedBits, parts: PartBits) -> Estimate:
    """An estimate on all rows without the bias of shifted series, and with an interval that holds memory's share.

    Dependent series may have another bias.  It goes as one over the number of rows, so that what parts say more
    than the whole tells it: the interval is about the figure without that bias too.

    Args:
        whole: on all rows.
        shifted: on shifted series.
        parts: on parts.
    """
    bits = float(whole.bits) - shifted.mean
    other = float(whole.bits)
    if np.isfinite(parts.mean):
        other -= (parts.mean - float(whole.bits)) / (parts.number - 1)
    stray = shifted.most - shifted.mean
    down = max(float(whole.bits - whole.low), parts.half_width, stray)
    up = max(float(whole.high - whole.bits), parts.half_width, stray)
    low, high = min(bits, other) - down, max(bits, other) + up
    high = min(high, max(float(whole.limit), float(whole.high), bits))
    return replace(
        whole, bits=bits, stderr=max(float(whole.stderr), parts.half_width / 2), low=low, high=max(high, 0.0)
    )


def _bits_of_part(estimator: Estimator, key: jax.Array, x: np.ndarray, y: np.ndarray) -> float:
    """Bits on a part; NaN where a part cannot be answered for, such as one in which a side never changes."""
    try:
        return float(estimator(key, x, y).bits)
    except ValueError:
        return float("nan")
