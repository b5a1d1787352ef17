"""The information of a mixture of normal laws fitted to x and y together: clusters, mixtures, densities of any shape.

Margins of a mixture are mixtures with the same weights, so that log p(x, y) - log p(x) - log p(y) is a closed form.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jax
import numpy as np

from capacity.estimators.checks import Takes, checked, random_of, refuse_few_values
from capacity.estimators.estimator import Change, LogRatio, RatioEstimator
from capacity.estimators.parametric.mixture_sizes import (
    MAX_FITTED,
    FittedMixture,
    MixtureFigures,
    component_numbers,
    fitted_alike,
    lost_by_halves,
    tried_mixtures,
)
from capacity.results.estimate import Estimate
from capacity.results.intervals import Z95

MAX_COLUMNS = 20  # of x and y together
MIN_ROWS = 3  # for each number of a single normal law
_LOSS_DOUBT = 0.5  # of the loss that is made up for, as its standard error
_LOSS_REACH = 2.0  # losses that the upper end reaches above the held-out mean, at the least
_MISFIT = 3.5  # standard errors of the normaliser
_MAX_NATS = 6.0  # copies show 7.7, the floor of variances
_STILL_RISING = 0.05  # of the figure: what the last doubling of the components added


@dataclass(frozen=True)
class GaussianMixture(RatioEstimator):
    """A mixture of normal laws by expectation maximisation, whose number of components held-out pairs choose.

    The pairs are cut into folds; mixtures of 1, 2, 4, ... components are fitted to the others of each fold, on the
    columns and on their normal scores.  The one is taken whose log density ratio r shows most on the pairs that it
    was not fitted to, by mean r - log mean exp(r over mixed pairs), which is a lower bound on I(X;Y) in expectation
    whatever r is (Donsker & Varadhan 1983).

    The figure is the mean of r over held-out pairs and what it loses because the fit saw few pairs: the mean of two
    measures of it, half of the difference to the fitted pairs' own mean, and what a fit to half of the pairs loses
    beside one to all (the loss goes as 1/n).  The interval holds the spread of r, doubts the loss by half, reaches up
    to twice the loss, and to what larger mixtures say when their loss is made up for: where the density is resolved
    that stays as it is, however many components there are.  Two findings say that the figure is none.  Where the
    density ratio is not normalised over mixed pairs the data are no such mixture, and the bound above is told, as a
    lower bound.  Where the largest mixture that the pairs allow still shows more, or the figure is above log n or near
    what copies show, it is its own `limit`.
    """

    folds: int = 4

    name: ClassVar[str] = "gaussian_mixture"
    summary: ClassVar[str] = "A mixture of normal laws: clusters and dependence of any shape, up to 20 columns in all."
    takes: ClassVar[Takes] = "continuous"
    min_pairs: ClassVar[int] = 200
    unchanged_by: ClassVar[frozenset[Change]] = frozenset({"shift", "scale"})

    def information(self, key: jax.Array, x: np.ndarray, y: np.ndarray) -> Estimate:
        """Bits from x (n, dx) and y (n, dy).  The key shuffles the pairs into folds and starts the fits.

        Raises:
            ValueError: for columns of few values, more than 20 columns, and too few pairs for so many columns.
        """
        return self.with_law(key, x, y)[0]

    def with_law(self, key: jax.Array, x: np.ndarray, y: np.ndarray) -> tuple[Estimate, FittedMixture]:
        """Bits from x (n, dx) and y (n, dy), and a mixture of the chosen size fitted to all pairs (at most 20,000).

        Raises:
            ValueError: for columns of few values, more than 20 columns, and too few pairs for so many columns.
        """
        refuse_few_values(x, y)
        _refuse_too_wide(x, y)
        random = random_of(key)
        folds = self._folds(len(x), random)
        tried = tried_mixtures(x, y, folds, random)
        best = max(tried, key=lambda one: one.shown)
        loss = 0.5 * (best.optimism + lost_by_halves(x, y, folds, best, random))
        rows = random.permutation(len(x))[:MAX_FITTED]
        return _estimate(tried, best, loss), fitted_alike(x[rows], y[rows], best, random)

    def fit(self, key: jax.Array, x: np.ndarray, y: np.ndarray) -> LogRatio:
        """The log density ratio of the mixture fitted to x (n, dx) and y (n, dy).

        Raises:
            ValueError: for what `checked` refuses, more than 20 columns, and too few pairs for so many columns.
        """
        x, y = checked(x, y, self.takes, self.min_pairs)
        _refuse_too_wide(x, y)
        random = random_of(key)
        best = max(tried_mixtures(x, y, self._folds(len(x), random), random), key=lambda one: one.shown)
        rows = random.permutation(len(x))[:MAX_FITTED]
        return fitted_alike(x[rows], y[rows], best, random)

    def _folds(self, n: int, random: np.random.Generator) -> list[np.ndarray]:
        order = random.permutation(n)
        return [order[fold :: self.folds] for fold in range(self.folds)]


def _estimate(tried: list[MixtureFigures], best: MixtureFigures, loss: float) -> Estimate:
    """The figure of the best of the mixtures tried, which a fit to so few pairs lowered by a loss in nats."""
    n, nats, own = len(best.ratios), best.nats + loss, best.stderr
    reach = Z95 * float(np.hypot(own, _LOSS_DOUBT * loss))
    if best.log_normaliser > _MISFIT * best.normaliser_stderr:
        stderr = float(np.hypot(own, best.normaliser_stderr))
        return Estimate.from_nats(nats=best.bound, stderr=stderr, kind="lower", n=n)
    of_same = [one for one in tried if one.margins == best.margins]
    larger = [one for one in of_same if one.components > best.components]
    highs = [
        nats + reach,
        best.nats + _LOSS_REACH * loss + Z95 * own,
        *(one.corrected + Z95 * own for one in larger),
    ]
    lows = [nats - reach, *(one.corrected - Z95 * own for one in larger[:1])]
    smaller = [one.bound for one in of_same if one.components < best.components]
    rising = bool(smaller) and not larger and best.bound - max(smaller) > _STILL_RISING * best.bound
    unresolved = rising or nats > min(_MAX_NATS, np.log(n))
    return Estimate.from_nats(
        nats=nats,
        stderr=reach / Z95,
        kind="point",
        n=n,
        limit=nats if unresolved else np.inf,
        low=min(lows),
        high=np.inf if unresolved else max(highs),
    )


def _refuse_too_wide(x: np.ndarray, y: np.ndarray) -> None:
    d = x.shape[1] + y.shape[1]
    if d > MAX_COLUMNS:
        raise ValueError(f"Expected at most {MAX_COLUMNS} columns of x and y together for a mixture; got {d}.")
    needed = MIN_ROWS * component_numbers(d)
    if len(x) < needed:
        raise ValueError(f"Expected at least {needed} pairs for a mixture in {d} columns; got {len(x)}.")
