"""Y drawn from a known law given X, where X is one number or one of a list: information by quadrature.

I(X;Y) is the mean over nodes of X of the sum over nodes of Y of p(y|x) log2 p(y|x) / p(y), p(y) the mean of p(y|x).
Y may have atoms: a node of weight 1 at each, where `log_given` is a log probability.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from tests.traps.laws.law import Law, Truth

Nodes = tuple[np.ndarray, np.ndarray]
CHUNK = 2**22


@dataclass(frozen=True)
class Given:
    """Y of one column given X.

    Attributes:
        draw_x: (random, n) to (n, columns).
        draw_y: (random, x) to (n, 1).
        log_given: log density or log probability in nats of y (k,) given x (m, columns), shape (m, k).
        nodes_x: (m, columns) and their masses (m,), adding up to 1.
        nodes_y: (k,) and weights (k,), fine enough for p(y|x) of every x.
    """

    draw_x: Callable[[np.random.Generator, int], np.ndarray]
    draw_y: Callable[[np.random.Generator, np.ndarray], np.ndarray]
    log_given: Callable[[np.ndarray, np.ndarray], np.ndarray]
    nodes_x: Nodes
    nodes_y: Nodes

    def law(self) -> Law:
        """The pair as a law."""
        return Law(self._draw, self._density, self._truth)

    def _draw(self, random: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        x = self.draw_x(random, n)
        return x, self.draw_y(random, x)

    def log_alone(self, y: np.ndarray) -> np.ndarray:
        """log p(y) in nats at y (k,)."""
        nodes, masses = self.nodes_x
        step = max(1, CHUNK // len(nodes))
        each = range(0, len(y), step)
        parts = [logsumexp(self.log_given(nodes, y[i : i + step]), axis=0, b=masses[:, None]) for i in each]
        return np.concatenate(parts)

    def _density(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        own = np.concatenate([np.diag(self.log_given(x[i : i + 50], y[i : i + 50, 0])) for i in range(0, len(x), 50)])
        return (own - self.log_alone(y[:, 0])) / np.log(2.0)

    def _truth(self) -> Truth:
        (x, masses), (y, weights) = self.nodes_x, self.nodes_y
        alone, total, step = self.log_alone(y), 0.0, max(1, CHUNK // len(y))
        for start in range(0, len(x), step):
            part = slice(start, start + step)
            given = self.log_given(x[part], y)
            with np.errstate(invalid="ignore"):
                terms = np.where(given > -700.0, np.exp(given) * (given - alone), 0.0)
            total += float(masses[part] @ (terms @ weights))
        return Truth(total / np.log(2.0), 0.0, "quadrature")


def normal_given(mean: Callable[[np.ndarray], np.ndarray], std: Callable[[np.ndarray], np.ndarray]) -> tuple:
    """`draw_y` and `log_given` of a normal Y whose mean and deviation, (m,), are told by x (m, columns)."""

    def draw_y(random: np.random.Generator, x: np.ndarray) -> np.ndarray:
        return (mean(x) + std(x) * random.normal(size=len(x)))[:, None]

    def log_given(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        deviation = std(x)[:, None]
        return -0.5 * ((y[None, :] - mean(x)[:, None]) / deviation) ** 2 - np.log(deviation) - 0.5 * np.log(2 * np.pi)

    return draw_y, log_given
