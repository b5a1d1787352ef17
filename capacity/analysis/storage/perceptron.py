"""Perceptron with real weights: can random labels of random points be had by any weights at all?

w exists with y_i (w . x_i) > 0 for all i iff the linear program  max s : y_i (w . x_i) >= s, |w_j| <= 1, s <= 1  has a
positive optimum.  The chance is known in closed form (`capacity.theory.training.separable`, Cover 1965), 1/2 at two
patterns a weight for every number of inputs: the capacity is 2.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

MARGIN = 1e-7  # HiGHS keeps its constraints to 1e-7: a smaller margin could be its own tolerance


def is_separable(points: NDArray[np.floating], labels: NDArray[np.integer]) -> bool:
    """Whether weights exist that give every point its label, by linear programming (HiGHS, dual simplex).

    The dual asks for a convex combination of the signed points that is zero; whichever is found proves its side.

    Args:
        points: (patterns, inputs).
        labels: (patterns,) of +-1.

    Raises:
        ValueError: for labels that are not +-1, or shapes that do not agree.
        RuntimeError: if the solver gives up.
    """
    points, labels = np.asarray(points, np.float64), np.asarray(labels)
    if points.ndim != 2 or labels.shape != points.shape[:1] or not np.isin(labels, (-1, 1)).all():
        raise ValueError(f"Expected points (n, d) and labels +-1 (n,); got shapes {points.shape} and {labels.shape}.")
    signed = points * labels[:, None]
    inputs = points.shape[1]
    cost = np.append(np.zeros(inputs), -1.0)
    found = linprog(
        cost,
        A_ub=np.column_stack([-signed, np.ones(len(signed))]),
        b_ub=np.zeros(len(signed)),
        bounds=[(-1, 1)] * inputs + [(None, 1)],
        method="highs-ds",
    )
    if not found.success:
        raise RuntimeError(f"Expected the linear program to be solved; got {found.message}")
    return bool(-found.fun > MARGIN)


def separable_counts(rng: np.random.Generator, inputs: int, patterns: int, trials: int) -> int:
    """In how many of so many trials random labels of standard normal points can be had.

    Args:
        rng: decides points and labels.
        inputs, patterns, trials: at least 1 each.
    """
    found = 0
    for _ in range(trials):
        points = rng.standard_normal((patterns, inputs))
        found += is_separable(points, rng.choice([-1, 1], patterns))
    return found


def longest_separable(rng: np.random.Generator, inputs: int) -> int:
    """How many patterns come one after another before no weights have all of them right.

    Its mean is 2 inputs exactly (summing Cover's chances).  Found by halving: more patterns are never easier.

    Args:
        rng: decides points and labels.
        inputs: at least 1.
    """
    some, points = inputs, rng.standard_normal((8 * inputs, inputs))
    labels = rng.choice([-1, 1], 8 * inputs)
    while is_separable(points, labels):
        points = np.concatenate([points, rng.standard_normal(points.shape)])
        labels = np.concatenate([labels, rng.choice([-1, 1], labels.size)])
    many = len(points)
    while many - some > 1:  # as many as there are inputs always fit
        middle = (some + many) // 2
        if is_separable(points[:middle], labels[:middle]):
            some = middle
        else:
            many = middle
    return some
