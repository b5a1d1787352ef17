"""Jointly normal vectors: I(X;Y) = 1/2 log2(det S_x det S_y / det S), S the covariance."""

from __future__ import annotations

import math
from dataclasses import dataclass

import jax
import numpy as np

from synthetic.pairs.elliptical import checked_dispersion, information_density, normal_bits
from synthetic.pairs.pair import generator


@dataclass(frozen=True, eq=False)
class NormalPair:
    """Zero-mean normal vectors.

    Args:
        name: what tables call it.
        dim_x: how many of the variables, from the first, are X; the others are Y.
        covariance: (dim_x + dim_y, dim_x + dim_y).

    Raises:
        ValueError: a covariance that is not one.
    """

    name: str
    dim_x: int
    covariance: np.ndarray

    def __post_init__(self) -> None:
        """Check the covariance, and keep it as float64."""
        object.__setattr__(self, "covariance", checked_dispersion(self.covariance, self.dim_x))

    @property
    def dim_y(self) -> int:
        """Length of the vector Y."""
        return len(self.covariance) - self.dim_x

    @property
    def bits(self) -> float:
        """I(X;Y) in bits, in closed form."""
        return normal_bits(self.covariance, self.dim_x)

    def sample(self, key: jax.Array, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Draw n: x (n, dim_x) and y (n, dim_y)."""
        normal = generator(key).normal(size=(n, len(self.covariance)))
        both = normal @ np.linalg.cholesky(self.covariance).T
        return both[:, : self.dim_x], both[:, self.dim_x :]

    def information_density(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Bits log2 p(x, y) / (p(x) p(y)), shape (n,)."""
        return information_density(_log_density, self.covariance, x, y)


def _log_density(dim: int, log_det: float, squares: np.ndarray) -> np.ndarray:
    return -0.5 * (dim * math.log(2.0 * math.pi) + log_det + squares)


def bivariate(correlation: float) -> NormalPair:
    """Two standard normal numbers: -1/2 log2(1 - correlation^2) bits."""
    return NormalPair(f"1v1-normal-{correlation}", 1, np.array([[1.0, correlation], [correlation, 1.0]]))


def dense(dim_x: int, dim_y: int, correlation: float) -> NormalPair:
    """Every two of all variables have one correlation ("dense" in Czyz et al. 2023)."""
    covariance = np.full((dim_x + dim_y,) * 2, correlation)
    np.fill_diagonal(covariance, 1.0)
    return NormalPair(f"multinormal-dense-{dim_x}-{dim_y}-{correlation}", dim_x, covariance)


def sparse(dim_x: int, dim_y: int, pairs: int, strength: float) -> NormalPair:
    """X_i and Y_i share a cause for the first `pairs` of i; all else is independent ("2-pair" in Czyz et al. 2023).

    The shared cause has `strength` times the amplitude of each side's own noise: their correlation is
    strength^2 / (1 + strength^2), and all variances are 1.

    Args:
        dim_x, dim_y: lengths of X and Y.
        pairs: how many of the first variables share a cause.
        strength: of the cause, in units of the noise.
    """
    covariance = np.eye(dim_x + dim_y)
    index = np.arange(pairs)
    covariance[index, dim_x + index] = covariance[dim_x + index, index] = strength**2 / (1.0 + strength**2)
    return NormalPair(f"multinormal-sparse-{dim_x}-{dim_y}-{pairs}-{strength}", dim_x, covariance)


def chained(dim_x: int, dim_y: int, correlation: float) -> NormalPair:
    """Variables in a row, i and j correlated by correlation^|i - j|: X is the first of them, Y the rest."""
    position = np.arange(dim_x + dim_y)
    covariance = correlation ** np.abs(position[:, None] - position[None, :]).astype(np.float64)
    return NormalPair(f"multinormal-chained-{dim_x}-{dim_y}-{correlation}", dim_x, covariance)
