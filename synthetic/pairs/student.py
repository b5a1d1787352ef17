"""Jointly Student-t vectors: a common scale ties X and Y even where nothing correlates.

I = I_normal(dispersion) + c_x + c_y - c_xy with c_k the entropy of a k-dimensional standard Student-t
(Arellano-Valle, Contreras-Reyes & Genton 2013, equation 7).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import jax
import numpy as np
from scipy.special import digamma, gammaln

from synthetic.pairs.elliptical import checked_dispersion, information_density, normal_bits
from synthetic.pairs.pair import generator


@dataclass(frozen=True, eq=False)
class StudentPair:
    """Normal vectors of covariance `dispersion`, all divided by one sqrt(chi^2_dof / dof).

    Args:
        name: what tables call it.
        dim_x: how many of the variables, from the first, are X; the others are Y.
        dispersion: (dim_x + dim_y, dim_x + dim_y); the covariance, where there is one, is dof / (dof - 2) times it.
        dof: degrees of freedom, positive; moments of that order and above do not exist.

    Raises:
        ValueError: a dispersion that is not one, or `dof` not positive and finite.
    """

    name: str
    dim_x: int
    dispersion: np.ndarray
    dof: float

    def __post_init__(self) -> None:
        """Check the parameters, and keep the dispersion as float64."""
        object.__setattr__(self, "dispersion", checked_dispersion(self.dispersion, self.dim_x))
        if not 0 < self.dof < math.inf:
            raise ValueError(f"Expected positive, finite degrees of freedom; got {self.dof}.")

    @property
    def dim_y(self) -> int:
        """Length of the vector Y."""
        return len(self.dispersion) - self.dim_x

    @property
    def bits(self) -> float:
        """I(X;Y) in bits, in closed form."""
        c_x, c_y, c_xy = (_entropy(dim, self.dof) for dim in (self.dim_x, self.dim_y, len(self.dispersion)))
        return normal_bits(self.dispersion, self.dim_x) + (c_x + c_y - c_xy) / math.log(2.0)

    def sample(self, key: jax.Array, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Draw n: x (n, dim_x) and y (n, dim_y)."""
        random = generator(key)
        normal = random.normal(size=(n, len(self.dispersion))) @ np.linalg.cholesky(self.dispersion).T
        both = normal / np.sqrt(random.chisquare(self.dof, size=(n, 1)) / self.dof)
        return both[:, : self.dim_x], both[:, self.dim_x :]

    def information_density(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Bits log2 p(x, y) / (p(x) p(y)), shape (n,)."""
        return information_density(self._log_density, self.dispersion, x, y)

    def _log_density(self, dim: int, log_det: float, squares: np.ndarray) -> np.ndarray:
        half = 0.5 * (self.dof + dim)
        scale = gammaln(half) - gammaln(0.5 * self.dof) - 0.5 * (dim * math.log(self.dof * math.pi) + log_det)
        return np.asarray(scale - half * np.log1p(squares / self.dof))


def identity(dim_x: int, dim_y: int, dof: int) -> StudentPair:
    """Dispersion 1: uncorrelated, but large together."""
    return StudentPair(f"student-identity-{dim_x}-{dim_y}-{dof}", dim_x, np.eye(dim_x + dim_y), dof)


def _entropy(dim: int, dof: float) -> float:
    """Differential entropy in nats of a standard Student-t in `dim` dimensions."""
    half = 0.5 * (dof + dim)
    log_scale = gammaln(0.5 * dof) - gammaln(half) + 0.5 * dim * math.log(dof * math.pi)
    return float(log_scale + half * (digamma(half) - digamma(0.5 * dof)))
