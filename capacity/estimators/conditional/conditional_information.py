"""I(X;Y|W) of any types in one call."""

from __future__ import annotations

from typing import Literal, TypeAlias

import jax
import numpy as np
from numpy.typing import ArrayLike

from capacity.estimators.by_name import by_name
from capacity.estimators.checks import checked, random_of
from capacity.estimators.conditional.chain_rule import from_difference
from capacity.estimators.conditional.counts import from_counts
from capacity.estimators.conditional.neighbours import from_neighbours
from capacity.estimators.estimator import Estimator
from capacity.estimators.parametric.gaussian_copula import GaussianCopula
from capacity.estimators.rounding import spread_within_steps
from capacity.results.estimate import Estimate
from capacity.runtime.keys import Seed, as_key

ConditionalMethod: TypeAlias = Literal["auto", "neighbours", "counts"]

NEIGHBOURS = 5
NEIGHBOUR_DIMENSIONS = 8  # of all sides together: beyond, nearest neighbours lie too wide apart


def conditional_information(
    key: Seed, x: ArrayLike, y: ArrayLike, given: ArrayLike, method: ConditionalMethod | str | Estimator = "auto"
) -> Estimate:
    """Conditional information I(X;Y|W) in bits: what x and y share beyond what `given` tells, with a 95 % interval.

    Args:
        key: a key or a seed; decides every random number.
        x, y, given: shapes (n,) or (n, columns), row i of all from the same draw; real numbers are continuous,
            integers, booleans and strings symbols, in any mixture.
        method: "neighbours" takes any types; "counts" symbols; the name of an estimator, or an estimator, is applied
            twice by the chain rule I(X;(Y,W)) - I(X;W), such as "gaussian" for partial correlations.  "auto" counts
            symbols, and takes neighbours else; in more than eight columns of real numbers on every side, where
            neighbours lie too wide apart, partial correlations by rank.

    Raises:
        ValueError: for data that `checked` or the method refuses, and an unknown method.

    Examples:
        >>> import numpy as np
        >>> x, w = np.random.default_rng(0).integers(0, 2, (2, 1000))
        >>> found = conditional_information(0, x, x ^ w, w)  # independent in pairs, one bit together
        >>> bool(found.low <= 1.0 <= found.high)
        True
    """
    key_spread, key = jax.random.split(as_key(key))
    sides = check_three(x, y, given)
    symbols = [side.dtype.kind == "i" for side in sides]
    if isinstance(method, str) and method == "auto":
        wide = sum(side.shape[1] for side in sides) > NEIGHBOUR_DIMENSIONS and not any(symbols)
        method = GaussianCopula() if wide else "counts" if all(symbols) else "neighbours"
    if isinstance(method, str) and method == "counts":
        if not all(symbols):
            raise ValueError(
                'Expected symbols on all sides for counts; got real numbers. method="neighbours" takes any.'
            )
        return from_counts(key, *sides)
    random = random_of(key_spread)
    spread = [side if side.dtype.kind == "i" else spread_within_steps(random, side)[0] for side in sides]
    if isinstance(method, str) and method == "neighbours":
        return from_neighbours(key, spread[0], spread[1], spread[2], NEIGHBOURS)
    return from_difference(key, *(np.asarray(side) for side in spread), estimator=by_name(method))


def check_three(x: ArrayLike, y: ArrayLike, given: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All sides as `checked` returns them: float64 (n, d), or one int64 column of symbols.

    Raises:
        ValueError: for what `checked` refuses, naming the side.
    """
    left, right = checked(x, y, "any", NEIGHBOURS + 2)
    try:
        return left, right, checked(x, given, "any")[1]
    except ValueError as error:
        raise ValueError(f"With given in the place of y: {error}") from error
