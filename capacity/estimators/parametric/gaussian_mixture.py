"""The information of a mixture of normal laws fitted to x and y together: clusters, mixtures, densities of any shape.

Margins of a mixture are mixtures with the same weights, so that log p(x, y) - log p(x) - log p(y) is a closed form.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

import jax
import numpy as np
from scipy.special import ndtri

from capacity.estimators.checks import Takes, checked, random_of, refuse_few_values
from capacity.estimators.estimator import Change, LogRatio, RatioEstimator
from capacity.estimators.features.maps import Map
from capacity.estimators.parametric.gaussian_copula import heavy_tailed, rank_transform
from capacity.estimators.parametric.mixture_fit import growing_mixtures
from capacity.results.estimate import Estimate
from capacity.results.intervals import Z95

_Margins: TypeAlias = Literal["standard", "normal"]
"""The columns as they are, or their normal scores."""

MAX_COLUMNS = 20  # of x and y together
MAX_FITTED = 20_000  # rows, of which more would cost time and tell little
MAX_COMPONENTS = 128
MAX_NUMBERS = 4096  # that all components have together: what a step costs goes with it
MIN_ROWS = 3  # for each number of a single normal law
_MIN_NUMBERS = 192  # that are tried, come what may: of many turns a few components show nothing
_PATIENCE = 2  # sizes in turn that show no more than a smaller one, after which no larger one is tried
_CLEARLY = 2.0  # standard errors
_SURE = 2.0  # standard errors
_SHIFTS = 16
_LOSS_DOUBT = 0.5  # of the loss that is made up for, as its standard error
_LOSS_REACH = 2.0  # losses that the upper end reaches above the held-out mean, at the least
_MISFIT = 3.5  # standard errors of the normaliser
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
    lower bound.  Where the largest mixture that the pairs allow still shows more, the figure is its `limit`.
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
        refuse_few_values(x, y)
        _refuse_too_wide(x, y)
        random = random_of(key)
        folds = self._folds(len(x), random)
        tried = _tried(x, y, folds, random)
        best = max(tried, key=lambda one: one.shown)
        loss = 0.5 * (best.optimism + _lost_by_halves(x, y, folds, best, random))
        nats, own = best.nats + loss, best.stderr
        reach = Z95 * float(np.hypot(own, _LOSS_DOUBT * loss))
        if best.log_normaliser > _MISFIT * best.normaliser_stderr:
            stderr = float(np.hypot(own, best.normaliser_stderr))
            return Estimate.from_nats(nats=best.bound, stderr=stderr, kind="lower", n=len(x))
        of_same = [one for one in tried if one.margins == best.margins]
        larger = [one for one in of_same if one.components > best.components]
        highs = [
            nats + reach,
            best.nats + _LOSS_REACH * loss + Z95 * own,
            *(one.corrected + Z95 * own for one in larger),
        ]
        lows = [nats - reach, *(one.corrected - Z95 * own for one in larger[:1])]
        smaller = [one.bound for one in of_same if one.components < best.components]
        rising = not larger and smaller and best.bound - max(smaller) > _STILL_RISING * best.bound
        return Estimate.from_nats(
            nats=nats,
            stderr=reach / Z95,
            kind="point",
            n=len(x),
            limit=nats if rising else np.inf,
            low=min(lows),
            high=np.inf if rising else max(highs),
        )

    def fit(self, key: jax.Array, x: np.ndarray, y: np.ndarray) -> LogRatio:
        """The log density ratio of the mixture fitted to x (n, dx) and y (n, dy).

        Raises:
            ValueError: for what `checked` refuses, more than 20 columns, and too few pairs for so many columns.
        """
        x, y = checked(x, y, self.takes, self.min_pairs)
        _refuse_too_wide(x, y)
        random = random_of(key)
        best = max(_tried(x, y, self._folds(len(x), random), random), key=lambda one: one.shown)
        rows = random.permutation(len(x))[:MAX_FITTED]
        return _fitted(x[rows], y[rows], best, random)

    def _folds(self, n: int, random: np.random.Generator) -> list[np.ndarray]:
        order = random.permutation(n)
        return [order[fold :: self.folds] for fold in range(self.folds)]


@dataclass(frozen=True)
class _Tried:
    """What mixtures of one size show, in nats.

    Attributes:
        margins: of the columns.
        components: how many.
        ratios: log density ratio of every pair by the fit that did not see it, shape (n,).
        fitted_mean: mean log density ratio of the pairs that were fitted.
        mixed: mean density ratio of each x with other pairs' y, shape (n,).
    """

    margins: _Margins
    components: int
    ratios: np.ndarray
    fitted_mean: float
    mixed: np.ndarray

    @property
    def nats(self) -> float:
        return float(self.ratios.mean())

    @property
    def stderr(self) -> float:
        return float(self.ratios.std() / len(self.ratios) ** 0.5)

    @property
    def log_normaliser(self) -> float:
        return float(np.log(self.mixed.mean()))

    @property
    def normaliser_stderr(self) -> float:
        return float(self.mixed.std() / self.mixed.mean() / len(self.mixed) ** 0.5)

    @property
    def bound(self) -> float:
        return self.nats - self.log_normaliser

    @property
    def shown(self) -> float:
        """What it shows for certain: a few far pairs may make up most of a bound."""
        return self.bound - _SURE * self.stderr

    def behind(self, other: _Tried) -> float:
        """How much less it shows than another, in standard errors."""
        spread = float((other.ratios - self.ratios).std()) / len(self.ratios) ** 0.5
        return float((other.shown - self.shown) / max(spread, 1e-12))

    @property
    def optimism(self) -> float:
        return max(0.5 * (self.fitted_mean - self.nats), 0.0)

    @property
    def corrected(self) -> float:
        return self.nats + self.optimism


def _tried(x: np.ndarray, y: np.ndarray, folds: list[np.ndarray], random: np.random.Generator) -> list[_Tried]:
    """Mixtures of growing size, cross-fitted, on both margins: first on those that suit the tails."""
    heavy = heavy_tailed(x) or heavy_tailed(y)
    first = _margins_tried(x, y, folds, "normal" if heavy else "standard", [], random)
    return first + _margins_tried(x, y, folds, "standard" if heavy else "normal", first, random)


def _margins_tried(
    x: np.ndarray,
    y: np.ndarray,
    folds: list[np.ndarray],
    margins: _Margins,
    others: list[_Tried],
    random: np.random.Generator,
) -> list[_Tried]:
    """Mixtures of growing size, until larger ones show no more, or far less than those `others` of the same size."""
    rests = [_rest(folds, fold) for fold in range(len(folds))]
    fits = [_growing(x[rest], y[rest], margins, MAX_COMPONENTS, random) for rest in rests]
    tried: list[_Tried] = []
    numbers = _numbers(x.shape[1] + y.shape[1])
    for size, log_ratios in enumerate(zip(*fits, strict=False)):
        ratios, mixed, fitted = np.empty(len(x)), np.empty(len(x)), []
        for log_ratio, held, rest in zip(log_ratios, folds, rests, strict=True):
            ratios[held], mixed[held] = log_ratio(x[held], y[held]), _mixed(log_ratio, x[held], y[held])
            fitted.append(float(log_ratio(x[rest], y[rest]).mean()))
        tried.append(_Tried(margins, 2**size, ratios, float(np.mean(fitted)), mixed))
        best = max(tried, key=lambda one: one.shown)
        since = (2**size // best.components).bit_length() - 1
        if 2**size * numbers < _MIN_NUMBERS:
            continue
        if since >= _PATIENCE or tried[-1].behind(best) > _CLEARLY:
            break
        if 2 <= size < len(others) and tried[-1].behind(others[size]) > 2 * _CLEARLY:
            break
    return tried


def _lost_by_halves(
    x: np.ndarray, y: np.ndarray, folds: list[np.ndarray], best: _Tried, random: np.random.Generator
) -> float:
    """How much less a fit to half of the pairs shows, nats; the median over folds, one of which may fail altogether."""
    lost = []
    for fold, held in enumerate(folds):
        half = _rest(folds, fold)[::2]
        few = _fitted(x[half], y[half], best, random)
        lost.append(float((best.ratios[held] - few(x[held], y[held])).mean()))
    return max(float(np.median(lost)), 0.0)


def _rest(folds: list[np.ndarray], fold: int) -> np.ndarray:
    return np.ravel(np.column_stack([part[: len(folds[-1])] for i, part in enumerate(folds) if i != fold]))[:MAX_FITTED]


def _mixed(log_ratio: LogRatio, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The mean density ratio of each x with the y of some other rows, shape (n,)."""
    return np.asarray(np.mean([np.exp(log_ratio(x, np.roll(y, i, axis=0))) for i in range(1, _SHIFTS + 1)], axis=0))


def _fitted(x: np.ndarray, y: np.ndarray, like: _Tried, random: np.random.Generator) -> LogRatio:
    """The log density ratio of a mixture of the same size, or the largest that the rows allow."""
    return list(_growing(x, y, like.margins, like.components, random))[-1]


def _growing(
    x: np.ndarray, y: np.ndarray, margins: _Margins, most: int, random: np.random.Generator
) -> Iterator[LogRatio]:
    """Log density ratios of mixtures of 1, 2, 4, ... components."""
    of_x, of_y = _whitened(x, margins), _whitened(y, margins)
    rows = np.hstack([of_x(x), of_y(y)])
    numbers = _numbers(rows.shape[1])
    most = min(most, len(rows) // numbers, MAX_NUMBERS // numbers)
    for mixture in growing_mixtures(rows, random, most):
        law = mixture.log_ratio
        yield lambda new_x, new_y, law=law: law(of_x(new_x), of_y(new_y))  # type: ignore[misc]


def _whitened(rows: np.ndarray, margins: _Margins) -> Map:
    """The map to columns of variance 1 without correlation, of which those that repeat others are none."""
    to_ranks = rank_transform(rows) if margins == "normal" else None

    def base(new: np.ndarray) -> np.ndarray:
        return new if to_ranks is None else np.asarray(ndtri(to_ranks(new)))

    values = base(rows)
    mean, width = values.mean(axis=0), values.std(axis=0)
    variances, axes = np.linalg.eigh(np.cov(((values - mean) / width).T, bias=True).reshape(2 * [rows.shape[1]]))
    kept = variances > 1e-9 * variances[-1]
    turn = axes[:, kept] / np.sqrt(variances[kept])
    return lambda new: (base(new) - mean) / width @ turn


def _numbers(d: int) -> int:
    """How many numbers a component in d columns has."""
    return (d + 1) * (d + 2) // 2


def _refuse_too_wide(x: np.ndarray, y: np.ndarray) -> None:
    d = x.shape[1] + y.shape[1]
    if d > MAX_COLUMNS:
        raise ValueError(f"Expected at most {MAX_COLUMNS} columns of x and y together for a mixture; got {d}.")
    needed = MIN_ROWS * _numbers(d)
    if len(x) < needed:
        raise ValueError(f"Expected at least {needed} pairs for a mixture in {d} columns; got {len(x)}.")
