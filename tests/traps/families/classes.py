"""Real columns and a label: classes that overlap, are rare, many, or differ in spread alone."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logsumexp

from tests.traps.laws.given import Given, normal_given
from tests.traps.laws.grids import legendre, normal_nodes
from tests.traps.laws.law import Law, monte_carlo, padded
from tests.traps.laws.shows import rotation
from tests.traps.task import Task

FAMILY = "classes"


def normal_classes(shares: np.ndarray, means: np.ndarray, deviations: np.ndarray) -> Law:
    """Y normal given the label X."""
    shares, means, deviations = (np.asarray(part, np.float64) for part in (shares, means, deviations))
    draw_y, log_given = normal_given(lambda x: means[x[:, 0].astype(int)], lambda x: deviations[x[:, 0].astype(int)])
    low, high = (means - 9 * deviations).min(), (means + 9 * deviations).max()
    y = legendre(np.linspace(low, high, 2 + int((high - low) / deviations.min())))
    return Given(
        lambda random, n: random.choice(len(shares), size=(n, 1), p=shares),
        draw_y,
        log_given,
        (np.arange(len(shares))[:, None], shares),
        y,
    ).law()


def exponential_classes(rates: list[float]) -> Law:
    """Y exponential given the label X, labels alike often: waiting times."""
    each = np.array(rates)
    edges = np.concatenate([[0.0], np.geomspace(1e-4, 40.0 / each.min(), 120)])
    return Given(
        lambda random, n: random.integers(len(each), size=(n, 1)),
        lambda random, x: random.exponential(size=x.shape) / each[x],
        lambda x, y: np.log(each[x]) - each[x] * y,
        (np.arange(len(each))[:, None], np.full(len(each), 1.0 / len(each))),
        legendre(edges),
    ).law()


def clouds_of_classes(classes: int, columns: int, apart: float, seed: int) -> Law:
    """Y a normal cloud of the label's own mean and covariance, in several columns."""
    random = np.random.default_rng(seed)
    means, roots = apart * random.normal(size=(classes, columns)), random.normal(size=(classes, columns, columns)) * 0.4
    roots += np.eye(columns)
    inverses, logs = np.linalg.inv(roots), np.linalg.slogdet(roots)[1]

    def draw(random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        x = random.integers(classes, size=(n, 1))
        noise = random.normal(size=(n, columns))
        return x, means[x[:, 0]] + np.einsum("nij,nj->ni", roots[x[:, 0]], noise)

    def density(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        each = [
            -0.5 * (((y - m) @ i.T) ** 2).sum(axis=1) - log for m, i, log in zip(means, inverses, logs, strict=True)
        ]
        all_of = np.stack(each, axis=1)
        own = np.take_along_axis(all_of, x, axis=1)[:, 0]
        return (own - logsumexp(all_of, axis=1)) / np.log(2.0) + np.log2(classes)

    return Law(draw, density, lambda: monte_carlo(draw, density))


def logistic_label(slope: float) -> Law:
    """X standard normal, Y a label 0 or 1 whose odds X tells."""
    nodes, masses = normal_nodes()

    def log_given(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return -np.logaddexp(0.0, np.where(y == 1, -slope, slope) * x)

    return Given(
        lambda random, n: random.normal(size=(n, 1)),
        lambda random, x: (random.uniform(size=x.shape) < expit(slope * x)).astype(np.int64),
        log_given,
        (nodes[:, None], masses),
        (np.arange(2), np.ones(2)),
    ).law()


def tasks() -> list[Task]:
    """The family."""
    many = np.arange(50)
    return [
        Task("classes-3-overlapping", FAMILY, normal_classes([0.3, 0.5, 0.2], [0.0, 1.5, 4.0], [1.0, 0.5, 2.0])),
        Task("classes-50-in-a-row", FAMILY, normal_classes(np.full(50, 0.02), many, np.full(50, 1.2))),
        Task("classes-2-of-different-spread", FAMILY, normal_classes([0.5, 0.5], [0.0, 0.0], [1.0, 5.0])),
        Task("classes-2-one-rare", FAMILY, normal_classes([0.97, 0.03], [0.0, 6.0], [1.0, 1.0])),
        Task("classes-4-waiting-times", FAMILY, exponential_classes([0.05, 0.3, 2.0, 20.0])),
        Task("classes-6-of-5-columns", FAMILY, clouds_of_classes(6, 5, 0.8, 41)),
        Task("classes-10-of-2-columns", FAMILY, clouds_of_classes(10, 2, 2.0, 43)),
        Task("label-by-one-of-20-columns", FAMILY, padded(logistic_label(4.0), 19), rotation(20, 45)),
        Task("label-by-one-column", FAMILY, logistic_label(1.5)),
    ]
