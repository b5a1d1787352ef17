"""Laws r of the code to hold posteriors against: E KL(q(z|x)||r) is at least I(X;Z), whatever r is, if r saw not x.

    E KL(q(z|x) || r) = I(X;Z) + KL(q(z) || r)                                     (Barber & Agakov 2003)

r is a mixture of normal laws, each spread over widths 1, 4, 16, ... of falling shares: a point far from all others
would else decide the mean.  For q(z|x) = N(mu, diag sigma^2)
the cross entropy with one normal law is a closed form, and with a mixture it is at most

    -E_q log sum_k w_k N_k(z)  <=  -log sum_k w_k exp(E_q log N_k(z))       (Jensen; Hershey & Olsen 2007, section 7)

so that no noise is drawn for these bounds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.special import logsumexp, softmax

LOG_2PI = float(np.log(2 * np.pi))
WIDTHS = 4.0 ** np.arange(16)  # up to 1e9 times: how far off a rare point may lie
TAIL = 1e-3  # of the probability, halved from each width to the next
COMPONENTS = 8
ROUNDS = 6  # of the fit of a mixture
FIT_POINTS = 2048  # that a mixture of several components is fitted to, at most
NEAR = 10.0
RIDGE = 1e-10  # of a variance: rounding of the correlations
TAILS = (
    np.log(WIDTHS),
    np.log(np.concatenate([[1 - TAIL], TAIL * 0.5 ** np.arange(1, len(WIDTHS))])),  # sum to less than 1
)


class Law(NamedTuple):
    """A mixture of normal laws over the code.

    Attributes:
        log_weight: (components,).
        mean: (components, units).
        whiten: (components, units, units), lower triangular W with W C W' = 1 for the covariance C.
        log_widths, log_shares: (widths,), by which every component is spread, and how much of it.
    """

    log_weight: Float[np.ndarray, " components"]
    mean: Float[np.ndarray, "components units"]
    whiten: Float[np.ndarray, "components units units"]
    log_widths: Float[np.ndarray, " widths"]
    log_shares: Float[np.ndarray, " widths"]

    def cross_entropy(self, mean: np.ndarray, log_std: np.ndarray | None = None) -> Float[np.ndarray, " n"]:
        """(n,) nats, at least -E log r of N(mean, exp(2 log_std)), both (n, units); without log_std, -log r(mean)."""
        units = mean.shape[1]
        squares = np.stack([s.sum(1) for s in self._squares(mean, log_std)], 1)[:, :, None]
        terms = self._scale()[:, None] + self.log_shares - units * self.log_widths
        terms = terms - 0.5 * squares * np.exp(-2 * self.log_widths)
        return -np.asarray(logsumexp(terms.reshape(len(mean), -1), axis=1))

    def each_unit(self, mean: np.ndarray, log_std: np.ndarray | None = None) -> Float[np.ndarray, "n units"]:
        """(n, units) nats, -E log r(z_j | z_<j); for the first normal law, without its tails."""
        diagonal = np.log(np.diagonal(self.whiten[0]))
        return np.asarray(0.5 * (LOG_2PI + next(self._squares(mean, log_std))) - diagonal)

    def _scale(self) -> Float[np.ndarray, " components"]:
        log_root = np.log(np.diagonal(self.whiten, axis1=1, axis2=2)).sum(1)
        return np.asarray(self.log_weight + log_root - 0.5 * LOG_2PI * self.mean.shape[1])

    def _squares(self, mean: np.ndarray, log_std: np.ndarray | None) -> Iterator[Float[np.ndarray, "n units"]]:
        """Expected squares of the whitened code, of each component."""
        for centre, whiten in zip(self.mean, self.whiten, strict=True):
            squares = ((mean - centre) @ whiten.T) ** 2
            yield squares if log_std is None else squares + np.exp(2 * log_std) @ (whiten**2).T


def standard(centre: Float[np.ndarray, " units"]) -> Law:
    """N(0, 1), the usual prior, with tails, as it stands where means were moved by -centre."""
    units = len(centre)
    return Law(np.zeros(1), -centre[None], np.eye(units)[None], *TAILS)


def independent(mean: np.ndarray, log_std: np.ndarray, weight: np.ndarray) -> Law:
    """Normal, units independent, of the bulk of the mixture of posteriors (points, units) of weights (points,)."""
    near = _near(mean)
    centre, covariance = _moments(mean[near], log_std[near], weight[near])
    return Law(np.zeros(1), centre[None], np.diag(np.diagonal(covariance) ** -0.5)[None], *TAILS)


def normal(mean: np.ndarray, log_std: np.ndarray, weight: np.ndarray) -> Law:
    """Normal, of the mean and covariance of the mixture of posteriors."""
    centre, covariance = _moments(mean, log_std, weight)
    return Law(np.zeros(1), centre[None], _whitening(covariance)[None], *TAILS)


def bulk(mean: np.ndarray, log_std: np.ndarray, weight: np.ndarray) -> Law:
    """`normal`, of the points that lie within ten times the spread of the middle half of each unit."""
    near = _near(mean)
    return normal(mean[near], log_std[near], weight[near])


def share_of_tails(log_density: np.ndarray, tails: np.ndarray) -> np.ndarray:
    """(n,) log density of a law without tails that has a share of another's, `TAIL` of the probability."""
    return np.asarray(np.logaddexp(np.log1p(-TAIL) + log_density, np.log(TAIL) + tails))


def mixture(mean: np.ndarray, log_std: np.ndarray, weight: np.ndarray) -> Law:
    """`COMPONENTS` normal laws with tails, fitted by expectation and maximisation of the bound on E log r itself.

    A component's covariance is drawn to that of all, as by as many points as there are units.
    """
    near = np.flatnonzero(_near(mean))[:FIT_POINTS]
    mean, log_std, weight = mean[near], log_std[near], weight[near]
    whole = normal(mean, log_std, weight)
    units = mean.shape[1]
    white = (mean - whole.mean[0]) @ whole.whiten[0].T
    seeds = white[_spread_out(white)]
    share = np.eye(len(seeds))[((white[:, None] - seeds[None]) ** 2).sum(2).argmin(1)]
    pooled = _moments(mean, log_std, weight)[1]
    law = whole
    for _ in range(ROUNDS):
        parts = [_moments(mean, log_std, weight * column + 1e-12) for column in share.T]
        sizes = (weight[:, None] * share).sum(0)
        whiten = np.stack([
            _whitening((size * covariance + units * pooled) / (size + units))
            for size, (_, covariance) in zip(sizes, parts, strict=True)
        ])  # fmt: skip
        law = Law(np.log((sizes + 1) / (sizes + 1).sum()), np.stack([c for c, _ in parts]), whiten, *TAILS)
        squares = np.stack([s.sum(1) for s in law._squares(mean, log_std)], 1)
        share = softmax(law._scale() - 0.5 * squares, axis=1)
    return law


def _near(mean: np.ndarray) -> np.ndarray:
    """Which points lie within `NEAR` times the spread of the middle half of each unit."""
    quarters = np.quantile(mean, [0.25, 0.5, 0.75], axis=0)
    reach = NEAR * np.maximum(quarters[2] - quarters[0], np.finfo(float).tiny)
    near = (np.abs(mean - quarters[1]) <= reach).all(1)
    return near if 2 * near.sum() > len(near) else np.ones(len(near), bool)


def _spread_out(white: np.ndarray) -> list[int]:
    """Points far from each other: each next is the farthest of all from those before, among a few."""
    some = white[:256]
    chosen = [0]
    distance = np.full(len(some), np.inf)
    for _ in range(COMPONENTS - 1):
        distance = np.minimum(distance, ((some - some[chosen[-1]]) ** 2).sum(1))
        chosen.append(int(distance.argmax()))
    return chosen


def _moments(mean: np.ndarray, log_std: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    share = weight / weight.sum()
    centre = share @ mean
    left = mean - centre
    return centre, (left * share[:, None]).T @ left + np.diag(share @ np.exp(2 * log_std))


def _whitening(covariance: np.ndarray) -> np.ndarray:
    spread = np.sqrt(np.diagonal(covariance))
    correlation = covariance / np.outer(spread, spread)
    root = np.linalg.cholesky(correlation + RIDGE * np.eye(len(spread)))
    # Not SciPy's triangular solver: it wakes all threads for a matrix of two rows, and waits for them.
    return np.asarray(np.tril(np.linalg.inv(root)) / spread)
