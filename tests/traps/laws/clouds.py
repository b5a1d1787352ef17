"""Mixtures of normal laws with known components, over both sides together; Monte Carlo, or quadrature for 1 + 1."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import logsumexp

from tests.traps.laws.law import Law, Truth, monte_carlo

Component = tuple[float, Sequence[float] | np.ndarray, np.ndarray]
"""Weight, mean (dx + dy,) and covariance."""


def clouds(components: Sequence[Component], dim_x: int) -> Law:
    """A mixture of normal laws; weights add up to 1."""
    weights = np.array([weight for weight, _, _ in components])
    means = np.array([mean for _, mean, _ in components], np.float64)
    covariances = np.array([np.asarray(covariance, np.float64) for _, _, covariance in components])
    roots = np.linalg.cholesky(covariances)
    sides = [(slice(0, dim_x)), slice(dim_x, means.shape[1]), slice(0, means.shape[1])]
    parts = [_Part(weights, means[:, side], covariances[:, side, side]) for side in sides]

    def draw(random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        which = random.choice(len(weights), size=n, p=weights)
        noise = random.normal(size=(n, means.shape[1]))
        both = means[which] + np.einsum("nij,nj->ni", roots[which], noise)
        return both[:, :dim_x], both[:, dim_x:]

    def density(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        nats = parts[2].log_density(np.hstack([x, y])) - parts[0].log_density(x) - parts[1].log_density(y)
        return nats / np.log(2.0)

    def truth() -> Truth:
        if means.shape[1] > 2:
            return monte_carlo(draw, density)
        return _quadrature(means, covariances, parts, density)

    return Law(draw, density, truth)


class _Part:
    """The mixture of some of the columns."""

    def __init__(self, weights: np.ndarray, means: np.ndarray, covariances: np.ndarray) -> None:
        self.means = means
        self.whiten = np.linalg.inv(np.linalg.cholesky(covariances))
        spread = np.linalg.slogdet(covariances)[1] + means.shape[1] * np.log(2.0 * np.pi)
        self.heights = np.log(weights) - 0.5 * spread

    def log_density(self, points: np.ndarray) -> np.ndarray:
        """Nats at points (n, columns)."""
        each = zip(self.means, self.whiten, self.heights, strict=True)
        return logsumexp([height - 0.5 * (((points - m) @ w.T) ** 2).sum(axis=1) for m, w, height in each], axis=0)


def _quadrature(means: np.ndarray, covariances: np.ndarray, parts: list[_Part], density: object) -> Truth:
    """The trapezoid rule over the plane, each axis as fine as the narrowest component asks."""
    axes = []
    for side in (0, 1):
        deviations = np.sqrt(covariances[:, side, side])
        narrow = np.sqrt((np.linalg.det(covariances) / covariances[:, 1 - side, 1 - side]).min())
        low, high = (means[:, side] - 9 * deviations).min(), (means[:, side] + 9 * deviations).max()
        axes.append(np.arange(low, high + narrow / 3, narrow / 3))
    cell, total = np.prod([axis[1] - axis[0] for axis in axes]), 0.0
    for start in range(0, len(axes[0]), step := max(1, 2**20 // len(axes[1]))):
        x, y = (axis.ravel()[:, None] for axis in np.meshgrid(axes[0][start : start + step], axes[1], indexing="ij"))
        total += float(np.exp(parts[2].log_density(np.hstack([x, y]))) @ density(x, y)) * cell
    return Truth(total, 0.0, "quadrature")
