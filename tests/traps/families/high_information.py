"""Eight to twelve bits in few columns: more than neighbours or small batches of a critic can show."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from tests.traps.laws.law import Law, Truth
from tests.traps.laws.listed import listed
from tests.traps.laws.normal import correlation_of, normal
from tests.traps.laws.shows import rotation, tanh_layer
from tests.traps.task import Task

FAMILY = "high_information"


def narrow_uniform(epsilon: float) -> Law:
    """X uniform on [0, 1], Y = X + uniform noise of half width epsilon: log2(1 / 2 epsilon) + epsilon / ln 2 bits."""

    def draw(random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        x = random.uniform(size=(n, 1))
        return x, x + random.uniform(-epsilon, epsilon, size=(n, 1))

    def density(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        covered = np.minimum(y[:, 0] + epsilon, 1.0) - np.maximum(y[:, 0] - epsilon, 0.0)
        near = np.abs(y[:, 0] - x[:, 0]) <= epsilon
        with np.errstate(divide="ignore"):
            return np.where(near, -np.log2(np.maximum(covered, 1e-300)), -np.inf)

    return Law(draw, density, lambda: Truth(float(-np.log2(2 * epsilon) + epsilon / np.log(2)), 0.0, "closed form"))


def nearly_the_same(symbols: int, error: float) -> Law:
    """A symbol heard right but for a share of any other."""
    masses = np.full((symbols, symbols), error / (symbols - 1)) + (1 - error - error / (symbols - 1)) * np.eye(symbols)
    return listed(masses / symbols)


def tasks() -> list[Task]:
    """The family."""
    return [
        Task("normal-8-bits", FAMILY, normal(correlation_of(8.0))),
        Task("normal-10-bits-2-turned", FAMILY, normal(correlation_of(10.0, 2)), rotation(2, 81), rotation(2, 83)),
        Task("normal-12-bits-4-turned", FAMILY, normal(correlation_of(12.0, 4)), rotation(4, 85), rotation(4, 87)),
        Task(
            "tanh-9-bits-3",
            FAMILY,
            normal(correlation_of(9.0, 3)),
            tanh_layer(3, 8, 89, 0.5),
            tanh_layer(3, 8, 91, 0.5),
        ),
        Task("uniform-8-bits", FAMILY, narrow_uniform(2.0**-9), None, ndtr),
        Task("normal-10-bits-10-columns", FAMILY, normal(correlation_of(10.0, 10)), rotation(10, 93), rotation(10, 95)),
        Task("symbols-400", FAMILY, nearly_the_same(400, 0.02)),
    ]
