"""A stretch of pi and the same with noise: X = 0.d_k d_{k+1} ..., Y = X + N, k one of M positions, N uniform.

Given y, the x within epsilon of it are equally likely: I = E -log2 (their number / M), exact by sorting.  As M grows
the x fill [0, 1] evenly and I tends to log2(1 / 2 epsilon) + epsilon / ln 2, however many digits pi has; without
noise I(X;X) = log2 M, and of pi itself, a constant, it is 0.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import jax
import numpy as np

from synthetic.pairs.additive import AdditiveUniformPair
from synthetic.pairs.pair import NumberPair, check_width, generator
from synthetic.pi import pi_digits

PLACES = 17  # decimals of X that are kept: all that a float64 holds


@dataclass(frozen=True)
class PiPlusNoise(NumberPair):
    """X the fractional part of 10**k pi, k uniform on 0 ... positions - 1; Y = X + N, N uniform on +-epsilon.

    Raises:
        ValueError: `epsilon` not positive and finite, or fewer than 2 positions.
    """

    epsilon: float
    positions: int = 2**16

    def __post_init__(self) -> None:
        """Check the noise and the number of positions."""
        check_width(self.epsilon)
        if self.positions < 2:
            raise ValueError(f"Expected at least 2 positions; got {self.positions}.")

    @property
    def name(self) -> str:
        """What tables call it."""
        return f"1v1-pi-{self.epsilon}"

    @functools.cached_property
    def fractions(self) -> np.ndarray:
        """All X in the order of their positions, (positions,) float64."""
        windows = np.lib.stride_tricks.sliding_window_view(pi_digits(self.positions + PLACES - 1), PLACES)
        return np.asarray(windows @ (10.0 ** -np.arange(1, PLACES + 1)))

    @functools.cached_property
    def _sorted(self) -> np.ndarray:
        return np.sort(self.fractions)

    @property
    def bits(self) -> float:
        """I(X;Y) in bits, exact: the density of Y is constant between the x +- epsilon."""
        edges = np.sort(np.concatenate([self._sorted - self.epsilon, self._sorted + self.epsilon]))
        inside = self._near(0.5 * (edges[1:] + edges[:-1]))
        mass = np.diff(edges) * inside / (self.positions * 2.0 * self.epsilon)
        kept = mass > 0
        return float(-(mass[kept] * np.log2(inside[kept] / self.positions)).sum())

    @property
    def limit_bits(self) -> float:
        """I(X;Y) in bits for X uniform on [0, 1]: what `bits` tends to as the positions grow."""
        return AdditiveUniformPair(self.epsilon).bits

    def sample(self, key: jax.Array, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Draw n: x (n, 1) and y (n, 1)."""
        random = generator(key)
        x = self.fractions[random.integers(self.positions, size=n), None]
        return x, x + random.uniform(-self.epsilon, self.epsilon, size=(n, 1))

    def information_density(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Bits, shape (n,): -log2 of the share of positions within epsilon of y; -inf where x is not among them."""
        share = np.maximum(self._near(y[:, 0]), 1) / self.positions
        return np.where(np.abs(y - x)[:, 0] <= self.epsilon, -np.log2(share), -np.inf)

    def _near(self, y: np.ndarray) -> np.ndarray:
        """How many x lie within epsilon of each y."""
        first = np.searchsorted(self._sorted, y - self.epsilon, "left")
        return np.searchsorted(self._sorted, y + self.epsilon, "right") - first
