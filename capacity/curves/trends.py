"""Does a curve fall as its level rises?  Two tests of the figures of independent lanes, grouped by level.

`falling`: Jonckheere (1954) and Terpstra (1952).  J = the number of pairs of lanes at two levels whose figure is lower
at the higher level.  Without ties and without a trend it is a sum of independent Mann-Whitney statistics, each level
against all before it (Hollander, Wolfe & Chicken 2014, section 6.2), so its distribution is exact here, up to 10^5
pairs.  Beyond them, and where figures tie, as on a plateau where all of the source passes (a pair of equals counts one
half), the p-value is the normal one with the variance of J over all arrangements of the figures (there, equation 6.19).

`largest_rise`: the other way round, the rise between two levels that is clearest by Welch's (1947) t, its p-value
multiplied by the number of pairs of levels (Bonferroni): a curve that falls has none.
"""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

EXACT_PAIRS = 10**5
COUNTED_PAIRS = 100  # that are compared one by one, as Kendall's tau is not had of two lanes


class Trend(NamedTuple):
    """The test of a falling curve.

    Attributes:
        share: of the pairs of lanes at two levels, how many fall: 1 for a curve that falls everywhere, 1/2 for chance.
        p_value: the chance of as many or more, if the level had no influence.
    """

    share: float
    p_value: float


class Rise(NamedTuple):
    """The clearest rise against the trend.

    Attributes:
        rise: in the figure's own unit; 0 if no level's mean is above an earlier one's, NaN from a single seed.
        p_value: of as clear a rise anywhere, if the curve nowhere rose; at most 1.
        levels: the two indices, lower level first.
    """

    rise: float
    p_value: float
    levels: tuple[int, int]


def falling(figures: ArrayLike) -> Trend:
    """Test whether the figures fall with their level.

    Args:
        figures: shape (levels, seeds), levels in rising order; lanes that gave NaN are left out.

    Raises:
        ValueError: for fewer than two levels with a figure.
    """
    groups = _groups(figures)
    sizes = np.array([len(group) for group in groups])
    total = _pairs(sizes)
    fell = _fallen(groups, total)
    ties = np.unique(np.concatenate(groups), return_counts=True)[1]
    if ties.max() > 1 or total > EXACT_PAIRS:
        return Trend(fell / total, _normal(fell - 0.5 * total, sizes.astype(float), ties.astype(float)))
    chances = _distribution(sizes.tolist())
    return Trend(fell / (len(chances) - 1), float(min(chances[round(fell) :].sum(), 1.0)))


def largest_rise(figures: ArrayLike) -> Rise:
    """The clearest rise between a level and a later one, and whether chance explains it.

    Args:
        figures: as for `falling`, which raises the same.
    """
    groups = _groups(figures)
    if min(len(group) for group in groups) < 2:
        return Rise(np.nan, np.nan, (0, 0))
    sizes = np.array([len(group) for group in groups])
    means = np.array([group.mean() for group in groups])
    errors = np.array([group.var(ddof=1) for group in groups]) / sizes
    rise, p_value, levels = -np.inf, np.inf, (0, 1)
    for i in range(len(groups) - 1):  # a level against all later ones: all pairs at once would not fit at many levels
        rises, p_values = _welch(means[i], means[i + 1 :], errors[i], errors[i + 1 :], sizes[i], sizes[i + 1 :])
        clearest = int(np.argmin(p_values))
        if p_values[clearest] < p_value:
            rise, p_value, levels = float(rises[clearest]), float(p_values[clearest]), (i, i + 1 + clearest)
    if rise <= 0:
        return Rise(0.0, 1.0, levels)
    return Rise(rise, min(1.0, len(groups) * (len(groups) - 1) / 2 * p_value), levels)


def _groups(figures: ArrayLike) -> list[NDArray[np.float64]]:
    table = np.asarray(figures, np.float64)
    if table.ndim != 2:
        raise ValueError(f"Expected figures of shape (levels, seeds); got {table.shape}.")
    groups = [row[~np.isnan(row)] for row in table]
    groups = [group for group in groups if len(group)]
    if len(groups) < 2:
        raise ValueError(f"Expected figures at two levels at least; got {len(groups)}.")
    return groups


def _pairs(sizes: NDArray[np.int64]) -> int:
    """Pairs of lanes at two levels."""
    return (int(sizes.sum()) ** 2 - int((sizes**2).sum())) // 2


def _fallen(groups: list[NDArray[np.float64]], total: int) -> float:
    """J: pairs that fall, a pair of equals half.

    Few pairs are counted one by one.  Many come from Kendall's (1945) tau-b, whose numerator is rises less falls:
    counted in n log n steps, where all pairs of many lanes would not fit.
    """
    if total <= COUNTED_PAIRS:
        pairs = [(before[:, None], after) for before, after in combinations(groups, 2)]
        return float(sum((before > after).sum() + 0.5 * (before == after).sum() for before, after in pairs))
    figures, level = np.concatenate(groups), np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    ties = np.unique(figures, return_counts=True)[1].astype(float)
    n = len(figures)
    untied = n * (n - 1) / 2 - (ties * (ties - 1) / 2).sum()
    if untied == 0:
        return 0.5 * total
    tau = float(stats.kendalltau(level, figures, variant="b", method="asymptotic").statistic)
    fell: float = 0.5 * (total - round(tau * float(untied) ** 0.5 * total**0.5))
    return fell


def _distribution(sizes: list[int]) -> NDArray[np.float64]:
    """Chances of J = 0, 1, ... without a trend.

    Proportional to the coefficients of prod (1 - q^(m+i)) / (1 - q^i), over the lanes i = 1 ... n of each level with m
    lanes before it.  They are symmetric, and in the lower half all that is summed is of one size with the sum.
    """
    total = sum(a * b for a, b in combinations(sizes, 2))
    half = np.zeros(total // 2 + 1)
    half[0], before = 1.0, 0
    for size in sizes:
        for i in range(1, size + 1) if before else ():
            shift = before + i
            half[shift:] -= half[: max(len(half) - shift, 0)].copy()
            half = np.pad(half, (0, -len(half) % i)).reshape(-1, i).cumsum(0).ravel()[: len(half)] * (i / shift)
        before += size
    return np.concatenate([half, half[: total + 1 - len(half)][::-1]])


def _normal(above: float, sizes: NDArray[np.float64], ties: NDArray[np.float64]) -> float:
    """P(J - E J >= above), normal, half a step of correction; the variance given the sizes of groups and of ties."""
    n = sizes.sum()

    def cubic(k: NDArray[np.float64]) -> float:
        return float((k * (k - 1) * (2 * k + 5)).sum())

    def falling_powers(k: NDArray[np.float64], power: int) -> float:
        return float(np.prod([k - i for i in range(power)], axis=0).sum())

    whole = np.array([n])
    variance = (cubic(whole) - cubic(sizes) - cubic(ties)) / 72
    if n > 2:
        variance += falling_powers(sizes, 3) * falling_powers(ties, 3) / (36 * falling_powers(whole, 3))
    variance += falling_powers(sizes, 2) * falling_powers(ties, 2) / (8 * falling_powers(whole, 2))
    return float(stats.norm.sf((above - 0.25) / variance**0.5)) if variance > 1e-9 * n**3 else 1.0


def _welch(
    before: float,
    after: NDArray[np.float64],
    error: float,
    errors: NDArray[np.float64],
    n: int,
    sizes: NDArray[np.int64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rises of the means after over the mean before and their one-sided p-values, given the means' squared errors.

    Equal figures without any spread are no rise.
    """
    rises, spread = after - before, error + errors
    with np.errstate(divide="ignore", invalid="ignore"):
        degrees = spread**2 / (error**2 / (n - 1) + errors**2 / (sizes - 1))
        p_values = stats.t.sf(rises / spread**0.5, degrees)
    return rises, np.where(spread == 0, (rises <= 0).astype(float), p_values)
