"""Wide data: each side's leading principal components, then a model of those alone.

Components of x are a function of x, so that they share with y no more than x does (data processing): what a method
says of them is about a lower bound on I(X;Y), and close to it where what is related has a share of the variance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import ClassVar

import jax
import numpy as np
from scipy.sparse.linalg import svds

from capacity.estimators.checks import Takes, checked
from capacity.estimators.estimator import Change, LogRatio, RatioEstimator, Simulated
from capacity.estimators.neighbours.ksg import robust_deviation
from capacity.estimators.parametric.gaussian_copula import GaussianCopula
from capacity.results.estimate import Estimate

WHOLE = 1 - 1e-9  # of the variance: what is left out is rounding


@dataclass(frozen=True)
class Projected(RatioEstimator):
    """A model of principal components.

    Attributes:
        inner: the model.
        components: how many of each side; a side of no more columns is taken as it is.

    Raises:
        ValueError: for what `checked` or the inner model refuses.
    """

    inner: RatioEstimator = field(default_factory=GaussianCopula)
    components: int = 8

    name: ClassVar[str] = "projected"
    summary: ClassVar[str] = "principal components of each side, then a model of those; for many columns"
    takes: ClassVar[Takes] = "continuous"
    unchanged_by: ClassVar[frozenset[Change]] = frozenset({"shift", "scale"})

    def __post_init__(self) -> None:
        if self.components < 1:
            raise ValueError(f"Expected components of at least 1; got {self.components}.")

    def __str__(self) -> str:
        return f"{self.inner} of {self.components} components"

    @property
    def min_pairs(self) -> int:
        """The fewest pairs that the inner model works with."""
        return self.inner.min_pairs

    def information(self, key: jax.Array, x: np.ndarray, y: np.ndarray) -> Estimate:
        """Bits of the components of x (n, dx) and y (n, dy): a lower bound where they are not all that varies."""
        (to_x, share_x), (to_y, share_y) = (leading_components(side, self.components) for side in (x, y))
        found = self.inner(key, to_x(x), to_y(y))
        return replace(found, kind="lower") if min(share_x, share_y) < WHOLE else found

    def fit(self, key: jax.Array, x: np.ndarray, y: np.ndarray) -> LogRatio:
        """The inner model's log density ratio of the components of x (n, dx) and y (n, dy).

        Raises:
            ValueError: for what `checked` or the inner model refuses.
        """
        x, y = checked(x, y, self.takes, self.min_pairs)
        to_x, to_y = (leading_components(side, self.components)[0] for side in (x, y))
        ratio = self.inner.fit(key, to_x(x), to_y(y))
        return lambda new_x, new_y: ratio(to_x(new_x), to_y(new_y))

    def simulated(self, key: jax.Array, x: np.ndarray, y: np.ndarray, n: int) -> Simulated | None:
        """Components of the inner model's law, and the inner model; as in `RatioEstimator`.

        Args:
            key: of the draw.
            x, y: the pairs that the law is fitted to.
            n: how many to draw.
        """
        to_x, to_y = (leading_components(side, self.components)[0] for side in (x, y))
        return self.inner.simulated(key, to_x(x), to_y(y), n)  # which names the inner model


def leading_components(rows: np.ndarray, count: int) -> tuple[Callable[[np.ndarray], np.ndarray], float]:
    """The map of new rows to the leading principal components of standardised columns, and their share of the variance.

    Args:
        rows: shape (n, d).
        count: how many; all columns as they are where there are no more.
    """
    if rows.shape[1] <= count or len(rows) <= count:
        return lambda new: new, 1.0
    centre, width = np.median(rows, axis=0), robust_deviation(rows)
    scaled = (rows - centre) / width
    mean = scaled.mean(axis=0)
    scaled = scaled - mean
    start = np.ones(min(scaled.shape))
    _, lengths, axes = svds(scaled, k=min(count, min(scaled.shape) - 1), v0=start)
    kept = lengths > 1e-9 * lengths.max()
    turn = axes[kept][::-1].T
    share = float((lengths**2).sum() / (scaled**2).sum())
    return lambda new: ((new - centre) / width - mean) @ turn, share
