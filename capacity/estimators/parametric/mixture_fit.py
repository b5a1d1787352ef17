"""Mixtures of normal laws: their density, their margins, and the fit by expectation maximisation.

Margins of a mixture are mixtures with the same weights.  Each step is that of Dempster, Laird & Rubin (1977), with
covariances drawn towards their mean (Friedman 1989).  A normal density's logarithm is linear in the products of
columns, so that a step is two matrix products.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

PRIOR_ROWS = 1.0  # how many rows the mean covariance of all components counts for in each
VARIANCE_FLOOR = 1e-7  # of whitened columns
MAX_STEPS, SHORT_STEPS = 80, 10
START_ROWS = 4_000  # that try the starts
TOLERANCE = 3e-5  # nats per row and step
CHUNK = 16_384  # rows at a time
_LLOYD_STEPS = 4


@dataclass(frozen=True)
class MixtureLaw:
    """sum_k w_k N(z; mu_k, S_k).

    Attributes:
        weights: shape (k,), of sum 1.
        means: shape (k, d).
        covariances: shape (k, d, d).
    """

    weights: np.ndarray
    means: np.ndarray
    covariances: np.ndarray

    def margin(self, columns: slice) -> MixtureLaw:
        """The law of some of the columns."""
        return MixtureLaw(self.weights, self.means[:, columns], self.covariances[:, columns, columns])

    @cached_property
    def roots(self) -> np.ndarray:
        """Cholesky's factors of the covariances, shape (k, d, d)."""
        return np.linalg.cholesky(self.covariances)

    @cached_property
    def log_peaks(self) -> np.ndarray:
        """log w_k N(mu_k; mu_k, S_k), shape (k,)."""
        half_log_dets = np.log(np.diagonal(self.roots, axis1=1, axis2=2)).sum(axis=1)
        return np.asarray(np.log(self.weights) - 0.5 * self.means.shape[1] * np.log(2 * np.pi) - half_log_dets)

    @cached_property
    def coefficients(self) -> np.ndarray:
        """Of `quadratic_terms` in the logarithm of each w_k N(z; mu_k, S_k), shape (k, terms)."""
        inverse = np.linalg.inv(self.roots)
        precisions = inverse.transpose(0, 2, 1) @ inverse
        linear = (precisions @ self.means[:, :, None])[:, :, 0]
        constant = self.log_peaks - 0.5 * (linear * self.means).sum(axis=1)
        i, j = _pairs(self.means.shape[1])
        squares = precisions[:, i, j] * np.where(i == j, -0.5, -1.0)
        return np.hstack([constant[:, None], linear, squares])

    def log_prob(self, rows: np.ndarray) -> np.ndarray:
        """Log density in nats of rows (n, d), shape (n,)."""
        parts = [rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK)]
        return np.concatenate([_log_sum(self.coefficients @ quadratic_terms(part))[0] for part in parts])

    def drawn(self, random: np.random.Generator, n: int) -> np.ndarray:
        """Rows of the law, shape (n, d)."""
        component = random.choice(len(self.weights), n, p=self.weights)
        noise = random.standard_normal((n, self.means.shape[1]))
        return np.asarray(self.means[component] + (self.roots[component] @ noise[:, :, None])[:, :, 0])

    def log_ratio(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """log p(x, y) / (p(x) p(y)) in nats, shape (n,), of pairs (n, dx), (n, dy), where z = (x, y)."""
        of_x, of_y = slice(0, x.shape[1]), slice(x.shape[1], None)
        joint = self.log_prob(np.hstack([x, y]))
        return np.asarray(joint - self.margin(of_x).log_prob(x) - self.margin(of_y).log_prob(y))


@cache
def _pairs(d: int) -> tuple[np.ndarray, np.ndarray]:
    i, j = np.triu_indices(d)
    return i, j


def quadratic_terms(rows: np.ndarray) -> np.ndarray:
    """1, the columns, and the products of any two, of rows (n, d): shape ((d + 1)(d + 2)/2, n)."""
    columns = np.ascontiguousarray(rows.T)
    i, j = _pairs(len(columns))
    return np.vstack([np.ones((1, len(rows))), columns, columns[i] * columns[j]])


def growing_mixtures(rows: np.ndarray, random: np.random.Generator, most: int) -> Iterator[MixtureLaw]:
    """Mixtures of 1, 2, 4, ... components, at most `most`, fitted to rows (n, d), each started from the last one.

    Of three starts (each component cut in two by the distance from its mean, or across its longest axis, or k-means)
    the one that is likeliest after a few steps is fitted to the end; the starts see a part of the rows.

    Args:
        rows: shape (n, d), in no order, whitened side by side: the starts go by distances.
        random: of the starts.
        most: components.
    """
    fit, part = MixtureSteps(rows), MixtureSteps(rows[:START_ROWS])
    mixture = fit.step(np.ones((1, len(rows))))
    yield mixture
    while 2 * len(mixture.weights) <= most:
        components = 2 * len(mixture.weights)
        starts = [part.split_by_radius(mixture), part.split_by_axis(mixture), part.clusters(random, components)]
        tried = [part.maximised(part.step(shares), SHORT_STEPS) for shares in starts]
        mixture = fit.maximised(max(tried, key=part.score), MAX_STEPS)
        yield mixture


class MixtureSteps:
    """The rows that a mixture is fitted to, and the steps of a fit."""

    def __init__(self, rows: np.ndarray) -> None:
        self.rows, self.terms = rows, quadratic_terms(rows)

    def step(self, shares: np.ndarray) -> MixtureLaw:
        """The likeliest mixture where each component has these shares (k, n) of the rows."""
        (_, d), k = self.rows.shape, len(shares)
        totals = shares @ self.terms.T
        counts = np.maximum(totals[:, 0], 1e-9)
        means = totals[:, 1 : d + 1] / counts[:, None]
        squares = np.empty((k, d, d))
        i, j = _pairs(d)
        squares[:, i, j] = squares[:, j, i] = totals[:, d + 1 :]
        scatter = squares - counts[:, None, None] * means[:, :, None] * means[:, None, :]
        prior = PRIOR_ROWS * scatter.sum(axis=0) / len(self.rows)
        covariances = (scatter + prior) / (counts + PRIOR_ROWS)[:, None, None] + VARIANCE_FLOOR * np.eye(d)
        return MixtureLaw(counts / counts.sum(), means, covariances)

    def shares(self, mixture: MixtureLaw) -> tuple[np.ndarray, np.ndarray]:
        """Log density of each row, shape (n,), and each component's share of it, shape (k, n)."""
        return _log_sum(mixture.coefficients @ self.terms)

    def score(self, mixture: MixtureLaw) -> float:
        """Mean log density of the rows, nats."""
        return float(self.shares(mixture)[0].mean())

    def maximised(self, mixture: MixtureLaw, steps: int) -> MixtureLaw:
        """After so many steps, or fewer where nothing more is gained."""
        before = -np.inf
        for _ in range(steps):
            logs, shares = self.shares(mixture)
            now = float(logs.mean())
            if now - before < TOLERANCE:
                break
            before, mixture = now, self.step(shares)
        return mixture

    def split_by_radius(self, mixture: MixtureLaw) -> np.ndarray:
        """Shares of twice as many components: of each the rows near its mean and those far from it."""
        terms = mixture.coefficients @ self.terms
        squared = 2 * (mixture.log_peaks[:, None] - terms)
        near = squared < self.rows.shape[1] - 2 / 3  # the median of chi-square, nearly
        shares = _log_sum(terms)[1]
        return np.vstack([shares * near, shares * ~near])

    def split_by_axis(self, mixture: MixtureLaw) -> np.ndarray:
        """Shares of twice as many components: of each the rows on either side of its mean along its longest axis."""
        axes = np.linalg.eigh(mixture.covariances)[1][:, :, -1]
        above = axes @ self.rows.T > (mixture.means * axes).sum(axis=1)[:, None]
        shares = self.shares(mixture)[1]
        return np.vstack([shares * above, shares * ~above])

    def clusters(self, random: np.random.Generator, components: int) -> np.ndarray:
        """Shares, 0 or 1, by k-means with the starts of Arthur & Vassilvitskii (2007)."""
        centres = self.rows[random.integers(len(self.rows))][None]
        nearest = np.full(len(self.rows), np.inf)
        for _ in range(components - 1):
            nearest = np.minimum(nearest, ((self.rows - centres[-1]) ** 2).sum(axis=1))
            chosen = np.searchsorted(np.cumsum(nearest), random.uniform() * nearest.sum())
            centres = np.vstack([centres, self.rows[min(chosen, len(self.rows) - 1)]])
        for _ in range(_LLOYD_STEPS):
            label = (0.5 * (centres**2).sum(axis=1)[:, None] - centres @ self.rows.T).argmin(axis=0)
            shares = np.asarray(label == np.arange(components)[:, None], dtype=np.float64)
            counts = shares.sum(axis=1)[:, None]
            centres = np.where(counts > 0, shares @ self.rows / np.maximum(counts, 1), centres)
        return shares


def _log_sum(terms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """log sum_k exp(terms) over components (k, n), shape (n,), and each term's share, shape (k, n)."""
    largest = terms.max(axis=0)
    shares = np.exp(terms - largest)
    total = shares.sum(axis=0)
    shares /= total
    return largest + np.log(total), shares
