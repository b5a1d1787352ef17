"""Statistics of dependence that are cheap to compute again for another pairing, for data of any type.

Their pieces, of sides as `describe` gives them:

- For every two columns, the squared correlations of cosines of their ranks, weighted as 1/(j^2 l^2): the leading terms
  of the distance of the joint distribution function from the product (Blum, Kiefer & Rosenblatt 1961).  Symbols
  enter by indicators of equal weight, which gives the chi-squared of a table.
- The same without weights, for dependence that is less smooth.
- Whether neighbours in x are near in y, and neighbours in y near in x, which finds dependence of any shape where the
  noise is small (Friedman & Rafsky 1983; Chatterjee 2021).
- The information in the table of counts, where both sides have few values.

`combined` puts the statistics of all pairings on one scale and takes the largest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree
from scipy.special import xlogy

from capacity.estimators.testing.descriptions import Description

NEIGHBOURS = 5
MAX_EDGES = 200_000
ROUNDING = 1e-9  # of a standard deviation: statistics that differ by less are equal


@dataclass(frozen=True)
class PairingStatistics:
    """The statistics of two sides as a function of the pairing.

    Attributes:
        x, y: the sides.
        near_x, near_y: neighbours of every row within its side, shape (n, k).
    """

    x: Description
    y: Description
    near_x: np.ndarray
    near_y: np.ndarray

    @classmethod
    def of(cls, random: np.random.Generator, x: Description, y: Description) -> PairingStatistics:
        """Find each side's neighbours; the random numbers choose among ties."""
        return cls(x, y, _neighbours(random, x), _neighbours(random, y))

    def __call__(self, order: np.ndarray) -> np.ndarray:
        """All statistics of x against y[order]: those of pairs of groups first, then the four others."""
        squares = (self.x.features.T @ self.y.features[order]) ** 2
        groups = self.x.groups @ squares @ self.y.groups.T
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        others = [
            squares.sum(),
            _nearness(self.y, order, self.near_x),
            _nearness(self.x, back, self.near_y),
            self._counted(order),
        ]
        return np.concatenate([groups.reshape(-1), others])

    def _counted(self, order: np.ndarray) -> float:
        """Sum of c log c over the cells of the table: its information, but for what all pairings share."""
        if self.x.labels is None or self.y.labels is None:
            return 0.0
        cells = self.x.labels * (int(self.y.labels.max()) + 1) + self.y.labels[order]
        few = (int(self.x.labels.max()) + 1) * (int(self.y.labels.max()) + 1) <= 4 * len(order)
        counts = np.bincount(cells) if few else np.unique(cells, return_counts=True)[1]
        return float(xlogy(counts, counts).sum())


def combined(values: np.ndarray) -> np.ndarray:
    """One figure for every pairing, shape (b,), from its statistics, shape (b, m): the largest on a common scale.

    Mean and standard deviation are those over all pairings, the observed one among them, so that nothing tells that
    one from the others before it is ranked.
    """
    groups, others = np.cbrt(values[:, :-4]), values[:, -4:].copy()  # cube roots of chi-squareds are nearly normal
    others[:, 0] = np.cbrt(others[:, 0])
    groups = _standard(groups)
    if groups.shape[1]:
        others = np.column_stack([groups.max(axis=1), groups.sum(axis=1), others])
    each = _standard(others)
    return np.asarray(each.max(axis=1)) if each.shape[1] else np.zeros(len(values))


def _standard(values: np.ndarray) -> np.ndarray:
    """Columns of mean 0 and deviation 1 over the pairings, without those that are the same for all pairings."""
    centred = values - values.mean(axis=0)
    deviation = centred.std(axis=0)
    varying = deviation > ROUNDING * np.abs(values).max(axis=0)
    return np.asarray(centred[:, varying] / deviation[varying])


def _neighbours(random: np.random.Generator, side: Description) -> np.ndarray:
    """The k nearest other rows of every row, ties in random order."""
    n = len(side.places)
    k = max(1, min(NEIGHBOURS, MAX_EDGES // n, n - 1))
    jitter = random.uniform(-0.25, 0.25, side.places.shape)  # less than from one rank, or symbol, to the next
    places = side.places + (jitter if side.symbols else jitter / n)
    near = cKDTree(places).query(places, k + 1)[1]
    own = near == np.arange(n)[:, None]
    own[~own.any(axis=1), -1] = True
    return np.asarray(near[~own].reshape(n, k))


def _nearness(side: Description, order: np.ndarray, near: np.ndarray) -> float:
    """How near, in this side, rows are to the neighbours that the other side gives them."""
    total = 0.0
    for column in side.places.T:
        column = column[order]
        apart = column[:, None] != column[near] if side.symbols else np.abs(column[:, None] - column[near])
        total -= float(apart.sum())
    return total
