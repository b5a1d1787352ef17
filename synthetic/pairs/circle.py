"""Two points on circles that share an angle, each through normal noise: a closed curve of dependence in the plane.

X = (cos T, sin T) + sigma N and Y = (cos kT, sin kT) + sigma N', T uniform. With polar coordinates (r, a) of x and
(s, b) of y, p(x, y) / (p(x) p(y)) is the mean over T of exp(r cos T / sigma^2 + s cos(d - kT) / sigma^2) divided by
I_0(r / sigma^2) I_0(s / sigma^2), d = b - ka: all that counts is r, s and d (Mardia & Jupp 2000, section 3.5.4).
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import jax
import numpy as np
from scipy.special import i0e

from synthetic.pairs.pair import generator

_REACH = 8.0
_RADII = 40
_ANGLES = 96
_CHUNK = 2**13


@dataclass(frozen=True)
class CirclePair:
    """Points of the unit circle at one random angle, Y at `turns` times X's.

    Args:
        noise_std: sigma, from 0.2 to 2 (below, the angles would need a finer grid).
        turns: k, from 1 to 4; past 1 no entry of X correlates with one of Y.

    Raises:
        ValueError: past those limits.
    """

    noise_std: float
    turns: int = 1

    def __post_init__(self) -> None:
        """Check noise and turns."""
        if not (0.2 <= self.noise_std <= 2 and 1 <= self.turns <= 4):
            raise ValueError(
                f"Expected noise_std from 0.2 to 2 and turns from 1 to 4; got {self.noise_std} and {self.turns}."
            )

    @property
    def name(self) -> str:
        """What tables call it."""
        return f"circle-{self.noise_std}-{self.turns}"

    @property
    def dim_x(self) -> int:
        """Two: a point of the plane."""
        return 2

    @property
    def dim_y(self) -> int:
        """Two: a point of the plane."""
        return 2

    @functools.cached_property
    def bits(self) -> float:
        """I(X;Y) in bits: Gauss-Legendre over both radii, the trapezoid rule over the angle between."""
        nodes, weights = np.polynomial.legendre.leggauss(_RADII)
        low, high = max(0.0, 1.0 - _REACH * self.noise_std), 1.0 + _REACH * self.noise_std
        radii = low + 0.5 * (high - low) * (1.0 + nodes)
        masses = 0.5 * (high - low) * weights * self._radius_density(radii)
        angles = np.arange(_ANGLES) * (2.0 * math.pi / _ANGLES)
        r, s, between = (axis.ravel() for axis in np.meshgrid(radii, radii, angles, indexing="ij"))
        log_ratio = self._log_ratio(r, s, between)
        values = (np.exp(log_ratio) * log_ratio).reshape(_RADII, _RADII, _ANGLES).mean(axis=2)
        return float(masses @ values @ masses) / math.log(2.0)

    def sample(self, key: jax.Array, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Draw n: x (n, 2) and y (n, 2)."""
        random = generator(key)
        angle = random.uniform(0.0, 2.0 * math.pi, size=(n, 1))
        x, y = (np.hstack([np.cos(k * angle), np.sin(k * angle)]) for k in (1, self.turns))
        noise = self.noise_std * random.normal(size=(n, 4))
        return x + noise[:, :2], y + noise[:, 2:]

    def information_density(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Bits log2 p(x, y) / (p(x) p(y)), shape (n,)."""
        between = np.arctan2(y[:, 1], y[:, 0]) - self.turns * np.arctan2(x[:, 1], x[:, 0])
        nats = self._log_ratio(np.hypot(x[:, 0], x[:, 1]), np.hypot(y[:, 0], y[:, 1]), between)
        return np.asarray(nats / math.log(2.0))

    def _radius_density(self, radius: np.ndarray) -> np.ndarray:
        """Density of |X| (Rice 1945), the exponentials taken together so that none overflows."""
        variance = self.noise_std**2
        bell = np.exp(-0.5 * (radius - 1.0) ** 2 / variance)
        return np.asarray(radius / variance * bell * i0e(radius / variance))

    def _log_ratio(self, r: np.ndarray, s: np.ndarray, between: np.ndarray) -> np.ndarray:
        """Nats log p(x, y) / (p(x) p(y)), shape (n,), from radii and angle: a sum of positive terms."""
        angles = np.arange(_ANGLES) * (2.0 * math.pi / _ANGLES)
        sharp_x, sharp_y = r / self.noise_std**2, s / self.noise_std**2
        parts = []
        for start in range(0, len(r), _CHUNK):
            part = slice(start, start + _CHUNK)
            across = np.cos(between[part, None] - self.turns * angles[None, :]) - 1.0
            terms = sharp_x[part, None] * (np.cos(angles) - 1.0)[None, :] + sharp_y[part, None] * across
            top = terms.max(axis=1)
            parts.append(top + np.log(np.exp(terms - top[:, None]).mean(axis=1)))
        return np.asarray(np.concatenate(parts) - np.log(i0e(sharp_x)) - np.log(i0e(sharp_y)))
