"""Mutual information of mixed data from nearest neighbours: labels against numbers, and any mixture with ties.

Ross (2014, PLoS ONE 9, e87357, equation 2), symbols x and real y, in nats: about each y the k-th neighbour among those
with its own symbol sets a radius; k' points with its symbol and m of all symbols lie no farther than that,

    psi(n) + <psi(k')> - <psi(n_x)> - <psi(m)>

k' is k unless others are as far away as the k-th, as where numbers repeat: all counts then take them in.  Rounded
numbers are spread within their steps first (`rounding`).

Gao, Kannan, Oh and Viswanath (2017, NeurIPS 30, algorithm 1, with digamma as in their program): KSG where a joint
distance is 0 counts the equals in its place,

    <psi(k_i)> + log n - <psi(n_x + 1) + psi(n_y + 1)>

A radius of 0 is not the only tie.  Where more than one point lies as far away in x or in y as the k-th neighbour does,
all three counts take in what is no farther (Mesner & Shalizi 2021, IEEE Trans. Inf. Theory 67).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import jax
import numpy as np
from scipy.special import digamma

from capacity.estimators.checks import Takes, random_of
from capacity.estimators.estimator import Change
from capacity.estimators.neighbours.ksg import scaled_margins
from capacity.estimators.neighbours.profile import estimate_from_terms
from capacity.estimators.neighbours.search import count_within, nearest
from capacity.estimators.neighbours.terms import NeighbourEstimator
from capacity.estimators.rounding import spread_within_steps
from capacity.results.estimate import Estimate
from capacity.runtime.threefry import parts_of

MAX_RARE = 0.05  # of the pairs may have a symbol that k others do not share


@dataclass(frozen=True)
class Ross(NeighbourEstimator):
    """Symbols against real numbers.  Symbols that occur once have no neighbour and are left out, as their author does.

    There are fewer neighbours than k where a symbol occurs less often.
    """

    name: ClassVar[str] = "ross"
    summary: ClassVar[str] = "nearest neighbours of one symbol among all (Ross 2014)"
    takes: ClassVar[Takes] = "mixed"
    symmetric: ClassVar[bool] = True
    unchanged_by: ClassVar[frozenset[Change]] = frozenset({"shift", "scale", "relabelling"})

    def information(self, key: jax.Array, x: np.ndarray, y: np.ndarray) -> Estimate:
        """Bits, from symbols (n,) and numbers (n, d), either way round.

        `limit` is psi(n) - <psi(n_x)>, as if each symbol had its part of the space for itself: about the entropy of
        the symbols.  Where more than a twentieth of the rows have a symbol that k others do not share, those left out
        say more than the others: the interval is opened up to the limit, and the estimate is `saturated`.

        Raises:
            ValueError: if fewer than k + 2 rows have a symbol that occurs twice.
        """
        symbols, numbers = (x, y) if x.dtype.kind == "i" else (y, x)
        key, key_spread = parts_of(key, 2)
        numbers, _ = spread_within_steps(random_of(key_spread), numbers)
        counts = np.bincount(symbols[:, 0])[symbols[:, 0]]
        kept, rare = counts > 1, _rare(symbols, self.k)
        if kept.sum() < self.k + 2:
            raise ValueError(f"Expected symbols that occur more than once; got {int(kept.sum())} rows of such.")
        symbols, numbers, counts = symbols[kept], scaled_margins(numbers[kept], "standard"), counts[kept]
        limit = float(digamma(len(numbers)) - digamma(counts).mean())
        columns = numbers.shape[1]
        estimate = estimate_from_terms(key, self.terms, symbols, numbers, self.k, columns, limit, both_ways=True)
        return _opened_where_rare(estimate, rare)

    def terms(self, x: np.ndarray, y: np.ndarray, ks: Sequence[int] | None = None) -> np.ndarray:
        """Local terms in nats, for each k (its own, by default): shape (len(ks), m), m rows whose symbol recurs.

        Args:
            x: symbols, int64 of shape (n, 1).
            y: float64, shape (n, d), used as it is.
            ks: how many neighbours.
        """
        ks = [self.k] if ks is None else ks
        counts = np.bincount(x[:, 0])[x[:, 0]]
        x, y, counts = x[counts > 1], y[counts > 1], counts[counts > 1]
        if not len(y):
            return np.empty((len(ks), 0))
        radii, used = np.empty((len(ks), len(y))), np.minimum(np.asarray(ks)[:, None], counts - 1)
        order = np.argsort(x[:, 0], kind="stable")
        for rows in np.split(order, np.cumsum(np.unique(x, return_counts=True)[1])[:-1]):
            distances = nearest(y[rows], min(max(ks), len(rows) - 1))[0]
            radii[:, rows] = distances[:, used[:, rows[0]] - 1].T
            used[:, rows] = [_as_near(y[rows], radius) for radius in radii[:, rows]]
        within = np.stack([_as_near(y, radius) for radius in radii])
        return np.asarray(digamma(len(y)) + digamma(used) - digamma(counts) - digamma(within))


@dataclass(frozen=True)
class Mixed(NeighbourEstimator):
    """Any mixture of symbols, numbers, and numbers that repeat.

    Different symbols are farther from each other than any numbers: a ball that would reach them holds what shares its
    point's symbols, and those are then its neighbours.
    """

    name: ClassVar[str] = "mixed"
    summary: ClassVar[str] = "nearest neighbours for any mixture, ties allowed (Gao et al. 2017)"
    symmetric: ClassVar[bool] = True
    unchanged_by: ClassVar[frozenset[Change]] = frozenset({"shift", "scale", "relabelling"})

    def information(self, key: jax.Array, x: np.ndarray, y: np.ndarray) -> Estimate:
        """Bits, from symbols (n,) or numbers (n, d) on either side.

        `limit` is log n - <psi(k_i)>: as if no ball held another point in x or in y than its own.  Where more than a
        twentieth of the pairs have a symbol that k others do not share, balls reach past symbols and the figure falls
        far short: the interval is opened up to the limit, and the estimate is `saturated`.
        """
        columns = sum(a.shape[1] for a in (x, y) if a.dtype.kind == "f")
        key, key_spread = parts_of(key, 2)
        random = random_of(key_spread)
        x, y = (spread_within_steps(random, a)[0] if a.dtype.kind == "f" else a for a in (x, y))
        x, y = (scaled_margins(a, "standard") if a.dtype.kind == "f" else a for a in (x, y))
        held = self._neighbours(x, y, [self.k])[1]
        limit = float(np.log(len(x)) - digamma(held).mean())
        symbols = any(a.dtype.kind == "i" for a in (x, y))
        estimate = estimate_from_terms(key, self.terms, x, y, self.k, max(columns, 1), limit, both_ways=symbols)
        rare = max((_rare(a, self.k) for a in (x, y) if a.dtype.kind == "i"), default=0.0)
        return _opened_where_rare(estimate, rare)

    def terms(self, x: np.ndarray, y: np.ndarray, ks: Sequence[int] | None = None) -> np.ndarray:
        """Local terms in nats, whose mean is the information, for each k (its own, by default): shape (len(ks), n).

        Args:
            x, y: float64 of shape (n, d), used as it is, or symbols, int64 of shape (n, 1).
            ks: how many neighbours.
        """
        radii, held = self._neighbours(x, y, [self.k] if ks is None else ks)
        gap = _gap(x, y)
        sides = [_apart(a, gap) for a in (x, y)]
        joint = np.hstack(sides)
        counts = np.array([[_within(a, radius) for a in sides] for radius in radii])
        for row, radius, own in zip(held, radii, counts, strict=True):
            as_near = np.array([_as_near(a, radius) + 1 for a in sides])
            tied = ((as_near - own).sum(axis=0) > 1) & (radius > 0) & (radius < gap)
            own[:, tied] = as_near[:, tied]
            row[tied] = _as_near(joint, radius)[tied] + 1
        return np.asarray(np.log(len(x)) + digamma(held) - digamma(counts).sum(axis=1))

    @staticmethod
    def _neighbours(x: np.ndarray, y: np.ndarray, ks: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Radii and how many neighbours they hold, each (len(ks), n): k, or all equals, or all with their symbols."""
        gap = _gap(x, y)
        joint = np.hstack([_apart(a, gap) for a in (x, y)])
        radii = np.minimum(nearest(joint, max(ks))[0][:, np.asarray(ks) - 1].T, gap)
        held = np.array([[k] * len(x) for k in ks])
        for row, radius in zip(held, radii, strict=True):
            special = (radius == 0) | (radius == gap)
            if special.any():
                row[special] = _within(joint, radius)[special]
        return radii, held


def _opened_where_rare(estimate: Estimate, rare: float) -> Estimate:
    """The estimate, its interval up to its limit where the share of rows with rare symbols is large."""
    return replace(estimate, high=max(estimate.high, estimate.limit)) if rare > MAX_RARE else estimate


def _rare(symbols: np.ndarray, k: int) -> float:
    """The share of rows whose symbol at most k rows have."""
    return float((np.bincount(symbols[:, 0])[symbols[:, 0]] <= k).mean())


def _within(points: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Points strictly within each radius, or equal where it is 0, each itself among them."""
    return count_within(points, np.maximum(radius, np.finfo(np.float64).tiny)) + 1


def _as_near(points: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Other points no farther than each radius."""
    return count_within(points, np.nextafter(radius, np.inf))


def _gap(x: np.ndarray, y: np.ndarray) -> float:
    """A distance larger than any between numbers."""
    return 1.0 + max([2 * float(np.ptp(a, axis=0).max()) for a in (x, y) if a.dtype.kind == "f"], default=0.0)


def _apart(array: np.ndarray, gap: float) -> np.ndarray:
    """Numbers as they are; symbols as points of a line, `gap` from the next."""
    return array if array.dtype.kind == "f" else array * gap
