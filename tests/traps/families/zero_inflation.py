"""Columns that are zero in many rows: together, apart, by label, in counts and in several columns."""

from __future__ import annotations

import numpy as np
from scipy import special

from tests.traps.laws.erased import apart, erased, together
from tests.traps.laws.given import Given
from tests.traps.laws.grids import legendre, normal_nodes
from tests.traps.laws.law import Law, beside
from tests.traps.laws.normal import normal
from tests.traps.task import Task

FAMILY = "zero_inflation"


def sizes_or_zero(latent: np.ndarray) -> np.ndarray:
    """What is gone is 0, the rest lognormal."""
    return np.where(np.isnan(latent), 0.0, np.exp(latent))


def zeros_by_label(zero: list[float], shift: float) -> Law:
    """X a label; Y is 0 at the label's chance, else a lognormal size that the label moves by `shift`."""
    chances = np.array(zero)
    log_sizes, weights = legendre(np.linspace(-9.0, 9.0 + shift * len(zero), 120))

    def draw_y(random: np.random.Generator, x: np.ndarray) -> np.ndarray:
        size = np.exp(shift * x + random.normal(size=x.shape))
        return np.where(random.uniform(size=x.shape) < chances[x], 0.0, size)

    def log_given(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        log = np.log(np.where(y > 0, y, 1.0))
        size = np.log1p(-chances[x]) - 0.5 * (log - shift * x) ** 2 - 0.5 * np.log(2 * np.pi) - log
        return np.where(y > 0, size, np.log(chances[x]))

    nodes_y = np.append(np.exp(log_sizes), 0.0), np.append(weights * np.exp(log_sizes), 1.0)
    shares = np.full(len(zero), 1.0 / len(zero))
    each = np.arange(len(zero))[:, None]
    return Given(
        lambda random, n: random.integers(len(zero), size=(n, 1)), draw_y, log_given, (each, shares), nodes_y
    ).law()


def inflated_poisson(zero: float, base: float, slope: float, most: int) -> Law:
    """X standard normal; Y is 0 at a fixed chance, else a Poisson count of mean base * exp(slope X)."""
    nodes, masses = normal_nodes()

    def draw_y(random: np.random.Generator, x: np.ndarray) -> np.ndarray:
        return np.where(random.uniform(size=x.shape) < zero, 0, random.poisson(base * np.exp(slope * x)))

    def log_given(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        log_mean = np.log(base) + slope * x
        count = np.log1p(-zero) + y * log_mean - np.exp(log_mean) - special.gammaln(y + 1.0)
        return np.where(y > 0, count, np.logaddexp(np.log(zero), count))

    counts = np.arange(most), np.ones(most)
    return Given(
        lambda random, n: random.normal(size=(n, 1)), draw_y, log_given, (nodes[:, None], masses), counts
    ).law()


def tasks() -> list[Task]:
    """The family."""
    show = sizes_or_zero
    columns = beside(erased(normal(0.8), together(0.4)), erased(normal(0.5), apart(0.3, 0.3)), normal(0.6))
    some = np.array([[0.45, 0.1], [0.1, 0.35]])
    return [
        Task("zero-together", FAMILY, erased(normal(0.6), together(0.4)), show, show),
        Task("zero-apart", FAMILY, erased(normal(0.9), apart(0.5, 0.5)), show, show),
        Task("zero-often-together", FAMILY, erased(normal(0.8), some), show, show),
        Task("zero-in-one-side", FAMILY, erased(normal(0.8), apart(0.7, 0.0)), show),
        Task("zero-by-label", FAMILY, zeros_by_label([0.2, 0.7], 1.0)),
        Task("zero-by-label-3", FAMILY, zeros_by_label([0.1, 0.5, 0.9], 0.0)),
        Task("zero-inflated-poisson", FAMILY, inflated_poisson(0.3, 5.0, 0.7, 1200)),
        Task("zero-in-3-columns", FAMILY, columns, show, show),
    ]
