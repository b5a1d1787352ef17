"""Heavy tails in either side or both: Pareto, Cauchy and Student laws, lognormal sizes, a shared random scale."""

from __future__ import annotations

import numpy as np
from scipy import special, stats
from scipy.special import logsumexp

from tests.traps.families.copulas import cauchy, clayton, pareto, student
from tests.traps.laws.law import Law, beside, monte_carlo
from tests.traps.laws.normal import correlation_of, normal
from tests.traps.laws.shows import rotation
from tests.traps.task import Task

FAMILY = "heavy_tails"


def shared_scale(spread: float, columns: int) -> Law:
    """Normal numbers, independent but for one lognormal scale: stochastic volatility.

    Densities are the trapezoid rule over the logarithm of the scale.
    """
    logs = np.linspace(-8.0, 8.0, 161)
    masses, scales = stats.norm.pdf(logs) / stats.norm.pdf(logs).sum(), np.exp(spread * logs)

    def log_density(side: np.ndarray) -> np.ndarray:
        squares = (side**2).sum(axis=1)[:, None] / scales**2
        each = -0.5 * squares - side.shape[1] * (np.log(scales) + 0.5 * np.log(2 * np.pi))
        return logsumexp(each, axis=1, b=masses)

    def draw(random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        both = np.exp(spread * random.normal(size=(n, 1))) * random.normal(size=(n, 2 * columns))
        return both[:, :columns], both[:, columns:]

    def density(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return (log_density(np.hstack([x, y])) - log_density(x) - log_density(y)) / np.log(2.0)

    return Law(draw, density, lambda: monte_carlo(draw, density))


def cauchy_of_normal(latent: np.ndarray) -> np.ndarray:
    """Normal scores with Cauchy's margins."""
    return np.tan(np.pi * (special.ndtr(latent) - 0.5))


def sizes(latent: np.ndarray) -> np.ndarray:
    """Lognormal sizes over many orders of magnitude."""
    return np.exp(3.0 * latent)


def slash(latent: np.ndarray) -> np.ndarray:
    """Signs kept, magnitudes blown up."""
    return np.sinh(2.0 * latent)


def tasks() -> list[Task]:
    """The family."""
    turn = rotation(3, 61)
    return [
        Task("pareto-pair-.7", FAMILY, clayton(1.0 / 0.7), lambda u: u ** (-1 / 0.7), lambda u: u ** (-1 / 0.7)),
        Task("cauchy-margins-3", FAMILY, normal(correlation_of(1.5, 3)), cauchy_of_normal, cauchy_of_normal),
        Task("cauchy-margins-turned-3", FAMILY, normal(correlation_of(1.5, 3)), lambda x: turn(cauchy_of_normal(x))),
        Task("sizes-of-many-orders", FAMILY, normal(0.8), sizes, sizes),
        Task("sinh-of-normal-4", FAMILY, normal(correlation_of(2.0, 4)), slash, slash),
        Task("shared-scale-1", FAMILY, shared_scale(1.0, 1)),
        Task("shared-scale-5", FAMILY, shared_scale(0.7, 5)),
        Task("student-copula-.7-1-pareto-cauchy", FAMILY, student(0.7, 1.0), pareto, cauchy),
        Task("pareto-and-normal-2", FAMILY, beside(clayton(2.0), clayton(2.0)), pareto, special.ndtri),
    ]
