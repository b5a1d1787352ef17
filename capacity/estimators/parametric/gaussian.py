"""The information in the covariances: I = -1/2 sum_i log(1 - rho_i^2) over the canonical correlations rho_i.

It is all of the information where x and y are jointly normal (Gelfand & Yaglom 1957; Hotelling 1936).  Elsewhere it is
the information of the normal law with the same covariances, neither a lower nor an upper bound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import jax
import numpy as np
from scipy.optimize import brentq
from scipy.special import polygamma, psi, stdtrit

from capacity.estimators.checks import Takes, checked, random_of, refuse_few_values
from capacity.estimators.estimator import Change, LogRatio, RatioEstimator, Simulated
from capacity.results.estimate import Estimate

_REDUNDANT = 1e-9  # a direction this much shorter than the longest, of standardised columns, repeats the others
_ROUNDING = 1e-13  # 1 - rho^2 below this is rounding


@dataclass(frozen=True)
class GaussianMI(RatioEstimator):
    """Canonical correlations, without bias for normal data of any dimension.

    The log determinant of a Wishart matrix is too small by digammas that depend on n and the dimension alone (Misra,
    Singh & Demchuk 2005, J. Multivar. Anal. 92, equation 2.2); taking them off leaves the estimate unbiased for normal
    data, 50 x 50 dimensions from 500 pairs included.  A jackknife of what is then left (Efron & Stein 1981), which has
    mean 0 for normal data, takes off the 1/n bias that fourth moments bring elsewhere.  Leaving a pair out changes a
    determinant by its leverage, so that the jackknife costs no refit.

    The interval is Student's around the jackknife's standard error, which holds for data that are not normal, of whose
    fourth moments it needs to exist.  The jackknife counts the quadratic part of the estimate twice (Efron & Stein
    1981, equation 4.5); under independence this part is all that there is, with a variance known exactly, which is
    taken off once and is also the floor.  Measured coverage at 95 %: 93 to 100 from 100 pairs on, 86 at 20.
    Columns that repeat others carry nothing and are left out.

    Where x and y share a direction up to rounding the figure is the most that can be told, and `limit`.
    """

    name: ClassVar[str] = "gaussian"
    summary: ClassVar[str] = (
        "Canonical correlations: exact for normal data in any dimension, the covariances elsewhere."
    )
    takes: ClassVar[Takes] = "continuous"
    min_pairs: ClassVar[int] = 5
    symmetric: ClassVar[bool] = True
    unchanged_by: ClassVar[frozenset[Change]] = frozenset({"shift", "scale", "rotation"})

    def information(self, key: jax.Array, x: np.ndarray, y: np.ndarray) -> Estimate:
        """Bits from x (n, dx) and y (n, dy); the key is not used.

        Raises:
            ValueError: for n < dx + dy + 4, and columns of few values.
        """
        refuse_few_values(x, y)
        pair = Canonical.of(x, y)
        nats, variance = pair.jackknifed()
        stderr = variance**0.5
        reach = float(stdtrit(pair.spare, 0.975)) * stderr
        distinct = bool(1 - pair.correlations[0] ** 2 > _ROUNDING)
        high = nats + reach if distinct else np.inf
        return Estimate.from_nats(
            nats=nats,
            stderr=stderr,
            kind="point",
            n=len(x),
            limit=np.inf if distinct else nats,
            low=nats - reach,
            high=high,
        )

    def fit(self, key: jax.Array, x: np.ndarray, y: np.ndarray) -> LogRatio:
        """The log density ratio of the normal law with the covariances of x (n, dx) and y (n, dy).

        The key is not used.

        Raises:
            ValueError: for what `checked` refuses, and for n < dx + dy + 4.
        """
        return Canonical.of(*checked(x, y, self.takes, self.min_pairs)).log_ratio

    def simulated(self, key: jax.Array, x: np.ndarray, y: np.ndarray, n: int) -> Simulated:
        """Pairs of the normal law with the covariances of x (n, dx) and y (n, dy); as in `RatioEstimator`.

        Args:
            key: of the draw.
            x, y: the pairs that the law is fitted to.
            n: how many to draw.
        """
        pair, dx = Canonical.of(x, y), x.shape[1]
        factor = without_bias(pair.correlations, wishart_bias(len(x), *pair.dims))
        rows = draw_normal(random_of(key), weaker_across(np.cov(np.hstack([x, y]).T), dx, factor), n)
        return Simulated(self, rows[:, :dx], rows[:, dx:], x, y)


@dataclass(frozen=True)
class Canonical:
    """Both sides in canonical coordinates: orthonormal columns, correlated pair by pair.

    Attributes:
        left, right: the data (n, rank) with orthonormal columns, of which the first `len(correlations)` are paired.
        correlations: canonical correlations, from the largest.
        to_left, to_right: maps from new rows to coordinates of the same scale.
    """

    left: np.ndarray
    right: np.ndarray
    correlations: np.ndarray
    to_left: Callable[[np.ndarray], np.ndarray]
    to_right: Callable[[np.ndarray], np.ndarray]

    @classmethod
    def of(cls, x: np.ndarray, y: np.ndarray) -> Canonical:
        """From x (n, dx) and y (n, dy)."""
        (left, to_left), (right, to_right) = _orthonormal(x), _orthonormal(y)
        needed = left.shape[1] + right.shape[1] + 4
        if len(x) < needed:
            raise ValueError(
                f"Expected at least {needed} pairs for covariances of {left.shape[1]} x {right.shape[1]} dimensions; "
                f"got {len(x)}."
            )
        turn_left, correlations, turn_right = np.linalg.svd(left.T @ right)
        correlations = np.minimum(correlations, np.sqrt(1 - _ROUNDING / 2))
        return cls(
            left @ turn_left,
            right @ turn_right.T,
            correlations,
            lambda rows: to_left(rows) @ turn_left,
            lambda rows: to_right(rows) @ turn_right.T,
        )

    @property
    def dims(self) -> tuple[int, int]:
        """Ranks of the two sides."""
        return self.left.shape[1], self.right.shape[1]

    @property
    def spare(self) -> int:
        """Degrees of freedom that the covariances leave."""
        return len(self.left) - 1 - sum(self.dims)

    @property
    def plain(self) -> float:
        """-1/2 sum log(1 - rho^2), nats, biased upwards."""
        return float(-0.5 * np.log1p(-(self.correlations**2)).sum())

    def leverages(self, left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """z^T (Z^T Z)^-1 z of rows in canonical coordinates: of x, of y and of both together, each (n,)."""
        x, y = (left**2).sum(axis=1), (right**2).sum(axis=1)
        rho = self.correlations
        a, b = left[:, : len(rho)], right[:, : len(rho)]
        # both - x - y = sum of (rho^2 (a^2 + b^2) - 2 rho a b) / (1 - rho^2)
        excess = (a**2 + b**2) @ (rho**2 / (1 - rho**2)) - 2 * (a * b) @ (rho / (1 - rho**2))
        return x, y, x + y + excess

    def without_each(self) -> np.ndarray:
        """The figure without bias, in nats, after leaving out each pair in turn, shape (n,)."""
        n = len(self.left)
        x, y, both = (np.log1p(-np.minimum(h * n / (n - 1), 1 - 1e-12)) for h in self.leverages(self.left, self.right))
        return self.plain + 0.5 * (x + y - both) - wishart_bias(n - 1, *self.dims)

    def jackknifed(self) -> tuple[float, float]:
        """Nats without bias, and the variance."""
        n = len(self.left)
        whole, without = self.plain - wishart_bias(n, *self.dims), self.without_each()
        known = null_variance(n, *self.dims)
        spread = (n - 1) / n * ((without - without.mean()) ** 2).sum()
        return float(n * whole - (n - 1) * without.mean()), max(float(spread) - known, known)

    def log_ratio(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Log density ratio in nats, shape (n,), of new pairs under the normal law of these covariances."""
        h_x, h_y, both = self.leverages(self.to_left(x), self.to_right(y))
        return np.asarray(self.plain + 0.5 * (len(self.left) - 1) * (h_x + h_y - both))


def wishart_bias(n: float, dx: int, dy: int) -> float:
    """Mean of -1/2 sum log(1 - rho^2) less the truth, nats, for n normal pairs of dx and dy dimensions."""
    terms = psi((n - np.arange(1, dx + dy + 1)) / 2)
    return float(0.5 * (terms[:dx].sum() + terms[:dy].sum() - terms.sum()))


def null_variance(n: float, dx: int, dy: int) -> float:
    """Variance of -1/2 sum log(1 - rho^2), nats^2, for n independent normal pairs: log of a product of betas."""
    terms = polygamma(1, (n - np.arange(1, dx + dy + 1)) / 2)
    return float(0.25 * (terms.sum() - terms[:dx].sum() - terms[:dy].sum()))


def draw_normal(random: np.random.Generator, covariance: np.ndarray, n: int) -> np.ndarray:
    """Normal rows (n, d) of mean 0 with this covariance, of full rank or not."""
    variances, axes = np.linalg.eigh(covariance)
    rows: np.ndarray = random.normal(size=(n, len(variances))) @ (axes * np.sqrt(np.maximum(variances, 0.0))).T
    return rows


def weaker_across(covariance: np.ndarray, dx: int, factor: float) -> np.ndarray:
    """A covariance whose part between the first dx coordinates and the others is multiplied by a factor."""
    weaker = covariance.copy()
    weaker[:dx, dx:] *= factor
    weaker[dx:, :dx] *= factor
    return weaker


def without_bias(correlations: np.ndarray, bias: float) -> float:
    """The factor of canonical correlations that takes a bias, in nats, off -1/2 sum log(1 - rho^2); 0 if none is left.

    It is what cross-covariances are to be multiplied by.
    """

    def nats(factor: float) -> float:
        return float(-0.5 * np.log1p(-((factor * correlations) ** 2)).sum())

    left = nats(1.0) - bias
    return float(brentq(lambda factor: nats(factor) - left, 0.0, 1.0)) if 0 < left < nats(1.0) else float(left > 0)


def _orthonormal(rows: np.ndarray) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """Columns without those that repeat others, centred and orthonormal, and the map of new rows to the same."""
    mean = rows.mean(axis=0)
    scale = np.abs(rows - mean).max(axis=0)
    scale = scale * np.sqrt((((rows - mean) / scale) ** 2).sum(axis=0))
    frame, triangle = np.linalg.qr((rows - mean) / scale)
    turn, lengths, back = np.linalg.svd(triangle, full_matrices=False)
    kept = lengths > _REDUNDANT * lengths[0]
    inverse = back[kept].T / lengths[kept]
    return frame @ turn[:, kept], lambda new: (new - mean) / scale @ inverse
