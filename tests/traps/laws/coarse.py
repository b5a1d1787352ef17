"""A normal pair of which a side shows less: rounded, clipped, cut at a limit, in a few levels.

The line of either latent number is cut at edges into cells; a cell is kept as it is or shown as one value.  What is
seen of a latent number is thus itself or its cell, and every joint mass is an integral of the bivariate normal density.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from tests.traps.laws.grids import information, legendre
from tests.traps.laws.law import Law, Truth

REACH = 8.5
ORDER = 12


@dataclass(frozen=True)
class Cells:
    """How one side is shown: `edges` (k - 1,), and for each of the k cells its value, NaN where it is kept as it is."""

    edges: np.ndarray
    values: np.ndarray

    def of(self, latent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The cell of each number, and whether that is kept."""
        cell = np.searchsorted(self.edges, latent)
        return cell, np.isnan(self.values)[cell]

    def show(self, latent: np.ndarray) -> np.ndarray:
        """What is seen of each number."""
        cell, kept = self.of(latent)
        return np.where(kept, latent, self.values[cell])


def as_is() -> Cells:
    """Nothing is lost."""
    return Cells(np.empty(0), np.array([np.nan]))


def rounded(step: float, reach: float = 10.0) -> Cells:
    """To the nearest multiple of `step`, written as people write it."""
    values = np.arange(-np.ceil(reach / step), np.ceil(reach / step) + 1)
    return Cells((values[:-1] + 0.5) * step, np.round(values * step, 10))


def clipped(low: float = -np.inf, high: float = np.inf, shown_low: float | None = None) -> Cells:
    """What is past a limit is shown as the limit, or as another value below."""
    edges = [edge for edge in (low, high) if np.isfinite(edge)]
    values = [low if shown_low is None else shown_low] * bool(np.isfinite(low)) + [np.nan]
    return Cells(np.array(edges), np.array(values + [high] * bool(np.isfinite(high))))


def levels(edges: list[float]) -> Cells:
    """Cells numbered from 1."""
    return Cells(np.array(edges), np.arange(1.0, len(edges) + 2))


def coarse(rho: float, cells_x: Cells, cells_y: Cells) -> Law:
    """Standard normal numbers of correlation `rho`, each seen through its cells.

    `draw` gives the latent numbers: a task shows them by `cells.show`, which is one to one with what the density uses.
    """
    spread = np.sqrt(1.0 - rho**2)

    def draw(random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        x, noise = random.normal(size=(2, n, 1))
        return x, rho * x + spread * noise

    def table() -> np.ndarray:
        """Joint masses of what is seen of either side."""
        (places_x, u, mass), (places_y, v, weight) = _nodes(cells_x), _nodes(cells_y)
        ratio = (v[None, :] - rho * u[:, None]) / spread
        joint = np.exp(-0.5 * (ratio**2 + u[:, None] ** 2)) / (2 * np.pi * spread)
        joint *= mass[:, None] * weight[None, :]
        return _collected(_collected(joint, places_x).T, places_y).T

    def density(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        (cell_x, kept_x), (cell_y, kept_y) = cells_x.of(x[:, 0]), cells_y.of(y[:, 0])
        log_x, log_y = (_log_seen(cells, side[:, 0]) for cells, side in ((cells_x, x), (cells_y, y)))
        log_joint = np.empty(len(x))
        both, only_x, only_y = kept_x & kept_y, kept_x & ~kept_y, ~kept_x & kept_y
        ratio = (y[:, 0] - rho * x[:, 0]) / spread
        log_joint[both] = (-0.5 * (x[:, 0] ** 2 + ratio**2) - np.log(2 * np.pi * spread))[both]
        log_joint[only_x] = (-0.5 * x[:, 0] ** 2 - 0.5 * np.log(2 * np.pi))[only_x] + np.log(
            _between(cells_y, cell_y[only_x], rho * x[only_x, 0], spread)
        )
        log_joint[only_y] = (-0.5 * y[:, 0] ** 2 - 0.5 * np.log(2 * np.pi))[only_y] + np.log(
            _between(cells_x, cell_x[only_y], rho * y[only_y, 0], spread)
        )
        neither = ~kept_x & ~kept_y
        pairs, back = np.unique(np.column_stack([cell_x, cell_y])[neither], axis=0, return_inverse=True)
        rectangles = np.array([_rectangle(cells_x, i, cells_y, j, rho) for i, j in pairs])
        log_joint[neither] = np.log(rectangles[back.ravel()]) if len(pairs) else 0.0
        return (log_joint - log_x - log_y) / np.log(2.0)

    return Law(draw, density, lambda: Truth(information(table()), 0.0, "quadrature"))


def _ends(cells: Cells) -> np.ndarray:
    """Edges with both ends of the line, as far as there is any mass."""
    inner = cells.edges[np.abs(cells.edges) < REACH]
    return np.concatenate([[-REACH], inner, [REACH]])


def _nodes(cells: Cells) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of the standard normal: the number of what is seen, the latent node, and its weight.

    Nodes of a cell shown as one value have the same number; every other node has one of its own.
    """
    ends = _ends(cells)
    fine = np.unique(np.concatenate([ends, np.linspace(-REACH, REACH, 120)]))
    nodes, weights = legendre(fine, ORDER if len(fine) < 200 else ORDER // 3)
    cell, kept = cells.of(nodes)
    own = np.arange(len(nodes)) + len(cells.values)
    return np.where(kept, own, cell), nodes, weights


def _collected(joint: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Rows of the same number added up."""
    each, back = np.unique(numbers, return_inverse=True)
    total = np.zeros((len(each), joint.shape[1]))
    np.add.at(total, back, joint)
    return total


def _log_seen(cells: Cells, latent: np.ndarray) -> np.ndarray:
    """Log density, or log probability of the cell, of what is seen."""
    cell, kept = cells.of(latent)
    mass = _between(cells, cell, np.zeros(len(latent)), 1.0)
    return np.where(kept, -0.5 * latent**2 - 0.5 * np.log(2 * np.pi), np.log(np.maximum(mass, 1e-320)))


def _between(cells: Cells, cell: np.ndarray, mean: np.ndarray, deviation: float) -> np.ndarray:
    """The probability of each cell under a normal law of that mean and deviation; from the nearer tail."""
    ends = np.concatenate([[-np.inf], cells.edges, [np.inf]])
    low, high = (ends[cell] - mean) / deviation, (ends[cell + 1] - mean) / deviation
    turned = low > 0
    low, high = np.where(turned, -high, low), np.where(turned, -low, high)
    return np.maximum(ndtr(high) - ndtr(low), 1e-320)


def _rectangle(cells_x: Cells, i: int, cells_y: Cells, j: int, rho: float) -> float:
    """The mass of a pair of cells: over x by Gauss-Legendre, over y in closed form."""
    ends = np.clip(np.concatenate([[-np.inf], cells_x.edges, [np.inf]])[[i, i + 1]], -REACH, REACH)
    pieces = np.linspace(ends[0], ends[1], 2 + int((ends[1] - ends[0]) / 0.1))
    nodes, weights = legendre(pieces, ORDER)
    mass = _between(cells_y, np.full(len(nodes), j), rho * nodes, np.sqrt(1 - rho**2))
    return float(np.maximum((weights * np.exp(-0.5 * nodes**2) / np.sqrt(2 * np.pi)) @ mass, 1e-320))
