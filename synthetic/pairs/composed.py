"""Pairs made of pairs: an injective map of each side keeps the information, independent pairs add theirs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import jax
import numpy as np

from synthetic.pairs.maps import Injection
from synthetic.pairs.pair import Pair


@dataclass(frozen=True, eq=False)
class MappedPair:
    """(f(X), g(Y)) with the information of (X, Y), f and g injective.

    Args:
        name: what tables call it.
        pair: the pair below.
        map_x, map_y: f and g; None leaves a side as it is.

    Raises:
        ValueError: if a map does not fit its side's dimension.
    """

    name: str
    pair: Pair
    map_x: Injection | None = None
    map_y: Injection | None = None

    def __post_init__(self) -> None:
        """Check that the maps fit."""
        _ = self.dim_x, self.dim_y

    @property
    def dim_x(self) -> int:
        """Length of the image f(X)."""
        return self.pair.dim_x if self.map_x is None else self.map_x.dim(self.pair.dim_x)

    @property
    def dim_y(self) -> int:
        """Length of the image g(Y)."""
        return self.pair.dim_y if self.map_y is None else self.map_y.dim(self.pair.dim_y)

    @property
    def bits(self) -> float:
        """I(X;Y) in bits, that of the pair below."""
        return self.pair.bits

    def sample(self, key: jax.Array, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Draw n: x (n, dim_x) and y (n, dim_y)."""
        x, y = self.pair.sample(key, n)
        return (x if self.map_x is None else self.map_x(x)), (y if self.map_y is None else self.map_y(y))

    def information_density(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Bits, shape (n,): that of the points below, for the maps' volumes cancel."""
        x = x if self.map_x is None else self.map_x.inverse(x)
        y = y if self.map_y is None else self.map_y.inverse(y)
        return self.pair.information_density(x, y)


@dataclass(frozen=True, eq=False)
class ProductPair:
    """Independent pairs side by side: X = (X_1, ..., X_B), Y = (Y_1, ..., Y_B), I(X;Y) = sum_b I(X_b;Y_b).

    Args:
        name: what tables call it.
        pairs: at least one.

    Raises:
        ValueError: no pairs.
    """

    name: str
    pairs: tuple[Pair, ...]

    def __post_init__(self) -> None:
        """Check that there is something."""
        if not self.pairs:
            raise ValueError("Expected at least one pair; got none.")

    @property
    def dim_x(self) -> int:
        """Length of all X_b together."""
        return sum(pair.dim_x for pair in self.pairs)

    @property
    def dim_y(self) -> int:
        """Length of all Y_b together."""
        return sum(pair.dim_y for pair in self.pairs)

    @property
    def bits(self) -> float:
        """I(X;Y) in bits, the sum over the pairs."""
        return math.fsum(pair.bits for pair in self.pairs)

    def sample(self, key: jax.Array, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Draw n: x (n, dim_x) and y (n, dim_y)."""
        keys = jax.random.split(key, len(self.pairs))
        draws = [pair.sample(part, n) for pair, part in zip(self.pairs, keys, strict=True)]
        return np.hstack([x for x, _ in draws]), np.hstack([y for _, y in draws])

    def information_density(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Bits, shape (n,), the sum over the pairs."""
        total, left, right = np.zeros(len(x)), 0, 0
        for pair in self.pairs:
            below, beside = left + pair.dim_x, right + pair.dim_y
            total += pair.information_density(x[:, left:below], y[:, right:beside])
            left, right = below, beside
        return total
