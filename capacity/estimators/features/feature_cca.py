"""Information behind a smooth map: canonical variates of features, handed to an estimator of few dimensions.

I(f(X); g(Y)) <= I(X;Y) for any f and g (data processing): f and g are fitted on some of the pairs and the information
of the variates is estimated on others, so that no overfitting gets into it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import jax
import numpy as np

from capacity.estimators.checks import Takes, checked, random_of, refuse_few_values
from capacity.estimators.estimator import Change, Estimator, LogRatio, RatioEstimator, Simulated
from capacity.estimators.features.directions import directed
from capacity.estimators.features.maps import Library, additive, products, radial, ripples
from capacity.estimators.features.variates import Variates, real_pairs, variates
from capacity.estimators.parametric.gaussian_copula import GaussianCopula
from capacity.results.estimate import NATS_PER_BIT, Estimate
from capacity.results.intervals import Z95

LIBRARIES: tuple[Library, ...] = (
    additive(4),
    additive(8),
    radial(3, 2.0),
    radial(6, 2.0),
    radial(6, 1.0),
    radial(12, 1.0),
    products(2),
    products(3),
    products(4),
    ripples(200, 1.0),
    directed(products(2), pairs=2, keep=4, degree=4),
)
RICHARDSON_FACTOR = 1.25 / (2**0.5 - 1)  # of the loss from half of the pairs, at the rate 1/sqrt(n), with safety
_MAX_PAIRS = 6  # of variates
_TRIED_ON = 10_000  # rows


@dataclass(frozen=True)
class FeatureCCA(RatioEstimator):
    """Nonlinear canonical correlation: of several libraries of features the one whose variates tell most, held out.

    A fifth of the pairs judges the libraries; their variates are added pair by pair while the held-out correlation is
    beyond chance (3.5 standard errors).  If none tells more than the columns themselves, the inner estimator gets the
    columns.  Otherwise the pairs are cut into folds, the variates of each fold come from maps fitted to the other
    folds, and the inner estimates of the folds are averaged.

    The figure is that of the variates, at most I(X;Y) but for the inner estimator's own error; maps fitted to fewer
    pairs lose more, in proportion to 1/n where the library is right.  The loss is estimated by fitting to half of the
    pairs as well and added to the figure; the upper end of the interval allows for a loss that falls only as 1/sqrt(n),
    with a safety factor of 1.25 (as Roache 1994, J. Fluids Eng. 116, has it for grids).  What a library cannot express,
    no interval shows; measured coverage is in `docs/estimators.md`, by `auto`, which takes this method under spirals.
    """

    inner: Estimator = field(default_factory=GaussianCopula)
    folds: int = 4

    name: ClassVar[str] = "feature_cca"
    summary: ClassVar[str] = (
        "Nonlinear canonical correlations: dependence behind a smooth map, few dimensions at heart."
    )
    takes: ClassVar[Takes] = "continuous"
    min_pairs: ClassVar[int] = 200
    unchanged_by: ClassVar[frozenset[Change]] = frozenset({"shift", "scale"})

    def information(self, key: jax.Array, x: np.ndarray, y: np.ndarray) -> Estimate:
        """Bits from x (n, dx) and y (n, dy).  The key shuffles the pairs into folds and draws random features.

        Raises:
            ValueError: for columns of few values, and what the inner estimator refuses.
        """
        refuse_few_values(x, y)
        random = random_of(key)
        order = random.permutation(len(x))
        chosen = self._choose(key, x[order[:_TRIED_ON]], y[order[:_TRIED_ON]], random)
        if chosen is None:
            return self.inner(key, x, y)
        library, count = chosen
        parts, lost = [], []
        for fold in range(self.folds):
            held = order[fold :: self.folds]
            rest = np.setdiff1d(order, held)
            rest = random.permutation(rest)
            few, most = (self._measured(key, library, count, x, y, rest[:: 2 - i], held, random) for i in range(2))
            parts.append(most)
            lost.append((most.bits - few.bits) * NATS_PER_BIT)
        gap = max(float(np.median(lost)), 0.0)  # a fold whose half fails altogether tells nothing of the other half
        nats = float(np.mean([part.bits for part in parts])) * NATS_PER_BIT
        own = float(np.sqrt(np.sum([part.stderr**2 for part in parts]))) / self.folds * NATS_PER_BIT
        stderr = float(np.hypot(own, np.std(lost, ddof=1) / self.folds**0.5))
        limit = float(np.mean([part.limit for part in parts])) * NATS_PER_BIT
        return Estimate.from_nats(
            nats=nats + gap,
            stderr=stderr,
            kind="point",
            n=len(x),
            limit=limit,
            high=nats + RICHARDSON_FACTOR * gap + Z95 * stderr,
        )

    def fit(self, key: jax.Array, x: np.ndarray, y: np.ndarray) -> LogRatio:
        """The log density ratio of a normal copula on the variates, fitted to x (n, dx) and y (n, dy).

        Four fifths of the pairs fit the maps, the last fifth the copula.

        Raises:
            ValueError: for what `checked` refuses.
        """
        x, y = checked(x, y, self.takes, self.min_pairs)
        fitted, left, right = self._judged(key, x, y)
        log_ratio = GaussianCopula().fit(key, left, right)
        if fitted is None:
            return log_ratio
        return lambda new_x, new_y: log_ratio(fitted.of_x(new_x), fitted.of_y(new_y))

    def simulated(self, key: jax.Array, x: np.ndarray, y: np.ndarray, n: int) -> Simulated:
        """Variates of the copula fitted to those of x (n, dx) and y (n, dy); as in `RatioEstimator`.

        Args:
            key: of the draw, and of the maps.
            x, y: the pairs that maps and copula are fitted to.
            n: how many to draw.
        """
        fitted, left, right = self._judged(key, x, y)
        method = GaussianCopula() if fitted is None else _OnVariates()
        return replace(GaussianCopula().simulated(key, left, right, n), method=method)

    def _judged(self, key: jax.Array, x: np.ndarray, y: np.ndarray) -> tuple[Variates | None, np.ndarray, np.ndarray]:
        """Maps fitted to four fifths and the variates of the last fifth; None where all columns are as good."""
        random = random_of(key)
        order = random.permutation(len(x))
        chosen = self._choose(key, x[order[:_TRIED_ON]], y[order[:_TRIED_ON]], random)
        if chosen is None:
            return None, x, y
        held, rest = order[: len(x) // 5], order[len(x) // 5 :]
        maps = chosen[0](x[rest], y[rest], random)
        assert maps is not None
        fitted = variates(x[rest], y[rest], maps, chosen[1])
        return fitted, fitted.of_x(x[held]), fitted.of_y(y[held])

    def _choose(
        self, key: jax.Array, x: np.ndarray, y: np.ndarray, random: np.random.Generator
    ) -> tuple[Library, int] | None:
        """The library that tells most and how many pairs of variates; None for the columns as they are."""
        held = len(x) // 5
        best, chosen = 0.0, None
        if held >= GaussianCopula().min_pairs and held >= x.shape[1] + y.shape[1] + 4:  # else columns are no candidate
            plain = GaussianCopula()(key, x[:held], y[:held])
            best = plain.bits + 0.5 * plain.stderr
        most = min(_MAX_PAIRS, x.shape[1], y.shape[1])  # no more functions of a side than columns can be independent
        for library in LIBRARIES:
            maps = library(x[held:], y[held:], random)
            if maps is None:
                continue
            fitted = variates(x[held:], y[held:], maps, most)
            left, right = fitted.of_x(x[:held]), fitted.of_y(y[:held])
            count = real_pairs(left, right)
            if not count:
                continue
            shown = GaussianCopula()(key, left[:, :count], right[:, :count])
            if shown.bits > best:
                best, chosen = shown.bits, (library, count)
        return chosen

    def _measured(
        self,
        key: jax.Array,
        library: Library,
        count: int,
        x: np.ndarray,
        y: np.ndarray,
        rest: np.ndarray,
        held: np.ndarray,
        random: np.random.Generator,
    ) -> Estimate:
        """The inner estimate on held-out rows, of variates from maps fitted to the rest."""
        maps = library(x[rest], y[rest], random)
        assert maps is not None
        fitted: Variates = variates(x[rest], y[rest], maps, count)
        return self.inner(key, fitted.of_x(x[held]), fitted.of_y(y[held]))


class _OnVariates(GaussianCopula):
    """The copula of variates as `FeatureCCA.fit` fits it: to a fifth of the pairs, since the others fit the maps."""

    def fit(self, key: jax.Array, x: np.ndarray, y: np.ndarray) -> LogRatio:
        count = len(x) // 5
        return super().fit(key, x[:count], y[:count])
