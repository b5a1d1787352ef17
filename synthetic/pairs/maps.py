"""Injective maps of one side, column by column: increasing functions of a number, each with its inverse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from scipy.special import ndtr, ndtri

_HALVINGS = 64


@runtime_checkable
class Injection(Protocol):
    """An injective map of vectors (n, d) to vectors (n, dim(d)); whatever is known of one is known of the other."""

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """The images, (n, dim(d))."""
        ...

    def inverse(self, images: np.ndarray) -> np.ndarray:
        """What the images (n, dim(d)) came from, (n, d)."""
        ...

    def dim(self, dim: int) -> int:
        """Length of the image of a vector of length `dim`; by default the same.

        Raises:
            ValueError: for vectors that the map does not take.
        """
        return dim


@dataclass(frozen=True)
class Columnwise(Injection):
    """One increasing function on every column.

    Args:
        function, undo: an increasing function of arrays, and its inverse.
    """

    function: Callable[[np.ndarray], np.ndarray]
    undo: Callable[[np.ndarray], np.ndarray]

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """The images, of the same shape."""
        return np.asarray(self.function(values))

    def inverse(self, images: np.ndarray) -> np.ndarray:
        """What the images came from, of the same shape."""
        return np.asarray(self.undo(images))


def _half_cube(values: np.ndarray) -> np.ndarray:
    return np.asarray(values * np.sqrt(np.abs(values)))


def _undo_half_cube(images: np.ndarray) -> np.ndarray:
    return np.asarray(np.cbrt(images) * np.abs(np.cbrt(images)))


NORMAL_CDF = Columnwise(ndtr, ndtri)
"""The standard normal distribution function: normal margins become uniform on [0, 1]."""
HALF_CUBE = Columnwise(_half_cube, _undo_half_cube)
"""x |x|^(1/2): longer tails."""
ASINH = Columnwise(np.arcsinh, np.sinh)
"""The inverse hyperbolic sine: tails cut to their logarithm."""
EXPONENTIAL = Columnwise(np.exp, np.log)
"""Normal margins become lognormal."""


@dataclass(frozen=True)
class Wiggly(Injection):
    """x + sum_k a_k sin(f_k x + p_k) on every column.

    Args:
        waves: (amplitude a, frequency f, phase p) of each sine.

    Raises:
        ValueError: if sum |a f| is not below 1, where the map need not be increasing.
    """

    waves: tuple[tuple[float, float, float], ...]

    def __post_init__(self) -> None:
        """Check that the slope stays positive."""
        steepest = sum(abs(amplitude * frequency) for amplitude, frequency, _ in self.waves)
        if not steepest < 1:
            raise ValueError(f"Expected waves with sum |amplitude x frequency| below 1; got {steepest:.3g}.")

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """The images, of the same shape."""
        return np.asarray(values + sum(a * np.sin(f * values + p) for a, f, p in self.waves))

    def inverse(self, images: np.ndarray) -> np.ndarray:
        """What the images came from, by bisection."""
        reach = sum(abs(amplitude) for amplitude, _, _ in self.waves)
        return _bisect(self, images, images - reach, images + reach)


@dataclass(frozen=True)
class MixtureMargins(Injection):
    """Standard normal margins become mixtures of normals of unit variance: F^-1(Phi(x)), F = sum_k w_k Phi(. - m_k).

    Args:
        weights, means: w and m, of one length; the weights add up to 1.

    Raises:
        ValueError: weights not positive, or not adding up to 1, or as many means as weights.
    """

    weights: tuple[float, ...]
    means: tuple[float, ...]

    def __post_init__(self) -> None:
        """Check the weights."""
        if len(self.weights) != len(self.means) or min(self.weights) <= 0 or abs(sum(self.weights) - 1) > 1e-12:
            raise ValueError(
                f"Expected a positive weight for each mean, adding up to 1; got {self.weights} for {self.means}."
            )

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """The images, of the same shape, by bisection: each lies between value + least mean and value + largest."""
        return _bisect(self._distribution, ndtr(values), values + min(self.means), values + max(self.means))

    def inverse(self, images: np.ndarray) -> np.ndarray:
        """What the images came from, of the same shape."""
        return np.asarray(ndtri(self._distribution(images)))

    def _distribution(self, values: np.ndarray) -> np.ndarray:
        parts = zip(self.weights, self.means, strict=True)
        return np.asarray(np.sum([weight * ndtr(values - mean) for weight, mean in parts], axis=0))


def _bisect(
    function: Callable[[np.ndarray], np.ndarray], targets: np.ndarray, low: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """Where an increasing function takes the targets' values, between low and high, to rounding."""
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        below = function(middle) < targets
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray(0.5 * (low + high))
