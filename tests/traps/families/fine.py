"""The second public list, "fine distributions": X, AI, waves, galaxies, inliers, concentric (Czyż et al. 2025).

Mixtures of normal laws whose density is known at every point; waves and galaxies are mixtures bent by injective maps
of x, so their densities are those of the mixtures.  Parameters are those of the paper "On the properties and estimation
of pointwise mutual information profiles", up to shift and scale of the columns.
"""

from __future__ import annotations

import numpy as np

from tests.traps.laws.clouds import clouds
from tests.traps.laws.law import Law
from tests.traps.task import Task

FAMILY = "fine"


def tilted(var_x: float, var_y: float, rho: float) -> np.ndarray:
    """The covariance of two numbers."""
    between = rho * np.sqrt(var_x * var_y)
    return np.array([[var_x, between], [between, var_y]])


def letter_x(rho: float) -> Law:
    """Two normal laws of opposite correlations."""
    return clouds([(0.5, [0.0, 0.0], tilted(1.0, 1.0, sign * rho)) for sign in (-1, 1)], 1)


def letters_ai() -> Law:
    """The letters A and I, of three strokes each."""
    i = [([1.0, 0.0], np.diag([0.01, 0.2])), *(([1.0, end], np.diag([0.05, 0.001])) for end in (-1.0, 1.0))]
    a = [([-0.8, -0.2], np.diag([0.03, 0.001]))]
    a += [([-0.8 + 0.4 * side, 0.0], tilted(0.04, 0.2, -0.95 * side)) for side in (-1.0, 1.0)]
    return clouds([(1.0 / 6.0, mean, covariance) for mean, covariance in i + a], 1)


def galaxy(distance: float) -> Law:
    """Two round clouds, X of two columns."""
    return clouds([(0.5, np.full(3, sign * distance / 2), np.eye(3)) for sign in (-1.0, 1.0)], 2)


def spun(speed: float):
    """The plane turned by an angle that grows with the squared distance from 0."""

    def show(x: np.ndarray) -> np.ndarray:
        angle = speed * (x**2).sum(axis=1)
        cos, sin = np.cos(angle), np.sin(angle)
        return np.column_stack([cos * x[:, 0] - sin * x[:, 1], sin * x[:, 0] + cos * x[:, 1]])

    return show


def crests(count: int) -> Law:
    """Long clouds in a row, Y of four levels in turn."""
    width = np.diag([0.1, 1.0, 0.1])
    return clouds([(1.0 / count, [1.5 * j, 0.0, 1.5 * (j % 4)], width) for j in range(count)], 2)


def waved(height: float, frequency: float):
    """The first column moved by a sine of the second."""
    return lambda x: np.column_stack([0.1 * (x[:, 0] + height * np.sin(frequency * x[:, 1])) - 0.8, 0.5 * x[:, 1]])


def inliers(share: float, interacting: int, dim: int, rho: float) -> Law:
    """Normal columns of which some are related, but in a share of the rows none is."""
    related = np.eye(2 * dim)
    for j in range(interacting):
        related[j, dim + j] = related[dim + j, j] = rho
    return clouds([(1.0 - share, np.zeros(2 * dim), related), (share, np.zeros(2 * dim), np.eye(2 * dim))], dim)


def concentric(dim: int, count: int) -> Law:
    """Y tells which of several deviations X has."""
    each = range(1, count + 1)
    return clouds([(1.0 / count, [0.0] * dim + [1.0 * k], np.diag([1.0 * k**2] * dim + [1e-4])) for k in each], dim)


def tasks() -> list[Task]:
    """The family."""
    return [
        Task("fine-x-.9", FAMILY, letter_x(0.9)),
        Task("fine-ai", FAMILY, letters_ai()),
        Task("fine-galaxy-.5-3", FAMILY, galaxy(3.0), spun(0.5)),
        Task("fine-waves-12-5-3", FAMILY, crests(12), waved(5.0, 3.0)),
        Task("fine-inliers-5-.2", FAMILY, inliers(0.2, 2, 5, 0.8)),
        Task("fine-inliers-25-.5", FAMILY, inliers(0.5, 2, 25, 0.8)),
        Task("fine-concentric-3-5", FAMILY, concentric(3, 5)),
        Task("fine-concentric-25-5", FAMILY, concentric(25, 5)),
    ]
