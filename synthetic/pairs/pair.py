"""What every pair promises: draws of two vectors whose mutual information is known exactly.

An injective map of each side leaves the information as it is, and independent pairs side by side add theirs:
from a few pairs in closed form come many, with truths as exact.
"""

from __future__ import annotations

import math
from typing import Protocol, runtime_checkable

import jax
import numpy as np


@runtime_checkable
class Pair(Protocol):
    """The joint distribution of X, shape (dim_x,), and Y, shape (dim_y,), with its exact I(X;Y)."""

    @property
    def name(self) -> str:
        """What tables and command lines call it."""
        ...

    @property
    def dim_x(self) -> int:
        """Length of the vector X."""
        ...

    @property
    def dim_y(self) -> int:
        """Length of the vector Y."""
        ...

    @property
    def bits(self) -> float:
        """I(X;Y) in bits: a closed form, or quadrature to at least 1e-6."""
        ...

    def sample(self, key: jax.Array, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Draw n, independently: x (n, dim_x) and y (n, dim_y), float64."""
        ...

    def information_density(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Bits log2 p(x, y) / (p(x) p(y)), shape (n,), at x and y that can each occur; its mean is `bits`."""
        ...


class NumberPair:
    """Two real numbers: what pairs of one column a side share."""

    @property
    def dim_x(self) -> int:
        """One: X is a number."""
        return 1

    @property
    def dim_y(self) -> int:
        """One: Y is a number."""
        return 1


def check_width(epsilon: float) -> None:
    """Raise ValueError unless the half width of a uniform noise is positive and finite."""
    if not 0 < epsilon < math.inf:
        raise ValueError(f"Expected a positive, finite epsilon; got {epsilon}.")


def generator(key: jax.Array) -> np.random.Generator:
    """NumPy's generator from a key's own words: draws in float64, whatever JAX is set to."""
    return np.random.default_rng(np.asarray(jax.random.key_data(key)).ravel().tolist())
