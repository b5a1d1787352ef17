"""Marginals made normal by rank, then the information in the covariances.

An increasing map of a column loses no information, so that the marginals may be anything: what is assumed to be normal
is the copula alone (Liu, Lafferty & Wasserman 2009, "the nonparanormal"; Ince et al. 2017).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import jax
import numpy as np
from scipy.special import ndtr, ndtri

from capacity.estimators.checks import Takes, checked, random_of, refuse_few_values
from capacity.estimators.estimator import Change, LogRatio, RatioEstimator, Simulated
from capacity.estimators.parametric.gaussian import (
    Canonical,
    draw_normal,
    null_variance,
    weaker_across,
    wishart_bias,
    without_bias,
)
from capacity.estimators.ranks import mid_ranks
from capacity.results.estimate import Estimate

JACKKNIFE_GROUPS = 5
_HEAVY_KURTOSIS = 12.0
_HALF_LOG_TAU = 0.9189385332046727  # log(2 pi) / 2


@dataclass(frozen=True)
class GaussianCopula(RatioEstimator):
    """Canonical correlations of normal scores: exact where increasing maps of the columns make the data normal.

    The score of a value is the normal quantile of its mid-rank, (rank - 1/2)/n; ties share a rank.  For a normal copula
    the scores' covariances have the same influence function as those of normal data themselves (Klaassen & Wellner
    1997, theorem 3.1), hence the same first-order variance, and the bias of a Wishart log determinant is taken off as
    in `GaussianMI`.  What ranks add to it (0.02 nats too little at a correlation of 0.99 and 1,000 pairs) goes with a
    jackknife over five groups of rows.

    The standard error is that of the influence function with the ranks' share in it (Genest, Ghoudi & Rivest 1995,
    proposition 2.1), which holds for copulas that are not normal too, plus the exact variance under independence for
    the quadratic part.  Elsewhere than under a normal copula the interval is about the figure of the normal copula with
    the same score covariances, which is neither a lower nor an upper bound on the information, except for one column
    against one: there both marginals of scores are normal, and the figure is a lower bound in the limit of many pairs.
    """

    name: ClassVar[str] = "gaussian_copula"
    summary: ClassVar[str] = (
        "Canonical correlations of normal scores: exact for a normal copula, whatever the marginals."
    )
    takes: ClassVar[Takes] = "continuous"
    min_pairs: ClassVar[int] = 10  # `JACKKNIFE_GROUPS`, and 5 that a correlation needs
    symmetric: ClassVar[bool] = True
    unchanged_by: ClassVar[frozenset[Change]] = frozenset({"shift", "scale", "monotone"})

    def information(self, key: jax.Array, x: np.ndarray, y: np.ndarray) -> Estimate:
        """Bits from x (n, dx) and y (n, dy); the key is not used.

        Raises:
            ValueError: for n < dx + dy + 4, and columns of few values.
        """
        refuse_few_values(x, y)
        pair = Canonical.of(normal_scores(x), normal_scores(y))
        n, known = len(x), null_variance(len(x), *pair.dims)
        nats, parts = _nats(x, y), without_groups(_nats, x, y)
        nats = len(parts) * nats - (len(parts) - 1) * float(parts.mean())
        # After the jackknife only pairs of different groups carry the quadratic part: more of it by 1/(groups - 1).
        variance = max(_influence(pair, x, y).var() / n - known, known) + known / (JACKKNIFE_GROUPS - 1)
        # Scores of equal ranks are equal to the last bit, so that copies are told from what is merely close.
        equal = bool(1 - pair.correlations[0] ** 2 < 1e-12)
        return Estimate.from_nats(
            nats=nats,
            stderr=variance**0.5,
            kind="point",
            n=n,
            limit=nats if equal else np.inf,
            high=np.inf if equal else None,
        )

    def fit(self, key: jax.Array, x: np.ndarray, y: np.ndarray) -> LogRatio:
        """The log density ratio of the normal copula fitted to x (n, dx) and y (n, dy).

        The key is not used.

        A new value's rank is read off the line through the mid-ranks of the fitted data, and kept half a rank inside.

        Raises:
            ValueError: for what `checked` refuses, and for n < dx + dy + 4.
        """
        x, y = checked(x, y, self.takes, least=5)
        log_ratio = Canonical.of(normal_scores(x), normal_scores(y)).log_ratio
        rank_x, rank_y = rank_transform(x), rank_transform(y)
        return lambda new_x, new_y: log_ratio(ndtri(rank_x(new_x)), ndtri(rank_y(new_y)))

    def simulated(self, key: jax.Array, x: np.ndarray, y: np.ndarray, n: int) -> Simulated:
        """Pairs of the copula fitted to x (n, dx) and y (n, dy), with their margins; as in `RatioEstimator`.

        Args:
            key: of the draw.
            x, y: the pairs that the copula is fitted to.
            n: how many to draw.
        """
        scores = normal_scores(x), normal_scores(y)
        pair, dx = Canonical.of(*scores), x.shape[1]
        factor = without_bias(pair.correlations, wishart_bias(len(x), *pair.dims))
        rows = draw_normal(random_of(key), weaker_across(np.corrcoef(np.hstack(scores).T), dx, factor), n)
        drawn = with_margins(ndtr(rows), np.hstack([x, y]))
        return Simulated(self, drawn[:, :dx], drawn[:, dx:], x, y)


def _nats(x: np.ndarray, y: np.ndarray) -> float:
    pair = Canonical.of(normal_scores(x), normal_scores(y))
    return pair.plain - wishart_bias(len(x), *pair.dims)


def without_groups(
    figure: Callable[[np.ndarray, np.ndarray], float], x: np.ndarray, y: np.ndarray, groups: int = JACKKNIFE_GROUPS
) -> np.ndarray:
    """The figure after leaving out each of so many groups of pairs in turn, with new ranks, shape (groups,).

    Args:
        figure: from x and y to the figure.
        x, y: shapes (n, dx) and (n, dy).
        groups: G, how many; group g has the rows g mod G.
    """
    group = np.arange(len(x)) % groups
    return np.array([figure(x[group != left_out], y[group != left_out]) for left_out in range(groups)])


def with_margins(levels: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Values of the columns of `rows` (m, d) at levels (n, d) in (0, 1): between the order statistics, linearly."""
    places = (np.arange(len(rows)) + 0.5) / len(rows)
    values = np.sort(rows, axis=0)
    return np.stack([np.interp(levels[:, j], places, values[:, j]) for j in range(rows.shape[1])], axis=1)


def heavy_tailed(rows: np.ndarray) -> bool:
    """Whether a column's fourth standardised moment is above 12, so that ranks serve better than distances."""
    return bool((((rows - rows.mean(axis=0)) / rows.std(axis=0)) ** 4).mean(axis=0).max() > _HEAVY_KURTOSIS)


def normal_scores(rows: np.ndarray) -> np.ndarray:
    """Normal quantiles of the mid-ranks, column by column.  Shape (n, d)."""
    return np.asarray(ndtri(mid_ranks(rows)))


def rank_transform(rows: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """The map of new rows to ranks in (0, 1): linear between the mid-ranks of `rows`, half a rank inside."""
    knots = [np.unique(column, return_counts=True) for column in rows.T]
    positions = [(values, (np.cumsum(counts) - counts / 2) / len(rows)) for values, counts in knots]

    def transform(new: np.ndarray) -> np.ndarray:
        return np.stack([np.interp(new[:, i], *position) for i, position in enumerate(positions)], axis=1)

    return transform


def rank_influence(values: np.ndarray, slopes: np.ndarray) -> np.ndarray:
    """What the estimated ranks add to an influence function: sum_j E[(1{u_j <= U_j} - U_j) d(influence)/dU_j], (n,).

    Args:
        values: the data (n, d), of which the order alone matters.
        slopes: d(influence)/dU_j at each point, (n, d).
    """
    order = np.argsort(values, axis=0, kind="stable")
    above = np.cumsum(np.take_along_axis(slopes, order, axis=0)[::-1], axis=0)[::-1] / len(values)
    shares = np.empty_like(above)
    np.put_along_axis(shares, order, above, axis=0)
    return np.asarray((shares - shares.mean(axis=0)).sum(axis=1))


def _influence(pair: Canonical, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Influence of each pair on -1/2 sum log(1 - rho^2) of the scores, nats, shape (n,)."""
    n = len(x)
    without = pair.without_each()
    total: np.ndarray = (n - 1) * (without.mean() - without)
    rho = pair.correlations
    a, b = pair.left[:, : len(rho)], pair.right[:, : len(rho)]
    # The gradient of the log density ratio in canonical coordinates, then in scores: coordinates are scores @ basis.
    in_a = (rho * b - rho**2 * a) / (1 - rho**2) * n
    in_b = (rho * a - rho**2 * b) / (1 - rho**2) * n
    for values, gradient, to in ((x, in_a, pair.to_left), (y, in_b, pair.to_right)):
        origin = np.zeros((1, values.shape[1]))
        basis = (to(np.eye(values.shape[1])) - to(origin))[:, : len(rho)]
        scores = normal_scores(values)
        slopes = gradient @ basis.T * np.exp(0.5 * scores**2 + _HALF_LOG_TAU)
        total = total + rank_influence(values, slopes)
    return total
