"""A Student-t copula: marginals made t by rank, then the information of a multivariate t.

It contains the normal copula (degrees of freedom to infinity), and adds what that one is blind to: extremes that come
together, and a scale that all coordinates share (Demarta & McNeil 2005, Int. Stat. Rev. 73).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jax
import numpy as np
from scipy.interpolate import CubicSpline
from scipy.special import gammaln, ndtr, ndtri, stdtr, stdtrit

from capacity.estimators.checks import Takes, checked, random_of, refuse_few_values
from capacity.estimators.estimator import Change, LogRatio, RatioEstimator, Simulated
from capacity.estimators.parametric.gaussian_copula import rank_transform, with_margins
from capacity.estimators.parametric.student import MarginTransform, most_likely, refuse_few_pairs, student_estimate
from capacity.estimators.ranks import mid_ranks
from capacity.results.estimate import Estimate

_KNOTS = 400


@dataclass(frozen=True)
class StudentCopula(RatioEstimator):
    """A multivariate t behind increasing maps of the columns: exact where there is one, whatever the marginals.

    Ranks become quantiles of a t whose degrees of freedom maximise the pseudo-likelihood of the copula, with the
    dispersion's fixed point at each (Genest, Ghoudi & Rivest 1995).  Bias and interval as in `Student`: a jackknife
    over groups of rows, each ranked anew, so that the interval holds the ranks' share of the error as well.
    """

    name: ClassVar[str] = "student_copula"
    summary: ClassVar[str] = "a Student-t copula: heavy tails and a common scale, whatever the marginals"
    takes: ClassVar[Takes] = "continuous"
    min_pairs: ClassVar[int] = 60
    symmetric: ClassVar[bool] = True
    unchanged_by: ClassVar[frozenset[Change]] = frozenset({"shift", "scale", "monotone"})

    def information(self, key: jax.Array, x: np.ndarray, y: np.ndarray) -> Estimate:
        """Bits from x (n, dx) and y (n, dy); the key is not used.

        Raises:
            ValueError: where too few pairs, repeated columns or few values leave no dispersion.
        """
        refuse_few_values(x, y)
        return student_estimate(ndtri(mid_ranks(x)), ndtri(mid_ranks(y)), _by_rank, unit=True)

    def fit(self, key: jax.Array, x: np.ndarray, y: np.ndarray) -> LogRatio:
        """The log density ratio of the t copula fitted to x (n, dx) and y (n, dy).

        The key is not used.

        A new value's rank is read off the line through the mid-ranks of the fitted data, and kept half a rank inside.

        Raises:
            ValueError: for what `checked` refuses, and where too few pairs or repeated columns leave no dispersion.
        """
        x, y = checked(x, y, self.takes, self.min_pairs)
        refuse_few_pairs(len(x), x.shape[1], y.shape[1])
        law, _ = most_likely(_by_rank(np.hstack([x, y])), x.shape[1] + y.shape[1], unit=True)
        rank_x, rank_y = rank_transform(x), rank_transform(y)

        def log_ratio(new_x: np.ndarray, new_y: np.ndarray) -> np.ndarray:
            return law.log_ratio(stdtrit(law.freedom, rank_x(new_x)), stdtrit(law.freedom, rank_y(new_y)))

        return log_ratio

    def simulated(self, key: jax.Array, x: np.ndarray, y: np.ndarray, n: int) -> Simulated:
        """Pairs of the copula fitted to x (n, dx) and y (n, dy), with their margins; as in `RatioEstimator`."""
        rows = np.hstack([x, y])
        law = most_likely(_by_rank(rows), len(rows[0]), unit=True)[0]
        drawn = law.less_biased(x.shape[1], len(x)).draw(random_of(key), n)
        drawn = with_margins(stdtr(law.freedom, drawn / np.sqrt(np.diag(law.dispersion))), rows)
        return Simulated(self, drawn[:, : x.shape[1]], drawn[:, x.shape[1] :], x, y)


def _by_rank(rows: np.ndarray) -> MarginTransform:
    """Quantiles of a t at the ranks of each column, and the log density of those margins."""
    levels, inverse = np.unique(mid_ranks(rows), return_inverse=True)
    scores = ndtri(levels)
    knots = np.linspace(scores[0], scores[-1], min(_KNOTS, len(scores)))

    def margins(freedom: float) -> tuple[np.ndarray, np.ndarray]:
        # asinh of a t quantile is smooth in the normal score: 400 exact ones and a spline serve all rows.
        quantiles = np.sinh(CubicSpline(knots, np.arcsinh(stdtrit(freedom, ndtr(knots))))(scores))
        log_prob = (
            gammaln((freedom + 1) / 2)
            - gammaln(freedom / 2)
            - 0.5 * np.log(freedom * np.pi)
            - 0.5 * (freedom + 1) * np.log1p(quantiles**2 / freedom)
        )
        return quantiles[inverse].reshape(rows.shape), log_prob[inverse].reshape(rows.shape).sum(axis=1)

    return margins
