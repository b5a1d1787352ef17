"""Noise whose strength X tells, with a mean that says more, less or nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import expit

from tests.traps.laws.given import Given, normal_given
from tests.traps.laws.grids import normal_nodes
from tests.traps.laws.law import Law, beside, padded
from tests.traps.laws.shows import rotation
from tests.traps.task import Task

FAMILY = "heteroscedastic"
Curve = Callable[[np.ndarray], np.ndarray]


def noise_by_x(mean: Curve, std: Curve) -> Law:
    """X standard normal, Y normal with this mean and deviation."""
    draw_y, log_given = normal_given(lambda x: mean(x[:, 0]), lambda x: std(x[:, 0]))
    nodes, masses = normal_nodes(1500)
    least, reach = std(nodes).min(), np.abs(mean(nodes)) + 9 * std(nodes)
    # Fine where the noise is least, and in equal ratios far out, where it is not: y = least sinh(t).
    t = np.linspace(-1.0, 1.0, 6001) * np.arcsinh(reach.max() / least)
    y, weights = least * np.sinh(t), least * np.cosh(t) * (t[1] - t[0])
    return Given(
        lambda random, n: random.normal(size=(n, 1)), draw_y, log_given, (nodes[:, None], masses), (y, weights)
    ).law()


def nothing(x: np.ndarray) -> np.ndarray:
    """No mean."""
    return 0.0 * x


def tasks() -> list[Task]:
    """The family."""
    grows = noise_by_x(nothing, lambda x: 0.2 + np.abs(x))
    gated = noise_by_x(lambda x: x, lambda x: 0.1 + 0.9 * expit(4 * x))
    wave = noise_by_x(nothing, lambda x: np.exp(1.5 * np.sin(2 * x)))
    return [
        Task("noise-grows-both-ways", FAMILY, grows),
        Task("noise-gated-by-x", FAMILY, gated),
        Task("noise-in-waves", FAMILY, wave),
        Task("noise-exponential", FAMILY, noise_by_x(lambda x: 0.5 * x, lambda x: np.exp(x))),
        Task("noise-by-x-3-turned", FAMILY, beside(grows, gated, wave), rotation(3, 71), rotation(3, 73)),
        Task("noise-by-one-of-5", FAMILY, padded(grows, 4, 2), rotation(5, 75)),
    ]
