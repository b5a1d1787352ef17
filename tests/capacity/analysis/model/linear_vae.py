"""Models whose evidence is known: a linear decoder with normal noise, with a right or a wrong encoder, and z -> |z|."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.stats import multivariate_normal, norm

from capacity.analysis.model import LatentModel


class Known(NamedTuple):
    """A model, its log evidence point by point, its information I(X;Z), and E KL(q(z|x)||p(z|x)); nats."""

    model: LatentModel
    evidence: Callable[[np.ndarray], np.ndarray]
    information: float
    gap: float


def linear_vae(
    units: int,
    dim: int,
    sigma: float,
    seed: int = 0,
    *,
    share: float = 1.0,
    shift: float = 0.0,
    wide: float = 1.0,
    encoder: bool = True,
    gradient: bool = True,
    full: bool = False,
) -> Known:
    """x = W z + sigma e; the encoder's mean is `share` of the right one and off by `shift` deviations, its deviations
    `wide` times those of the right covariance, or of its diagonal."""
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(dim, units)) / units**0.5 * rng.uniform(0.3, 1.5, size=units)
    precision = np.eye(units) + weights.T @ weights / sigma**2
    covariance = np.linalg.inv(precision)
    to_mean = covariance @ weights.T / sigma**2
    deviation = np.diagonal(covariance) ** 0.5

    def log_likelihood(x: np.ndarray, z: np.ndarray) -> np.ndarray:
        squares = np.square(x - z @ weights.T).sum(1)
        return -0.5 * squares / sigma**2 - dim * (np.log(sigma) + 0.5 * np.log(2 * np.pi))

    def value_and_gradient(x: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return log_likelihood(x, z), (x - z @ weights.T) @ weights / sigma**2

    def simulate(draws: np.random.Generator, z: np.ndarray) -> np.ndarray:
        return z @ weights.T + sigma * draws.normal(size=(len(z), dim))

    def encode(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        mean = share * x @ to_mean.T + shift * deviation
        if full:
            return mean, np.broadcast_to(wide * np.linalg.cholesky(covariance), (len(x), units, units))
        return mean, np.broadcast_to(np.log(wide * deviation), mean.shape)

    model = LatentModel(
        units, log_likelihood, simulate, value_and_gradient if gradient else None, encode if encoder else None
    )
    total = weights @ weights.T + sigma**2 * np.eye(dim)
    law = multivariate_normal(np.zeros(dim), total)
    spread = wide**2 * (covariance if full else np.diag(deviation**2))
    off = (1 - share) ** 2 * to_mean @ total @ to_mean.T + shift**2 * np.outer(deviation, deviation)
    halves = np.trace(precision @ (spread + off)) - units
    gap = 0.5 * (halves - np.linalg.slogdet(spread)[1] + np.linalg.slogdet(covariance)[1])
    return Known(model, law.logpdf, 0.5 * float(np.linalg.slogdet(precision)[1]), float(gap))


def folded(sigma: float) -> Known:
    """x = |z| + sigma e: two modes, of which the encoder knows one; the evidence is an integral over a half line."""

    def log_likelihood(x: np.ndarray, z: np.ndarray) -> np.ndarray:
        return norm.logpdf(x, np.abs(z), sigma).sum(1)

    def value_and_gradient(x: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return log_likelihood(x, z), (x - np.abs(z)) * np.sign(z) / sigma**2

    def simulate(draws: np.random.Generator, z: np.ndarray) -> np.ndarray:
        return np.abs(z) + sigma * draws.normal(size=z.shape)

    def encode(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return x / (1 + sigma**2), np.full(x.shape, np.log(sigma / (1 + sigma**2) ** 0.5))

    def evidence(x: np.ndarray) -> np.ndarray:
        width = sigma / (1 + sigma**2) ** 0.5
        middle = x / (1 + sigma**2)
        low, high = np.maximum(middle - 12 * width, 0.0), np.maximum(middle, 0.0) + 12 * width
        z = low + (high - low) * np.linspace(0, 1, 4001)  # the half line z > 0, about its mode
        log_joint = np.log(2) + norm.logpdf(x, z, sigma) + norm.logpdf(z)
        most = log_joint.max(1)
        return most + np.log(np.trapezoid(np.exp(log_joint - most[:, None]), z, axis=1))

    return Known(LatentModel(1, log_likelihood, simulate, value_and_gradient, encode), evidence, np.nan, np.nan)
