"""Answers with intervals at a stated miss rate, from independent runs, counts, ranks, or an `Estimate`.

Each states what it presumes.  The miss rate comes from `Context.miss_rate`, which holds the correction for the number
of predictions; `largest` adds one for the number of figures of which it takes the largest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from capacity.claims.prediction import Answer
from capacity.results.estimate import Estimate


def mean(values: ArrayLike, miss_rate: float) -> Answer:
    """Mean of independent runs, shape (n,), with Student's t interval (normal runs, or many of them).

    Raises:
        ValueError: for fewer than two finite values.
    """
    v = _finite(values, "values")
    reach = stats.t.ppf(1 - miss_rate / 2, v.size - 1) * v.std(ddof=1) / math.sqrt(v.size)
    return Answer(float(v.mean()), float(v.mean() - reach), float(v.mean() + reach), v.size)


def difference(first: ArrayLike, second: ArrayLike, miss_rate: float) -> Answer:
    """Mean of first minus mean of second, independent runs (n,) and (m,), by Welch's (1947) unequal-variance t."""
    a, b = _finite(first, "values"), _finite(second, "values")
    found = stats.ttest_ind(a, b, equal_var=False)
    ends = found.confidence_interval(1 - miss_rate)
    gap = float(a.mean() - b.mean())
    if not np.isfinite([ends.low, ends.high]).all():  # both constant
        return Answer(gap, gap, gap, a.size + b.size)
    return Answer(gap, float(ends.low), float(ends.high), a.size + b.size, float(found.pvalue))


def proportion(successes: int, trials: int, miss_rate: float) -> Answer:
    """A chance from independent trials, by Clopper and Pearson (1934): covers at any chance and number.

    Raises:
        ValueError: unless 0 <= successes <= trials and trials >= 1.
    """
    if not (trials >= 1 and 0 <= successes <= trials):
        raise ValueError(f"Expected 0 <= successes <= trials, trials >= 1; got {successes} of {trials}.")
    ends = stats.binomtest(successes, trials).proportion_ci(1 - miss_rate, method="exact")
    return Answer(successes / trials, float(ends.low), float(ends.high), trials)


def of_estimate(estimate: Estimate, miss_rate: float, truth: float = 0.0) -> Answer:
    """An estimate less a truth, in bits, with the interval stretched from 95 % to the miss rate asked.

    The stretch is by normal quantiles, each side on its own, so that a skewed or widened interval stays so.
    """
    stretch = stats.norm.ppf(1 - miss_rate / 2) / stats.norm.ppf(0.975)
    bits, low, high = float(estimate.bits), float(estimate.low), float(estimate.high)
    return Answer(
        bits - truth, bits - stretch * (bits - low) - truth, bits + stretch * (high - bits) - truth, int(estimate.n)
    )


def rank_correlation(x: ArrayLike, y: ArrayLike, miss_rate: float) -> Answer:
    """Spearman's rank correlation of n pairs, with Fisher's z and the variance of Bonett and Wright (2000).

    Raises:
        ValueError: for fewer than five pairs, or a side that is constant.
    """
    a, b = _finite(x, "x"), _finite(y, "y")
    if a.shape != b.shape or a.size < 5 or np.ptp(a) == 0 or np.ptp(b) == 0:
        raise ValueError(f"Expected at least five pairs, neither side constant; got shapes {a.shape} and {b.shape}.")
    rho, p_value = stats.spearmanr(a, b)
    reach = stats.norm.ppf(1 - miss_rate / 2) * math.sqrt((1 + rho**2 / 2) / (a.size - 3))
    z = math.atanh(np.clip(rho, -1 + 1e-12, 1 - 1e-12))
    return Answer(
        float(rho), min(math.tanh(z - reach), float(rho)), max(math.tanh(z + reach), float(rho)), a.size, float(p_value)
    )


def largest(answers: Sequence[Answer]) -> Answer:
    """The largest of several figures, each with an interval at `miss_rate / len(answers)`: all of them hold together.

    The interval is [largest low, largest high]; value and n are those of the largest value.
    """
    if not answers:
        raise ValueError("Expected at least one answer; got none.")
    top = max(answers, key=lambda a: a.value)
    return Answer(top.value, max(a.low for a in answers), max(a.high for a in answers), top.n)


def smallest(answers: Sequence[Answer]) -> Answer:
    """The smallest of several figures; as `largest`."""
    down = largest([Answer(-a.value, -a.high, -a.low, a.n) for a in answers])
    return Answer(-down.value, -down.high, -down.low, down.n)


def bootstrap(draws: ArrayLike, value: float, n: int, miss_rate: float) -> Answer:
    """A statistic with the percentile interval of its bootstrap draws (Efron & Tibshirani 1993).

    Args:
        draws: the statistic of resampled runs, (b,).
        value: the statistic of the runs themselves.
        n: independent runs that it rests on.
        miss_rate: of the interval.

    Raises:
        ValueError: for too few draws to show so small a miss rate: at least 4 of them must lie outside.
    """
    d = _finite(draws, "draws")
    if d.size * miss_rate < 4:
        raise ValueError(f"Expected at least {math.ceil(4 / miss_rate)} bootstrap draws; got {d.size}.")
    low, high = np.quantile(d, [miss_rate / 2, 1 - miss_rate / 2])
    return Answer(value, min(float(low), value), max(float(high), value), n)


def _finite(values: ArrayLike, name: str) -> np.ndarray:
    v = np.asarray(values, np.float64)
    if v.ndim != 1 or v.size < 2 or not np.isfinite(v).all():
        raise ValueError(f"Expected {name} of shape (n,), n >= 2, all finite; got shape {v.shape} with {v[:4]}.")
    return v
