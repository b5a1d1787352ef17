"""Two arrays, how many bits: `estimate`, by one method."""

from __future__ import annotations

from dataclasses import replace

from capacity.estimators.by_name import by_name
from capacity.estimators.estimator import Estimator
from capacity.results.estimate import Estimate
from capacity.runtime.keys import Seed, as_key
from capacity.runtime.tables.foreign import Tabular
from capacity.runtime.tables.sides import Missing, pair_of


def estimate(
    key: Seed,
    x: Tabular,
    y: Tabular,
    method: str | Estimator = "auto",
    *,
    missing: Missing = "refuse",
) -> Estimate:
    """Mutual information I(X;Y) in bits from n independent pairs, with a 95 % interval.

    Args:
        key: a key or a seed; decides every random number: the same one gives the same figure.
        x: shape (n,) or (n, columns); real numbers are a continuous variable, integers, booleans and strings symbols.
            NumPy arrays (masked ones too), data frames and series of pandas and polars, sparse matrices, tensors.
        y: the same number of rows, row i from the same draw as row i of x.
        method: a name in `capacity.estimators.ESTIMATORS`, or any estimator.  "auto" looks at the data, holds several
            methods against each other on held-out pairs, and chooses; `choose` tells why.
        missing: "refuse" rows with missing values (NaN, None, masked, NA), or "drop" them: `dropped` of the result
            says how many.

    Raises:
        ValueError: for an unknown method, and for data that the method refuses; the message says what was expected.
    """
    estimator, key = by_name(method), as_key(key)
    first, second, dropped = pair_of(x, y, missing)
    return replace(estimator(key, first, second), dropped=dropped)
