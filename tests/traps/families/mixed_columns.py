"""Sides whose columns are of several kinds: a number and a label, a count and a number, rounded beside real."""

from __future__ import annotations

import numpy as np

from tests.traps.families.classes import logistic_label
from tests.traps.families.clipping import seen
from tests.traps.families.counts import shared_part
from tests.traps.laws.coarse import as_is, coarse, rounded
from tests.traps.laws.given import Given, normal_given
from tests.traps.laws.grids import legendre, normal_nodes
from tests.traps.laws.law import Law, beside, padded
from tests.traps.laws.listed import listed
from tests.traps.laws.normal import normal
from tests.traps.task import Task

FAMILY = "mixed_columns"


def slope_by_label(slopes: list[float], noise: float) -> Law:
    """X a standard normal number and a label, Y the number times the label's slope, with noise."""
    each = np.array(slopes)
    draw_y, log_given = normal_given(lambda x: each[x[:, 1].astype(int)] * x[:, 0], lambda x: np.full(len(x), noise))
    nodes, masses = normal_nodes(500)
    all_x = np.column_stack([np.tile(nodes, len(each)), np.repeat(np.arange(len(each)), len(nodes))])
    reach = 8.6 * np.hypot(np.abs(each).max(), noise) + 3 * noise

    def draw_x(random: np.random.Generator, n: int) -> np.ndarray:
        return np.column_stack([random.normal(size=n), random.integers(len(each), size=n)])

    y = legendre(np.linspace(-reach, reach, 150), 12)
    return Given(draw_x, draw_y, log_given, (all_x, np.tile(masses, len(each)) / len(each)), y).law()


def tasks() -> list[Task]:
    """The family."""
    table = np.random.default_rng(111).dirichlet(np.full(16, 0.3)).reshape(4, 4)
    tenth, plain = rounded(0.1), as_is()
    rough = beside(coarse(0.7, tenth, tenth), normal([0.8, 0.5]))
    show = seen(tenth, plain, plain)
    return [
        Task("slope-by-label", FAMILY, slope_by_label([-1.0, 0.0, 2.0], 0.3)),
        Task("number-and-label-both-sides", FAMILY, beside(normal(0.8), listed(table))),
        Task("rounded-beside-real", FAMILY, rough, show, show),
        Task("count-beside-number", FAMILY, beside(shared_part(1.0, 2.0, 60), normal(0.6))),
        Task("logistic-label-beside-number", FAMILY, padded(beside(logistic_label(2.0), normal(0.7)), 2)),
        Task(
            "coin-beside-4-numbers", FAMILY, beside(listed(np.array([[0.45, 0.05], [0.05, 0.45]])), normal([0.6] * 4))
        ),
    ]
