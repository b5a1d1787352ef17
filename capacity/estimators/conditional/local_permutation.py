"""A p-value for conditional independence: x is permuted among rows that are alike in w (Runge 2018).

Among rows of the same symbols w every order of x is as likely as any other where X and Y are independent given W, and
the test is exact.  Real w are never equal; rows are cut into groups of a few that lie close together, by halving along
random directions, other groups for every permutation.  What x and y still tell of w within a group is the error.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from capacity.estimators.checks import random_of
from capacity.estimators.conditional.conditional_information import NEIGHBOURS, check_three
from capacity.estimators.conditional.counts import counted_nats, permuted_within
from capacity.estimators.conditional.neighbours import local_terms, on_one_scale
from capacity.estimators.rounding import spread_within_steps
from capacity.estimators.testing.permutation import PermutationTest, ranked
from capacity.results.estimate import NATS_PER_BIT
from capacity.runtime.keys import Seed, as_key
from capacity.runtime.threefry import parts_of

GROUP = 6  # rows, at most, among which x is permuted


def conditional_permutation_test(
    key: Seed, x: ArrayLike, y: ArrayLike, given: ArrayLike, permutations: int = 199
) -> PermutationTest:
    """A p-value for I(X;Y|W) = 0, from the bits by neighbours or, of symbols, by counts.

    Args:
        key: a key or a seed; decides the permutations.
        x, y, given: as in `conditional_information`.
        permutations: how many.

    Raises:
        ValueError: for data that `checked` refuses, and less than one permutation.
    """
    if permutations < 1:
        raise ValueError(f"Expected at least one permutation; got {permutations}.")
    key_spread, key_order = parts_of(as_key(key), 2)
    left, right, third = check_three(x, y, given)
    random = random_of(key_order)
    if all(side.dtype.kind == "i" for side in (left, right, third)):
        columns = [side[:, 0] for side in (left, right, third)]
        orders = [permuted_within(random, np.arange(len(left)), columns[2]) for _ in range(permutations)]
        values = [counted_nats(columns[0][o], *columns[1:]) for o in (np.arange(len(left)), *orders)]
    else:
        draw = random_of(key_spread)
        sides = [s if s.dtype.kind == "i" else spread_within_steps(draw, s)[0] for s in (left, right, third)]
        scaled, gap = on_one_scale(*sides)
        groups = (alike_in(random, third) for _ in range(permutations))
        orders = [permuted_within(random, np.arange(len(left)), group) for group in groups]
        values = [
            float(local_terms(scaled[0][o], scaled[1], scaled[2], gap, [NEIGHBOURS]).mean())
            for o in (np.arange(len(left)), *orders)
        ]
    found = ranked(np.array(values), f"bits among {permutations} orders of x within like rows of the third side")
    return replace(found, statistic=found.statistic / NATS_PER_BIT)


def alike_in(random: np.random.Generator, w: np.ndarray) -> np.ndarray:
    """Numbers, shape (n,), of groups of rows that lie close together in w, or have the same symbol.

    Args:
        random: of the directions along which groups are halved.
        w: real numbers, float64 of shape (n, d), or symbols, int64 of shape (n, 1).
    """
    if w.dtype.kind == "i":
        return w[:, 0]
    n, scaled, group = len(w), w / w.std(axis=0), np.zeros(len(w), np.int64)
    while (sizes := np.bincount(group)).max() > GROUP:
        along = scaled @ random.normal(size=w.shape[1])
        order = np.lexsort((random.uniform(size=n), along, group))
        place = np.arange(n) - np.concatenate([[0], np.cumsum(sizes)])[group[order]]
        cut = sizes[group[order]] / 2 + random.uniform(-0.25, 0.25) * (sizes[group[order]] > 2 * GROUP)
        halved = np.empty(n, np.int64)
        halved[order] = 2 * group[order] + (place >= cut)
        group = np.unique(halved, return_inverse=True)[1]
    return group
