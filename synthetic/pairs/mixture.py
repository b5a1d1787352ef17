"""Normal clouds about pairs of points: dependence that no correlation shows, exact by quadrature.

p(x, y) = sum_k w_k N(x; m_k, sigma^2) N(y; c_k, sigma^2), and each marginal is a mixture too. The trapezoid rule has an
error that falls exponentially with the spacing (Trefethen & Weideman 2014).
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import jax
import numpy as np
from scipy.special import logsumexp

from synthetic.pairs.pair import generator

_SPACING = 1.0 / 4.0
_REACH = 7.0
_MAX_POINTS = 2**23
_CHUNK = 2**18


@dataclass(frozen=True, eq=False)
class MixturePair:
    """One of K pairs of centres at random, seen through normal noise on both sides.

    Args:
        name: what tables call it.
        centres_x, centres_y: (K, dim_x) and (K, dim_y), of at most three dimensions together.
        noise_std: sigma, positive.
        weights: (K,), adding up to 1; None for equal ones.

    Raises:
        ValueError: centres, noise or weights not as said.
    """

    name: str
    centres_x: np.ndarray
    centres_y: np.ndarray
    noise_std: float
    weights: np.ndarray | None = None

    def __post_init__(self) -> None:
        """Check the fields, and keep them as float64 arrays."""
        x, y = np.asarray(self.centres_x, np.float64), np.asarray(self.centres_y, np.float64)
        if x.ndim != 2 or y.ndim != 2 or len(x) != len(y) or x.shape[1] + y.shape[1] > 3:
            raise ValueError(
                "Expected centres (K, dim_x) and (K, dim_y) of at most three dimensions together; "
                f"got {x.shape} and {y.shape}."
            )
        weights = np.full(len(x), 1.0 / len(x)) if self.weights is None else np.asarray(self.weights, np.float64)
        if weights.shape != (len(x),) or not (weights > 0).all() or abs(weights.sum() - 1) > 1e-12:
            raise ValueError(f"Expected {len(x)} positive weights adding up to 1; got {weights}.")
        if not 0 < self.noise_std < math.inf:
            raise ValueError(f"Expected a positive, finite noise_std; got {self.noise_std}.")
        for name, value in (("centres_x", x), ("centres_y", y), ("weights", weights)):
            object.__setattr__(self, name, value)

    @property
    def dim_x(self) -> int:
        """Length of a centre of X."""
        return int(self.centres_x.shape[1])

    @property
    def dim_y(self) -> int:
        """Length of a centre of Y."""
        return int(self.centres_y.shape[1])

    @functools.cached_property
    def bits(self) -> float:
        """I(X;Y) in bits by the trapezoid rule, spacing sigma / 4 out to 7 sigma past the centres."""
        centres = np.hstack([self.centres_x, self.centres_y])
        reach, spacing = _REACH * self.noise_std, _SPACING * self.noise_std
        low, span = centres.min(axis=0) - reach, np.ptp(centres, axis=0) + 2.0 * reach
        counts = [math.ceil(width / spacing) + 1 for width in span]
        count = math.prod(counts)
        if count > _MAX_POINTS:
            raise ValueError(f"Expected centres that a grid of {_MAX_POINTS} points can hold; got one of {count}.")
        axes = [start + spacing * np.arange(steps) for start, steps in zip(low, counts, strict=True)]
        nodes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))
        total = 0.0
        for start in range(0, count, _CHUNK):
            part = nodes[start : start + _CHUNK]
            x, y = part[:, : self.dim_x], part[:, self.dim_x :]
            total += float(np.exp(self._joint(x, y)) @ self.information_density(x, y))
        return total * spacing ** len(axes)

    def sample(self, key: jax.Array, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Draw n: x (n, dim_x) and y (n, dim_y)."""
        random = generator(key)
        which = random.choice(len(self.centres_x), size=n, p=self.weights)
        noise_x, noise_y = random.normal(size=(n, self.dim_x)), random.normal(size=(n, self.dim_y))
        return self.centres_x[which] + self.noise_std * noise_x, self.centres_y[which] + self.noise_std * noise_y

    def information_density(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Bits log2 p(x, y) / (p(x) p(y)), shape (n,)."""
        alone = self._mixture(self._clouds(x, self.centres_x)) + self._mixture(self._clouds(y, self.centres_y))
        return np.asarray((self._joint(x, y) - alone) / math.log(2.0))

    def _joint(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return self._mixture(self._clouds(x, self.centres_x) + self._clouds(y, self.centres_y))

    def _mixture(self, clouds: np.ndarray) -> np.ndarray:
        assert self.weights is not None
        return np.asarray(logsumexp(clouds + np.log(self.weights)[None, :], axis=1))

    def _clouds(self, points: np.ndarray, centres: np.ndarray) -> np.ndarray:
        """Log densities (n, K) of the points about each centre."""
        squares = ((points[:, None, :] - centres[None, :, :]) ** 2).sum(axis=2) / self.noise_std**2
        return np.asarray(-0.5 * (squares + points.shape[1] * math.log(2.0 * math.pi * self.noise_std**2)))


def exclusive_or(noise_std: float) -> MixturePair:
    """X two fair signs and Y their product, each through noise: either sign alone says nothing of Y."""
    signs = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    return MixturePair(f"exclusive-or-{noise_std}", signs, signs.prod(axis=1, keepdims=True), noise_std)


def permutation(noise_std: float) -> MixturePair:
    """Four levels of X sent to four levels of Y, shuffled so that they do not correlate."""
    x, y = np.array([[-3.0], [-1.0], [1.0], [3.0]]), np.array([[-1.0], [3.0], [-3.0], [1.0]])
    return MixturePair(f"permutation-{noise_std}", x, y, noise_std)
