"""A p-value for independence: the data's statistic among those of pairings at random.

With B pairings drawn at random, p = (1 + #{statistic no smaller than the observed one})/(1 + B) (Phipson & Smyth 2010):
under independence P(p <= a) <= a for every a, whatever the statistic and however few the rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from capacity.estimators.by_name import by_name
from capacity.estimators.checks import checked, random_of
from capacity.estimators.estimator import Estimator
from capacity.estimators.order.memory import effective_rows
from capacity.estimators.testing.arrangements import Order, arrangements, check_order
from capacity.estimators.testing.descriptions import Description, describe
from capacity.estimators.testing.statistics import ROUNDING, PairingStatistics, combined
from capacity.estimators.testing.tables import exact_p_value
from capacity.runtime.keys import Seed, as_key
from capacity.runtime.memory import check_fits
from capacity.runtime.tables.sides import TableSide, pair_of
from capacity.runtime.threefry import parts_of
from capacity.runtime.whole import whole

MIN_ROWS = 5
MIN_EFFECTIVE_ROWS = 10  # of series: with fewer, the break of a shifted one shows
PERMUTATIONS, PERMUTATIONS_OF_ESTIMATOR = 999, 199
INDEX_BYTES = 8.0
MAX_EXACT_ROWS = 500  # above, permutations tell a p-value as well, and sooner


@dataclass(frozen=True)
class PermutationTest:
    """Whether two sides are independent.

    Attributes:
        p_value: from above 0 to 1; P(p_value <= a) <= a under independence.
        statistic: of the data: bits where an estimator was given, else the largest of the standardised statistics, or
            the information of the table in bits where the test is exact.
        permutations: how many other pairings it was held against; 0 where every table was counted.
        how: in words.
    """

    p_value: float
    statistic: float
    permutations: int
    how: str


def permutation_test(
    key: Seed,
    x: ArrayLike,
    y: ArrayLike,
    method: str | Estimator | None = None,
    permutations: int | None = None,
    order: Order | None = None,
    block: int | None = None,
) -> PermutationTest:
    """A p-value for the independence of two sides of any types; exact where rows are independent draws.

    Small tables of symbols are tested exactly, by all tables of the same margins.  Rows in time are held against shifts
    of y round the circle: good for stationary series that are long against their memory.  A trend makes any two series
    look dependent, here too: take differences first.

    Args:
        key: a key or a seed; decides the pairings, and what an estimator draws.
        x, y: shapes (n,) or (n, columns), row i of both from the same draw.
        method: None or "auto" for cheap statistics that find dependence of any shape; the name of an estimator, or an
            estimator, for its bits, at the price of one estimate for each pairing.
        permutations: B, how many other pairings; by default 999, or 199 for an estimator.  A p-value is at least
            1/(1 + B), and of series of n rows at least 1/n.
        order: "time" where rows follow each other in time; None where they are independent draws.
        block: with "time", rows of a block: blocks that are long against the memory are put in any order, which makes
            more pairings than shifts do.

    Raises:
        ValueError: for what `checked` refuses, fewer than five rows, series that are short against their memory, and an
            unknown method, order or block.
    """
    key = as_key(key)
    estimator = None if method is None or (isinstance(method, str) and method == "auto") else by_name(method)
    least = MIN_ROWS if estimator is None else max(MIN_ROWS, estimator.min_pairs)
    given_x, given_y, _ = pair_of(x, y)
    left, right = checked(given_x, given_y, "any" if estimator is None else estimator.takes, least)
    n = len(left)
    check_order(order, block, n)
    if order is not None and (worth := effective_rows(left, right)) < MIN_EFFECTIVE_ROWS:
        raise ValueError(
            f"Expected series that are long against their memory; got {n} rows that are worth {worth:.0f} independent "
            "ones. Longer series, or their differences from row to row, can be tested."
        )
    if permutations is None:
        permutations = PERMUTATIONS if estimator is None else PERMUTATIONS_OF_ESTIMATOR
    if whole(permutations, "permutations", None) < 1:
        raise ValueError(f"Expected at least one permutation; got {permutations}.")
    check_fits(INDEX_BYTES * float(n) * permutations, "a number of permutations", "Lower permutations.")
    key_pairings, key_method = parts_of(key, 2)
    others = arrangements(random_of(key_pairings), n, permutations, order, block)
    pairings = [np.arange(n), *others]
    kind = "random orders" if order is None else "shifts round the circle" if block is None else "orders of blocks"
    if estimator is not None:
        figures = np.array([float(estimator.information(key_method, left, right[o]).bits) for o in pairings])
        return ranked(figures, f"bits of {estimator.name} among {len(figures) - 1} {kind}", abs(figures[0]))
    sides = [_described(given, side) for given, side in ((given_x, left), (given_y, right))]
    if order is None and n <= MAX_EXACT_ROWS and (exact := _exact(*sides)) is not None:
        return exact
    statistics = PairingStatistics.of(random_of(key_method), *sides)
    figures = combined(np.stack([statistics(o) for o in pairings]))
    return ranked(figures, f"the largest of several statistics among {len(figures) - 1} {kind}")


def ranked(figures: np.ndarray, how: str, scale: float = 1.0) -> PermutationTest:
    """The rank of the first figure among all."""
    as_large = int((figures >= figures[0] - ROUNDING * scale).sum())
    return PermutationTest(as_large / len(figures), float(figures[0]), len(figures) - 1, how)


def _described(given: TableSide, side: np.ndarray) -> Description:
    """A side by its columns, and by its symbols where it is one of symbols."""
    if side.dtype.kind == "f":
        return describe(side, None)
    columns = given.values
    ordered = columns.dtype.kind in "iub"
    return describe(columns.astype(float) if ordered else np.empty((len(columns), 0)), side[:, 0])


def _exact(x: Description, y: Description) -> PermutationTest | None:
    """By every table of the same margins, where both sides are symbols and there are not too many."""
    if not (x.symbols and y.symbols) or x.labels is None or y.labels is None:
        return None
    table = np.zeros((int(x.labels.max()) + 1, int(y.labels.max()) + 1), np.int64)
    np.add.at(table, (x.labels, y.labels), 1)
    p_value = exact_p_value(table)
    if p_value is None:
        return None
    share, expected = table / table.sum(), table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum() ** 2
    bits = float((share[table > 0] * np.log2(share[table > 0] / expected[table > 0])).sum())
    return PermutationTest(p_value, bits, 0, "every table of these margins")
