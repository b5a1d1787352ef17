"""Mixtures of growing size, cross-fitted: what each shows of the pairs that it was not fitted to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from scipy.special import ndtri

from capacity.estimators.estimator import LogRatio
from capacity.estimators.features.maps import Map
from capacity.estimators.parametric.gaussian_copula import heavy_tailed, rank_transform
from capacity.estimators.parametric.mixture_fit import MixtureLaw, growing_mixtures

_Margins: TypeAlias = Literal["standard", "normal"]
"""The columns as they are, or their normal scores."""

MAX_FITTED = 20_000  # rows, of which more would cost time and tell little
MAX_COMPONENTS = 128
MAX_NUMBERS = 4096  # that all components have together: what a step costs goes with it
_MIN_NUMBERS = 192  # that are tried, come what may: of many turns a few components show nothing
_PATIENCE = 2  # sizes in turn that show no more than a smaller one, after which no larger one is tried
_CLEARLY = 2.0  # standard errors
_SURE = 2.0  # standard errors
_SHIFTS = 16  # of y against x, for mixed pairs
_MAX_LOG_RATIO = 300.0  # so that squares do not overflow


@dataclass(frozen=True)
class FittedMixture:
    """A mixture in whitened coordinates; called with x (n, dx) and y (n, dy), their log density ratios (n,), nats.

    Attributes:
        law: of the whitened sides together.
        of_x, of_y: to whitened coordinates.
    """

    law: MixtureLaw
    of_x: Map
    of_y: Map

    def __call__(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return self.law.log_ratio(self.of_x(x), self.of_y(y))


@dataclass(frozen=True)
class MixtureFigures:
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
        """The mean log density ratio of held-out pairs."""
        return float(self.ratios.mean())

    @property
    def stderr(self) -> float:
        """Standard error of that mean."""
        return float(self.ratios.std() / len(self.ratios) ** 0.5)

    @property
    def log_normaliser(self) -> float:
        """Not below 0: at high information the mixed pairs that make it up are rare, and their lack is no evidence."""
        return float(np.log(max(self.mixed.mean(), 1.0)))

    @property
    def normaliser_stderr(self) -> float:
        """Standard error of the log normaliser."""
        return float(self.mixed.std() / max(self.mixed.mean(), 1.0) / len(self.mixed) ** 0.5)

    @property
    def bound(self) -> float:
        """The held-out bound of Donsker and Varadhan."""
        return self.nats - self.log_normaliser

    @property
    def shown(self) -> float:
        """What it shows for certain: a few far pairs may make up most of a bound."""
        return self.bound - _SURE * self.stderr

    def behind(self, other: MixtureFigures) -> float:
        """How much less it shows than another, in standard errors."""
        spread = float((other.ratios - self.ratios).std()) / len(self.ratios) ** 0.5
        return float((other.shown - self.shown) / max(spread, 1e-12))

    @property
    def optimism(self) -> float:
        """Half of what fitted pairs say more than held-out ones."""
        return max(0.5 * (self.fitted_mean - self.nats), 0.0)

    @property
    def corrected(self) -> float:
        """The mean with what the fit lost."""
        return self.nats + self.optimism


def tried_mixtures(
    x: np.ndarray, y: np.ndarray, folds: list[np.ndarray], random: np.random.Generator
) -> list[MixtureFigures]:
    """Mixtures of growing size, cross-fitted, on both margins: first on those that suit the tails.

    Args:
        x, y: shapes (n, dx), (n, dy).
        folds: the rows of each fold, in no order.
        random: of the starts.
    """
    heavy = heavy_tailed(x) or heavy_tailed(y)
    first = _margins_tried(x, y, folds, "normal" if heavy else "standard", [], random)
    return first + _margins_tried(x, y, folds, "standard" if heavy else "normal", first, random)


def _margins_tried(
    x: np.ndarray,
    y: np.ndarray,
    folds: list[np.ndarray],
    margins: _Margins,
    others: list[MixtureFigures],
    random: np.random.Generator,
) -> list[MixtureFigures]:
    """Mixtures of growing size, until larger ones show no more, or far less than those `others` of the same size."""
    rests = [_rest(folds, fold) for fold in range(len(folds))]
    fits = [_growing(x[rest], y[rest], margins, MAX_COMPONENTS, random) for rest in rests]
    tried: list[MixtureFigures] = []
    numbers = component_numbers(x.shape[1] + y.shape[1])
    for size, log_ratios in enumerate(zip(*fits, strict=False)):
        ratios, mixed, fitted = np.empty(len(x)), np.empty(len(x)), []
        for log_ratio, held, rest in zip(log_ratios, folds, rests, strict=True):
            ratios[held], mixed[held] = log_ratio(x[held], y[held]), _mixed(log_ratio, x[held], y[held])
            fitted.append(float(log_ratio(x[rest], y[rest]).mean()))
        tried.append(MixtureFigures(margins, 2**size, ratios, float(np.mean(fitted)), mixed))
        best = max(tried, key=lambda one: one.shown)
        since = (2**size // best.components).bit_length() - 1
        if 2**size * numbers < _MIN_NUMBERS:
            continue
        if since >= _PATIENCE or tried[-1].behind(best) > _CLEARLY:
            break
        if 2 <= size < len(others) and tried[-1].behind(others[size]) > 2 * _CLEARLY:
            break
    return tried


def lost_by_halves(
    x: np.ndarray, y: np.ndarray, folds: list[np.ndarray], best: MixtureFigures, random: np.random.Generator
) -> float:
    """How much less a fit to half of the pairs shows, nats; the median over folds, one of which may fail altogether.

    Args:
        x, y: shapes (n, dx), (n, dy).
        folds: the rows of each fold, in no order.
        best: what fits of this size to all pairs but a fold's show.
        random: of the starts.
    """
    lost = []
    for fold, held in enumerate(folds):
        half = _rest(folds, fold)[::2]
        few = fitted_alike(x[half], y[half], best, random)
        lost.append(float((best.ratios[held] - few(x[held], y[held])).mean()))
    return max(float(np.median(lost)), 0.0)


def _rest(folds: list[np.ndarray], fold: int) -> np.ndarray:
    return np.ravel(np.column_stack([part[: len(folds[-1])] for i, part in enumerate(folds) if i != fold]))[:MAX_FITTED]


def _mixed(log_ratio: LogRatio, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The mean density ratio of each x with the y of some other rows, shape (n,)."""
    ratios = [log_ratio(x, np.roll(y, i, axis=0)) for i in range(1, _SHIFTS + 1)]
    return np.asarray(np.exp(np.minimum(ratios, _MAX_LOG_RATIO)).mean(axis=0))


def fitted_alike(x: np.ndarray, y: np.ndarray, like: MixtureFigures, random: np.random.Generator) -> FittedMixture:
    """A mixture of the same size, or the largest that the rows allow.

    Args:
        x, y: shapes (n, dx), (n, dy), rows in no order.
        like: of which size.
        random: of the starts.
    """
    return list(_growing(x, y, like.margins, like.components, random))[-1]


def _growing(
    x: np.ndarray, y: np.ndarray, margins: _Margins, most: int, random: np.random.Generator
) -> Iterator[FittedMixture]:
    """Mixtures of 1, 2, 4, ... components."""
    of_x, of_y = _whitened(x, margins), _whitened(y, margins)
    rows = np.hstack([of_x(x), of_y(y)])
    numbers = component_numbers(rows.shape[1])
    most = min(most, len(rows) // numbers, MAX_NUMBERS // numbers)
    for law in growing_mixtures(rows, random, most):
        yield FittedMixture(law, of_x, of_y)


def _whitened(rows: np.ndarray, margins: _Margins) -> Map:
    """The map to columns of variance 1 without correlation, of which those that repeat others are none."""
    to_ranks = rank_transform(rows) if margins == "normal" else None

    def base(new: np.ndarray) -> np.ndarray:
        return new if to_ranks is None else np.asarray(ndtri(to_ranks(new)))

    values = base(rows)
    mean, width = values.mean(axis=0), values.std(axis=0)
    width = np.where(width > 0, width, 1.0)
    variances, axes = np.linalg.eigh(np.cov(((values - mean) / width).T, bias=True).reshape(2 * [rows.shape[1]]))
    kept = variances > 1e-9 * variances[-1]
    turn = axes[:, kept] / np.sqrt(variances[kept])
    return lambda new: (base(new) - mean) / width @ turn


def component_numbers(d: int) -> int:
    """How many numbers a component in d columns has."""
    return (d + 1) * (d + 2) // 2
