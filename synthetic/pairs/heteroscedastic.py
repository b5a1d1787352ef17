"""A normal number and the same with noise that grows with it: Y = X + (floor + growth |X|) N.

I = h(Y) - E log2(floor + growth |X|) - 1/2 log2(2 pi e), both terms by quadrature.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import jax
import numpy as np

from synthetic.pairs.pair import NumberPair, generator

_REACH = 9.0
_PANELS = 36  # on each side of 0, where |X| has its kink
_NODES = 16
_MAX_ABS_Y = 120.0  # where Y's density is below rounding for a growth of at most 1
_STEPS = 4000
_CHUNK = 2**12


@dataclass(frozen=True)
class HeteroscedasticPair(NumberPair):
    """X standard normal and Y = X + (floor + growth |X|) N, N standard normal too.

    Args:
        floor: the least standard deviation of the noise, at least 0.05.
        growth: how much more for each unit of |X|, from 0 to 1.

    Raises:
        ValueError: past those limits, which the quadrature is made for.
    """

    floor: float
    growth: float

    def __post_init__(self) -> None:
        """Check floor and growth."""
        if not (0.05 <= self.floor < math.inf and 0 <= self.growth <= 1):
            raise ValueError(
                f"Expected a floor of at least 0.05 and a growth from 0 to 1; got {self.floor} and {self.growth}."
            )

    @property
    def name(self) -> str:
        """What tables call it."""
        return f"heteroscedastic-{self.floor}-{self.growth}"

    @functools.cached_property
    def bits(self) -> float:
        """I(X;Y) in bits by quadrature: Gauss-Legendre panels over x, the trapezoid rule over asinh y."""
        top = math.asinh(_MAX_ABS_Y * max(1.0, self.floor))
        steps = np.linspace(-top, top, _STEPS)
        points = np.sinh(steps)
        log_density = self._log_density(points)
        weights = np.exp(log_density) * np.cosh(steps) * (steps[1] - steps[0])
        nodes, masses = _normal_nodes()
        noise = float(masses @ np.log(self._spread(nodes))) + 0.5 * math.log(2.0 * math.pi * math.e)
        return (-float(weights @ log_density) - noise) / math.log(2.0)

    def sample(self, key: jax.Array, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Draw n: x (n, 1) and y (n, 1)."""
        random = generator(key)
        x = random.normal(size=(n, 1))
        return x, x + self._spread(x) * random.normal(size=(n, 1))

    def information_density(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Bits log2 p(y|x) / p(y), shape (n,)."""
        given = _log_normal(y[:, 0] - x[:, 0], self._spread(x[:, 0]))
        return np.asarray((given - self._log_density(y[:, 0])) / math.log(2.0))

    def _spread(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(self.floor + self.growth * np.abs(x))

    def _log_density(self, y: np.ndarray) -> np.ndarray:
        """Log density (n,) of Y in nats at y (n,)."""
        nodes, masses = _normal_nodes()
        spread, log_masses = self._spread(nodes), np.log(masses)
        parts = []
        for start in range(0, len(y), _CHUNK):
            terms = _log_normal(y[start : start + _CHUNK, None] - nodes[None, :], spread[None, :]) + log_masses[None, :]
            top = terms.max(axis=1)
            parts.append(top + np.log(np.exp(terms - top[:, None]).sum(axis=1)))
        return np.concatenate(parts)


@functools.cache
def _normal_nodes() -> tuple[np.ndarray, np.ndarray]:
    """Nodes and masses of a standard normal number, with a panel's edge at 0."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    edges = np.linspace(-_REACH, _REACH, 2 * _PANELS + 1)
    half = 0.5 * (edges[1] - edges[0])
    points = (edges[:-1, None] + half * (1.0 + nodes[None, :])).ravel()
    return points, np.exp(_log_normal(points, np.ones(1))) * np.tile(half * weights, 2 * _PANELS)


def _log_normal(deviation: np.ndarray, spread: np.ndarray) -> np.ndarray:
    return np.asarray(-0.5 * (deviation / spread) ** 2 - np.log(spread) - 0.5 * math.log(2.0 * math.pi))
