"""What every estimator from samples promises, `estimator(key, x, y) -> Estimate`, and how to write one of your own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from dataclasses import dataclass
from inspect import getattr_static
from typing import ClassVar, Literal, TypeAlias, get_args

import jax
import numpy as np
from numpy.typing import ArrayLike

from capacity.estimators.checks import Takes, checked
from capacity.estimators.sizes import check_sizes
from capacity.estimators.threads import threads_for
from capacity.results.estimate import Estimate
from capacity.runtime.contracts import check_instance
from capacity.runtime.deprecated import old_names
from capacity.runtime.keys import Seed, as_key

Change = Literal["shift", "scale", "rotation", "monotone", "relabelling"]

LogRatio: TypeAlias = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""log p(x, y) / (p(x) p(y)) in nats, shape (n,), of new pairs (n, dx) and (n, dy)."""

__getattr__ = old_names(__name__)


class Estimator(ABC):
    """Mutual information I(X;Y) in bits from n independent pairs.

    A subclass is a frozen dataclass whose fields are the method's parameters, with a docstring that says what it
    assumes and who it is from, by authors and year. It defines

    - `name` and `summary`, for the command line and the table of methods;
    - `information(key, x, y)`, the method itself, on arrays that are checked already;

    and, where the defaults do not fit, what the laws of the tests hold it to:

    - `takes`: "continuous" (real x and y), "discrete" (integers, booleans or strings: rows are symbols), "mixed" (one
      side real, the other discrete), or "any";
    - `min_pairs`: the fewest pairs that it works with;
    - `symmetric`: whether I(x;y) and I(y;x) come out the same for the same key, up to rounding;
    - `unchanged_by`: maps of x alone or y alone that leave the figure as it is, up to rounding: "shift" and "scale"
      (of every column on its own), "rotation" (an orthogonal matrix on one side), "monotone" (increasing, column by
      column), "relabelling" (of symbols).

    One line in `capacity/estimators/registry.py` enrols it; an installed package does so by an entry point of
    `infocapacity.estimators`. `capacity.estimate(..., method=Mine())` takes it as it is.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    takes: ClassVar[Takes] = "any"
    symmetric: ClassVar[bool] = False
    unchanged_by: ClassVar[frozenset[Change]] = frozenset()

    def __str__(self) -> str:
        return self.name

    @property
    def min_pairs(self) -> int:
        """The fewest pairs that the method works with."""
        return 2

    def __call__(self, key: Seed, x: ArrayLike, y: ArrayLike) -> Estimate:
        """Bits from x of shape (n, dx) or (n,) and y of shape (n, dy) or (n,).

        Args:
            key: a random key, or a whole number as a seed; the same one gives the same figure.
            x, y: real numbers, or symbols (integers, booleans, strings); row i of both from the same draw.

        Raises:
            ValueError: for anything that `checked` refuses, and what the method says of itself.
        """
        check_sizes(self)
        key, sides = as_key(key), checked(x, y, self.takes, self.min_pairs)
        with threads_for(*sides):
            return self.information(key, *sides)

    def of_independent_rows(self) -> Estimator:
        """The same, for a caller that sees to the order of the rows itself."""
        return self

    @abstractmethod
    def information(self, key: jax.Array, x: np.ndarray, y: np.ndarray) -> Estimate:
        """Bits from x (n, dx) and y (n, dy), as `checked` returns them: float64, or one int64 column of symbols.

        Args:
            key: for all random numbers that the method needs.
            x, y: at least `min_pairs` rows.

        Raises:
            ValueError: for data that the method cannot answer for.
        """


class RatioEstimator(Estimator):
    """An estimator that fits a log density ratio, which can be held against pairs that had no part in the fit."""

    @abstractmethod
    def fit(self, key: jax.Array, x: np.ndarray, y: np.ndarray) -> LogRatio:
        """The log density ratio fitted to x (n, dx) and y (n, dy).

        Args:
            key: for all random numbers that the method needs.
            x, y: the pairs.

        Raises:
            ValueError: for what `checked` refuses, and too few pairs.
        """

    def simulated(self, key: jax.Array, x: np.ndarray, y: np.ndarray, n: int) -> Simulated | None:
        """New pairs of the law fitted to x and y; None where it cannot be drawn from.

        The automatic choice believes a closed form only where the data show as much as such pairs do.

        Args:
            key: of the draw.
            x, y: the pairs (n, dx) and (n, dy) that the law is fitted to.
            n: how many to draw.
        """
        return None


@dataclass(frozen=True)
class Simulated:
    """Pairs of a fitted law, beside the data in the same coordinates.

    Attributes:
        method: what fits such pairs.
        x, y: pairs of the law.
        seen_x, seen_y: the data, whose columns may have other margins where the method looks at ranks alone.
    """

    method: RatioEstimator
    x: np.ndarray
    y: np.ndarray
    seen_x: np.ndarray
    seen_y: np.ndarray


def check_declarations(kind: type) -> None:
    """Refuse a class that takes what no data are, or says of unknown changes that they leave its figure.

    What a property tells is looked at when the estimator is used.

    Raises:
        TypeError: naming what is known.
    """
    takes, unchanged_by = getattr_static(kind, "takes", "any"), getattr_static(kind, "unchanged_by", ())
    _check_takes(kind, "any" if isinstance(takes, property) else takes)
    _check_changes(kind, () if isinstance(unchanged_by, property) else unchanged_by)


def check_estimator(method: Estimator) -> None:
    """Refuse what is no estimator, before it is used: a class, what lacks a member, unknown declarations.

    Raises:
        TypeError: saying what was expected.
    """
    check_instance(method, Estimator)
    _check_takes(type(method), method.takes)
    _check_changes(type(method), method.unchanged_by)


def _check_takes(kind: type, takes: object) -> None:
    if takes not in get_args(Takes):
        raise TypeError(f"Expected takes among {', '.join(get_args(Takes))}; got {takes!r} in {kind.__qualname__}.")


def _check_changes(kind: type, changes: Collection[str]) -> None:
    if isinstance(changes, str) or not set(changes) <= set(get_args(Change)):
        raise TypeError(
            f"Expected unchanged_by within {', '.join(get_args(Change))}; got {changes!r} in {kind.__qualname__}."
        )
