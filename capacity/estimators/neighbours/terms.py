"""What estimators from nearest neighbours share: a number of neighbours, and local terms whose mean is the figure."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from capacity.estimators.estimator import Estimator


@dataclass(frozen=True)
class NeighbourEstimator(Estimator):
    """An estimator from the k nearest neighbours of each point.

    Attributes:
        k: how many neighbours: few for little bias, many for little spread.
    """

    k: int = 5

    @property
    def min_pairs(self) -> int:
        """Two more than the neighbours."""
        return self.k + 2

    @abstractmethod
    def terms(self, x: np.ndarray, y: np.ndarray, ks: Sequence[int] | None = None) -> np.ndarray:
        """Local terms in nats, whose mean is the information, for each k: shape (len(ks), n).

        Args:
            x, y: shapes (n, dx) and (n, dy), used as they are.
            ks: how many neighbours; the estimator's own number by default.
        """
