"""Means over two phases: cheap columns of N samples, and dear values of n of them (or of n others).

A bound's values v cost chains; what the columns c show of them costs nothing.  With weights w = 1/(N pi), pi being a
sample's probability to be among the dear,

    estimate = mean_N(c) b + sum_n w (v - c b)

has the expectation of v whatever b is (the difference estimator of two-phase sampling, Saerndal, Swensson & Wretman
1992, section 9.3).  It is the mean of N independent numbers, c b + [dear] (v - c b)/pi: their variance and skewness
are those of the estimate.  b comes from the other half of the dear samples each time, so no bias is left, however few.

Columns are in nats, as values are, and a natural slope is of order 1: slopes are drawn towards 0 as by a normal prior
of that spread, so a column that hardly moves among the dear samples is not extrapolated over those where it does.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from capacity.bounds.annealed.controls import Controls
from capacity.results.estimate import NATS_PER_BIT, Estimate, Kind
from capacity.results.intervals import skewed_ends

Values: TypeAlias = Float[np.ndarray, " n"]
"""One number for each sample, nats."""
SLOPE_SPREAD = 1.0  # of the prior of slopes
LEAST_RESIDUAL = 0.01  # nats: that a value's residual is never taken to be less than, where slopes are fitted
SOLVED = 3  # times that a fit finds its residual anew
LEAST_COLUMN = 1e-6  # nats: a column that moves by less does not move
LEAST_DEVIATION = 1e-30  # of a mean, nats: one without any has no skewness


class SecondPhase(NamedTuple):
    """What of the first phase is dear.

    Attributes:
        controls: of the dear samples.
        weight: (n,), their weights in a mean.
        rows: (n,), which of the cheap samples they are; nothing if they are others.
    """

    controls: Controls
    weight: Float[np.ndarray, " n"]
    rows: np.ndarray | None = None


class TwoPhaseMean(NamedTuple):
    """An expectation, in nats.

    Attributes:
        mean: the estimate.
        cheap: (N,), what each cheap sample adds to the estimate, with its value if it is dear.
        dear: (n,), what each dear sample adds that is not among the cheap.
        slope_variance: of the mean, by the error of the slopes.
        residuals: (n,), the values less their controls.
    """

    mean: float
    cheap: Float[np.ndarray, " cheap"]
    dear: Float[np.ndarray, " dear"]
    slope_variance: float
    residuals: Values

    @property
    def stderr(self) -> float:
        """Standard error of the mean, nats, that of slopes included."""
        return float(np.sqrt(self._moment(2) + self.slope_variance))

    @property
    def skewness(self) -> float:
        """Of the mean, without a unit."""
        deviation = self._moment(2) ** 0.5
        return self._moment(3) / deviation**3 if deviation > LEAST_DEVIATION else 0.0

    def _moment(self, power: int) -> float:
        """Central moment of the mean, as of a sum of independent numbers."""
        return sum(_spread(part, power) for part in (self.cheap, self.dear) if len(part) > 1)


def _spread(parts: np.ndarray, power: int) -> float:
    total = float(np.sum((parts - parts.mean()) ** power))
    return total * len(parts) / (len(parts) - 1)


def two_phase_mean(values: Values, second: SecondPhase, first: Controls) -> TwoPhaseMean:
    """The expectation of the values by the controls of both phases.

    Args:
        values: (n,), nats, of the second phase.
        second: controls and weights of the same samples.
        first: controls of the first phase.
    """
    centre = first.learnt.mean(0, dtype=np.float64)
    columns = np.concatenate([second.controls.zero, second.controls.learnt - centre], axis=1).astype(np.float64)
    values, weight = np.asarray(values, np.float64), np.asarray(second.weight, np.float64)
    halves = [np.arange(len(values)) % 2 == parity for parity in (0, 1)]
    fits = [_Fit.of(values[half], columns[half], weight[half]) for half in halves]
    residuals, slope_variance = np.empty_like(values), 0.0
    for half, fit in zip(halves, fits[::-1], strict=True):
        residuals[half] = values[half] - fit.level - columns[half] @ fit.slope
        # By how much the half's weighted means miss what they stand for is what the other half's errors are taken by.
        missed = -2 * weight[half] @ columns[half]
        slope_variance += fit.variance(1 - 2 * weight[half].sum(), missed) / 4
    level, slope = (sum(getattr(fit, part) for fit in fits) / 2 for part in ("level", "slope"))
    explained = (first.learnt - centre) @ slope[first.zero.shape[1] :]
    cheap = (level + _less_zero(explained, first.zero.astype(np.float64))) / len(explained)
    dear = weight * residuals
    mean = float(cheap.sum() + dear.sum())
    if second.rows is not None:
        cheap[second.rows] += dear
        dear = dear[:0]
    return TwoPhaseMean(mean, cheap, dear, slope_variance, residuals)


def controlled(
    values: Values, second: SecondPhase, first: Controls, kind: Kind, limit: float = np.inf, least: float = 0.0
) -> Estimate:
    """The expectation of the values, in bits, with the 95 % interval of the sampling of both phases.

    Args:
        values: (n,), nats, of the second phase.
        second: controls and weights of the same samples.
        first: controls of the first phase.
        kind: what the expectation is to the truth.
        limit: the most that could have been reported, bits.
        least: bits that the interval reaches either way at least.
    """
    return _estimate(two_phase_mean(values, second, first), kind, limit).widened_to(least, least)


class _Fit(NamedTuple):
    """A weighted ridge regression: `level` at columns of 0, `slope` (columns,), and what their errors are made of."""

    level: float
    slope: np.ndarray
    centre: np.ndarray
    weight: np.ndarray
    residual: np.ndarray
    inverse: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray, columns: np.ndarray, weight: np.ndarray) -> _Fit:
        weight = weight / weight.sum()
        centre, mean = weight @ columns, weight @ values
        root = np.sqrt(weight / np.square(weight).sum())  # their squares add up to the effective number of samples
        scale = np.maximum(np.abs(columns - centre).max(0, initial=0.0), LEAST_COLUMN)
        rows, target = (columns - centre) / scale * root[:, None], (values - mean) * root
        slope, gram, left = np.zeros(len(scale)), np.eye(len(scale)), values - mean
        for _ in range(SOLVED):
            prior = max(float(np.sqrt(weight @ np.square(left))), LEAST_RESIDUAL) / SLOPE_SPREAD / scale
            gram = rows.T @ rows + np.diag(np.square(prior))
            slope = np.linalg.solve(gram, rows.T @ target) / scale
            left = values - mean - (columns - centre) @ slope
        inverse = np.linalg.solve(gram, rows.T) / scale[:, None] * root
        return cls(float(mean - centre @ slope), slope, centre, weight, left, inverse)

    def variance(self, constant: float, columns: np.ndarray) -> float:
        """Of the error of constant * level + columns . slope, from the residuals' own squares (White 1980)."""
        influence = constant * self.weight + (columns - constant * self.centre) @ self.inverse
        return float(np.square(influence * self.residual).sum())


def _less_zero(values: np.ndarray, zero: np.ndarray) -> np.ndarray:
    """Values less what columns of zero mean explain of them, each half by the other half's slopes."""
    left = values.copy()
    half = np.arange(len(values)) % 2 == 0
    for own, other in ((half, ~half), (~half, half)):
        fit = _Fit.of(values[other], zero[other], np.ones(other.sum()))
        left[own] -= zero[own] @ fit.slope
    return left


def zero_controlled(values: Values, zero: Float[np.ndarray, "n zero"], kind: Kind, limit: float = np.inf) -> Estimate:
    """The expectation of values that every cheap sample has, in bits, with its 95 % interval.

    Args:
        values: (n,), nats.
        zero: controls of zero mean.
        kind: what the expectation is to the truth.
        limit: the most that could have been reported, bits.
    """
    if not np.isfinite(values).all():
        worst = {"lower": -np.inf, "upper": np.inf}[kind]
        return Estimate.from_normal(bits=worst, stderr=0.0, kind=kind, limit=limit, n=len(values))
    left = _less_zero(np.asarray(values, np.float64), zero.astype(np.float64))
    return _estimate(TwoPhaseMean(float(left.mean()), left / len(left), left[:0], 0.0, left), kind, limit)


def _estimate(found: TwoPhaseMean, kind: Kind, limit: float) -> Estimate:
    """The figure in bits, with Hall's interval for skewed means."""
    bits, stderr, skewness = map(jnp.asarray, (found.mean / NATS_PER_BIT, found.stderr / NATS_PER_BIT, found.skewness))
    low, high = (bits + end for end in skewed_ends(jnp.zeros(()), stderr, skewness, 1))
    return Estimate(bits, stderr, low, high, jnp.asarray(limit), jnp.asarray(len(found.residuals)), kind=kind)
