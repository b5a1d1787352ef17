"""Injective maps of one side that mix its columns: spiral, Swiss roll, matrix."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from synthetic.pairs.maps import Injection

_ROLL_START = 1.5 * math.pi
_ROLL_SCALE = 21.0


@dataclass(frozen=True)
class Spiral(Injection):
    """x -> expm(speed |x|^2 A) x, A the generator of rotations from axis i to axis j.

    A turns one plane only, so that the exponential is a rotation by the angle speed |x|^2; it keeps |x|, and the
    inverse turns back by the same angle.

    Args:
        plane: the axes (i, j), different.
        speed: radians per unit of squared length.

    Raises:
        ValueError: one axis twice.
    """

    plane: tuple[int, int]
    speed: float

    def __post_init__(self) -> None:
        """Check that the axes differ."""
        if self.plane[0] == self.plane[1] or min(self.plane) < 0:
            raise ValueError(f"Expected two different axes; got {self.plane}.")

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """The images (n, d), d past both axes."""
        return self._turn(values, self.speed)

    def inverse(self, images: np.ndarray) -> np.ndarray:
        """What the images (n, d) came from."""
        return self._turn(images, -self.speed)

    def _turn(self, values: np.ndarray, speed: float) -> np.ndarray:
        i, j = self.plane
        if values.shape[1] <= max(i, j):
            raise ValueError(f"Expected vectors with axes {i} and {j}; got shape {values.shape}.")
        angle = speed * (values**2).sum(axis=1)
        turned = values.copy()
        turned[:, i] = np.cos(angle) * values[:, i] - np.sin(angle) * values[:, j]
        turned[:, j] = np.sin(angle) * values[:, i] + np.cos(angle) * values[:, j]
        return turned


@dataclass(frozen=True)
class SwissRoll(Injection):
    """u in [0, 1] -> (t cos t, t sin t) / 21 with t = (3 pi / 2)(1 + 2u): a line rolled up in the plane."""

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """The images (n, 2) of numbers (n, 1) in [0, 1].

        Raises:
            ValueError: for another shape, or numbers outside of [0, 1].
        """
        if values.ndim != 2 or values.shape[1] != 1:
            raise ValueError(f"Expected numbers of shape (n, 1); got {values.shape}.")
        if len(values) and not (values.min() >= 0 and values.max() <= 1):
            raise ValueError(f"Expected numbers in [0, 1]; got {values.min():.3g} to {values.max():.3g}.")
        angle = _ROLL_START * (1.0 + 2.0 * values)
        return np.asarray(angle * np.hstack([np.cos(angle), np.sin(angle)]) / _ROLL_SCALE)

    def inverse(self, images: np.ndarray) -> np.ndarray:
        """What the images (n, 2) came from, (n, 1): the distance from the centre grows along the roll."""
        angle = _ROLL_SCALE * np.hypot(images[:, :1], images[:, 1:])
        return np.asarray(0.5 * (angle / _ROLL_START - 1.0))

    def dim(self, dim: int) -> int:
        """Two: a line becomes a curve in the plane."""
        if dim != 1:
            raise ValueError(f"Expected a side of dimension 1 to roll up; got {dim}.")
        return 2


@dataclass(frozen=True, eq=False)
class Linear(Injection):
    """x -> matrix x.

    Args:
        matrix: (d, d), of full rank.

    Raises:
        ValueError: not square, or a condition number past 1e6.
    """

    matrix: np.ndarray

    def __post_init__(self) -> None:
        """Check the matrix, and keep it as float64."""
        matrix = np.asarray(self.matrix, np.float64)
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
            raise ValueError(f"Expected a square matrix; got shape {matrix.shape}.")
        if not np.linalg.cond(matrix) < 1e6:
            raise ValueError(f"Expected a condition number below 1e6; got {np.linalg.cond(matrix):.3g}.")
        object.__setattr__(self, "matrix", matrix)

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """The images (n, d)."""
        return np.asarray(values @ self.matrix.T)

    def inverse(self, images: np.ndarray) -> np.ndarray:
        """What the images (n, d) came from."""
        return np.linalg.solve(self.matrix, images.T).T

    def dim(self, dim: int) -> int:
        """The same as before.

        Raises:
            ValueError: where the matrix is of another size.
        """
        if dim != len(self.matrix):
            raise ValueError(f"Expected a side of dimension {len(self.matrix)} for this matrix; got {dim}.")
        return dim


def rotation(dim: int, seed: int) -> Linear:
    """An orthogonal matrix with nothing special about it, the same for the same seed."""
    return Linear(np.linalg.qr(np.random.default_rng(seed).normal(size=(dim, dim)))[0])
