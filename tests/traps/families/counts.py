"""Counts of events: Poisson, binomial and negative binomial, against numbers and against other counts."""

from __future__ import annotations

import numpy as np
from scipy import special, stats

from tests.traps.laws.given import Given
from tests.traps.laws.grids import normal_nodes
from tests.traps.laws.law import Law, beside
from tests.traps.laws.listed import listed
from tests.traps.task import Task

FAMILY = "counts"


def poisson_of_number(base: float, slope: float, most: int) -> Law:
    """X standard normal, Y a count of mean base * exp(slope X)."""
    nodes, masses = normal_nodes()

    def log_given(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        log_mean = np.log(base) + slope * x
        return y * log_mean - np.exp(log_mean) - special.gammaln(y + 1.0)

    return Given(
        lambda random, n: random.normal(size=(n, 1)),
        lambda random, x: random.poisson(base * np.exp(slope * x)),
        log_given,
        (nodes[:, None], masses),
        (np.arange(most), np.ones(most)),
    ).law()


def binomial_of_number(trials: int, slope: float) -> Law:
    """X standard normal, Y how often of so many trials, at the odds exp(slope X)."""
    nodes, masses = normal_nodes()
    counts = np.arange(trials + 1)
    ways = special.gammaln(trials + 1.0) - special.gammaln(counts + 1.0) - special.gammaln(trials - counts + 1.0)

    def log_given(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        heads = -np.logaddexp(0.0, -slope * x)
        return ways[y] + y * heads + (trials - y) * (heads - slope * x)

    return Given(
        lambda random, n: random.normal(size=(n, 1)),
        lambda random, x: random.binomial(trials, special.expit(slope * x)),
        log_given,
        (nodes[:, None], masses),
        (counts, np.ones(len(counts))),
    ).law()


def shared_rate(shape: float, mean: float, most: int) -> Law:
    """Two Poisson counts of one gamma rate: a negative multinomial."""
    a, b = np.meshgrid(np.arange(most), np.arange(most), indexing="ij")
    chance = mean / (shape + 2.0 * mean)
    log = special.gammaln(shape + a + b) - special.gammaln(shape) - special.gammaln(a + 1.0) - special.gammaln(b + 1.0)
    log += (a + b) * np.log(chance) + shape * np.log1p(-2.0 * chance)
    masses = np.exp(log)
    return listed(masses / masses.sum())


def shared_part(own: float, shared: float, most: int) -> Law:
    """Two Poisson counts with one part in common."""
    each, common = stats.poisson(own).pmf(np.arange(most)), stats.poisson(shared).pmf(np.arange(most))
    masses = np.zeros((most, most))
    for k in range(most):
        masses[k:, k:] += common[k] * each[: most - k, None] * each[None, : most - k]
    return listed(masses / masses.sum())


def of_real(side: np.ndarray) -> np.ndarray:
    """Whole numbers stored as real ones."""
    return side.astype(np.float64)


def tasks() -> list[Task]:
    """The family."""
    return [
        Task("poisson-few-of-number", FAMILY, poisson_of_number(0.5, 1.0, 800), None, of_real),
        Task("poisson-many-of-number", FAMILY, poisson_of_number(20.0, 0.5, 1600)),
        Task("binomial-20-of-number", FAMILY, binomial_of_number(20, 1.5), None, of_real),
        Task("poisson-of-one-rate", FAMILY, shared_rate(1.0, 4.0, 300)),
        Task("poisson-shared-part", FAMILY, shared_part(1.0, 3.0, 60), of_real, of_real),
        Task(
            "counts-3-columns",
            FAMILY,
            beside(shared_rate(2.0, 3.0, 200), *[shared_part(2.0, 2.0, 60)] * 2),
            of_real,
            of_real,
        ),
    ]
