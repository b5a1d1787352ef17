"""I(X;Y|W) of any types in one call."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, TypeAlias

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
from capacity.runtime.threefry import parts_of

ConditionalMethod: TypeAlias = Literal["auto", "neighbours", "counts"]

NEIGHBOURS = 5
CLOSE_DIMENSIONS = 3  # up to which neighbours are near enough to be asked alone
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
            symbols, and takes neighbours else.  In more than three columns of real numbers, where neighbours lie wide
            apart and say too little, partial correlations by rank are asked too, and the interval holds what both
            say; in more than eight they are taken alone.

    Raises:
        ValueError: for data that `checked` or the method refuses, and an unknown method.

    Examples:
        >>> import numpy as np
        >>> x, w = np.random.default_rng(0).integers(0, 2, (2, 1000))
        >>> found = conditional_information(0, x, x ^ w, w)  # independent in pairs, one bit together
        >>> bool(found.low <= 1.0 <= found.high)
        True
    """
    key_spread, key_method = parts_of(as_key(key), 2)
    sides = check_three(x, y, given)
    symbols = [side.dtype.kind == "i" for side in sides]
    if isinstance(method, str) and method == "auto":
        columns = 0 if any(symbols) else sum(side.shape[1] for side in sides)
        if all(symbols):
            method = "counts"
        elif columns <= CLOSE_DIMENSIONS:
            method = "neighbours"
        elif columns > NEIGHBOUR_DIMENSIONS:
            method = GaussianCopula()
    if isinstance(method, str) and method == "counts":
        if not all(symbols):
            raise ValueError(
                'Expected symbols on all sides for counts; got real numbers. method="neighbours" takes any.'
            )
        return from_counts(key_method, *sides)
    random = random_of(key_spread)
    spread = [side if side.dtype.kind == "i" else spread_within_steps(random, side)[0] for side in sides]
    if isinstance(method, str) and method in ("neighbours", "auto"):
        found = from_neighbours(key_method, spread[0], spread[1], spread[2], NEIGHBOURS)
        if method == "neighbours":
            return found
        return _holding_both(found, from_difference(key_method, spread[0], spread[1], spread[2], GaussianCopula()))
    return from_difference(key_method, spread[0], spread[1], spread[2], by_name(method))


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


def _holding_both(neighbours: Estimate, model: Estimate) -> Estimate:
    """Neighbours' figure, or the model's where it is above their interval, with an interval that holds both figures."""
    taken = model if model.bits > neighbours.high else neighbours
    low = min(neighbours.low, model.low) if taken is model else min(neighbours.low, model.bits)
    high = max(neighbours.high, model.high if model.bits > neighbours.bits else model.bits)
    return replace(taken, low=low, high=high, limit=max(neighbours.limit, high))
