"""One informative column, or two, among 10, 50 or 200 that say nothing."""

from __future__ import annotations

import numpy as np

from tests.traps.families.classes import logistic_label, normal_classes
from tests.traps.families.curves import function_of_normal
from tests.traps.families.xor import product
from tests.traps.laws.law import Law, padded
from tests.traps.laws.normal import normal
from tests.traps.laws.shows import shuffled
from tests.traps.task import Task

FAMILY = "needles"


def hidden(name: str, law: Law, informative: int, columns: int, seed: int) -> Task:
    """The law's x among so many columns, in an order that tells nothing."""
    wide = padded(law, columns - informative)
    return Task(f"{name}-among-{columns}", FAMILY, wide, shuffled(columns, seed))


def tasks() -> list[Task]:
    """The family."""
    square = function_of_normal(lambda x: x**2, 0.3, 0.0, 73.0)
    wave = function_of_normal(lambda x: np.sin(3 * x), 0.2, -1.0, 1.0)
    groups = padded(normal_classes([0.25] * 4, [0.0, 2.0, 4.0, 6.0], [0.7] * 4), 0, 99)
    return [
        hidden("correlation-.9", normal(0.9), 1, 10, 141),
        hidden("correlation-.9", normal(0.9), 1, 50, 143),
        hidden("correlation-.9", normal(0.9), 1, 200, 145),
        hidden("two-correlations", normal([0.8, 0.8]), 2, 100, 147),
        hidden("square", square, 1, 50, 149),
        hidden("wave", wave, 1, 20, 151),
        hidden("product", product(0.3), 2, 10, 153),
        hidden("logistic", logistic_label(3.0), 1, 50, 155),
        Task("classes-4-by-one-of-100", FAMILY, groups, None, shuffled(100, 157)),
    ]
