"""Mixtures of normal laws: clusters, opposite slopes, relations that hold in a part of the rows, outliers."""

from __future__ import annotations

import numpy as np

from tests.traps.laws.clouds import Component, clouds
from tests.traps.laws.law import Law
from tests.traps.laws.shows import rotation
from tests.traps.task import Task

FAMILY = "mixtures"


def related(rho: float, columns: int) -> np.ndarray:
    """Column j of x and of y correlate by `rho`."""
    return np.kron([[1.0, rho], [rho, 1.0]], np.eye(columns))


def random_clusters(count: int, dim_x: int, dim_y: int, apart: float, seed: int) -> Law:
    """Clusters of random places, shapes and weights."""
    random, dim = np.random.default_rng(seed), dim_x + dim_y
    parts: list[Component] = []
    for weight in random.dirichlet(np.full(count, 5.0)):
        root = np.eye(dim) + 0.5 * random.normal(size=(dim, dim))
        parts.append((weight, apart * random.normal(size=dim), root @ root.T))
    return clouds(parts, dim_x)


def tasks() -> list[Task]:
    """The family."""
    zeros = np.zeros(16)
    half = clouds([(0.5, zeros[:6], related(0.9, 3)), (0.5, zeros[:6], related(0.0, 3))], 3)
    eight = clouds([(0.6, zeros, related(0.8, 8)), (0.4, zeros, related(0.0, 8))], 8)
    opposite = clouds([(0.5, zeros[:8], related(0.7, 4)), (0.5, zeros[:8], related(-0.7, 4))], 4)
    outliers = clouds([(0.9, zeros[:4], related(0.9, 2)), (0.1, zeros[:4], 100.0 * related(0.0, 2))], 2)
    shifts = clouds([(0.25, [-3.0 + 2 * j, 3.0 - 2 * j], related(0.9, 1)) for j in range(4)], 1)
    return [
        Task("clusters-5-of-1", FAMILY, random_clusters(5, 1, 1, 3.0, 121)),
        Task("clusters-3-of-2", FAMILY, random_clusters(3, 2, 2, 2.0, 123)),
        Task("clusters-8-of-4", FAMILY, random_clusters(8, 4, 4, 2.0, 125)),
        Task("half-related-3", FAMILY, half, rotation(3, 127), rotation(3, 129)),
        Task("part-related-8", FAMILY, eight),
        Task("opposite-slopes-4", FAMILY, opposite, rotation(4, 131)),
        Task("outliers-in-a-tenth", FAMILY, outliers),
        Task("rising-within-falling-between", FAMILY, shifts),
    ]
