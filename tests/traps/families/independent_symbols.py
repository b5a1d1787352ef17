"""Independent sides of which one or both are symbols, codes, counts, rounded, clipped or mostly zero: 0 bits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.traps.laws.law import independent
from tests.traps.task import Task

FAMILY = "independent_symbols"
Columns = Callable[[np.random.Generator, int], np.ndarray]


def labels(count: int, columns: int = 1) -> Columns:
    """Symbols that are alike often."""
    return lambda random, n: random.integers(count, size=(n, columns))


def rounded_normals(digits: int, columns: int = 1) -> Columns:
    """Normal numbers with so many decimals."""
    return lambda random, n: random.normal(size=(n, columns)).round(digits)


def mostly_zero(share: float) -> Columns:
    """Zero in this share of the rows, else a size."""
    return lambda random, n: np.exp(random.normal(size=(n, 1))) * (random.uniform(size=(n, 1)) > share)


def rectified(random: np.random.Generator, n: int) -> np.ndarray:
    """Four units, half of them off."""
    return np.maximum(random.normal(size=(n, 4)), 0.0)


def number_and_label(random: np.random.Generator, n: int) -> np.ndarray:
    """A real column beside a label whose class moves it."""
    label = random.integers(3, size=(n, 1))
    return np.hstack([label + random.normal(size=(n, 1)), label])


def with_sentinels(random: np.random.Generator, n: int) -> np.ndarray:
    """Normal numbers, two in a hundred replaced by -999."""
    return np.where(random.uniform(size=(n, 1)) < 0.02, -999.0, random.normal(size=(n, 1)))


def tasks() -> list[Task]:
    """The family."""

    def task(name: str, x: Columns, y: Columns) -> Task:
        return Task(f"independent-{name}", FAMILY, independent(x, y))

    def event(random: np.random.Generator, n: int) -> np.ndarray:
        return (random.uniform(size=(n, 1)) < 0.02).astype(np.int64)

    def normal(random: np.random.Generator, n: int) -> np.ndarray:
        return random.normal(size=(n, 2))

    return [
        task("classes-3-and-rounded", labels(3), rounded_normals(1)),
        task("rounded-both", rounded_normals(1), rounded_normals(1)),
        task("mostly-zero-and-coin", mostly_zero(0.6), labels(2)),
        task("mostly-zero-both", mostly_zero(0.5), mostly_zero(0.5)),
        task("rectified-4-and-classes-5", rectified, labels(5)),
        task("codes-12-bits", labels(2, 12), labels(2, 12)),
        task("codes-5-bits", labels(2, 5), labels(2, 5)),
        task("symbols-40", labels(40), labels(40)),
        task("poisson-and-2-columns", lambda random, n: random.poisson(3.0, size=(n, 1)), normal),
        task("rare-event-and-2-columns", event, normal),
        task("number-and-label", number_and_label, number_and_label),
        task("sentinels", with_sentinels, normal),
    ]
