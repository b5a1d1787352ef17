"""Independent real sides of every kind: what is said must hold 0."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.traps.laws.law import independent
from tests.traps.laws.shows import blob, rotation, tanh_network
from tests.traps.task import Show, Task

FAMILY = "independent_numbers"
Columns = Callable[[np.random.Generator, int], np.ndarray]


def normals(columns: int) -> Columns:
    """Standard normal columns."""
    return lambda random, n: random.normal(size=(n, columns))


def cauchys(columns: int) -> Columns:
    """Columns of Cauchy's law."""
    return lambda random, n: random.standard_cauchy(size=(n, columns))


def chained(random: np.random.Generator, n: int) -> np.ndarray:
    """Six columns, each nearly the one before."""
    return np.cumsum(random.normal(size=(n, 6)) * [3, 1, 1, 0.3, 0.3, 0.1], axis=1)


def bimodal(random: np.random.Generator, n: int) -> np.ndarray:
    """Two narrow peaks far apart."""
    return random.choice([-5.0, 5.0], size=(n, 1)) + 0.1 * random.normal(size=(n, 1))


def tasks() -> list[Task]:
    """The family."""

    def task(name: str, x: Columns, y: Columns, show_x: Show | None = None, show_y: Show | None = None) -> Task:
        return Task(f"independent-{name}", FAMILY, independent(x, y), show_x, show_y)

    return [
        task("normal", normals(1), normals(1)),
        task("normal-5-columns", normals(5), normals(5), rotation(5, 101)),
        task("correlated-columns", chained, chained),
        task("cauchy", cauchys(1), cauchys(1)),
        task("cauchy-3-against-normal", cauchys(3), normals(2)),
        task("lognormal-sizes", normals(1), normals(1), lambda x: np.exp(3 * x), lambda y: np.exp(2 * y)),
        task("two-peaks", bimodal, bimodal),
        task("100-columns", normals(100), normals(100)),
        task("embeddings", normals(2), normals(2), tanh_network(2, 48, 12, 103), tanh_network(2, 48, 12, 105)),
        task("images", normals(2), normals(2), blob(10, 0.2), blob(10, 0.2)),
    ]
