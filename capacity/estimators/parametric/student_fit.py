"""The multivariate Student-t law: its information in closed form, and its dispersion by maximum likelihood.

    I = -1/2 sum_i log(1 - rho_i^2) + h(dx) + h(dy) - h(dx + dy),
    h(k) = log B(k, nu) + (nu + k)/2 (psi((nu + k)/2) - psi(nu/2)),   B(k, nu) = (nu pi)^(k/2) G(nu/2) / G((nu + k)/2),

with rho the canonical correlations of the dispersion matrix and nu the degrees of freedom (Arellano-Valle,
Contreras-Reyes & Genton 2013, Scand. J. Stat. 40, equation 7).  The common scale of all coordinates alone makes x and
y dependent: I > 0 at rho = 0.  At nu = infinity it is the normal law.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, psi

from capacity.estimators.parametric.gaussian import weaker_across, wishart_bias, without_bias

_STEPS = 200
_TOLERANCE = 1e-7


@dataclass(frozen=True)
class StudentLaw:
    """A centred multivariate t.

    Attributes:
        dispersion: shape (d, d).
        freedom: degrees of freedom, nu.
    """

    dispersion: np.ndarray
    freedom: float

    def log_prob(self, rows: np.ndarray) -> np.ndarray:
        """Log density in nats of rows (n, d), shape (n,)."""
        k, nu = rows.shape[1], self.freedom
        squares, log_det = mahalanobis(rows, self.dispersion)
        return np.asarray(_log_constant(k, nu) - 0.5 * log_det - 0.5 * (nu + k) * np.log1p(squares / nu))

    def log_ratio(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """log p(x, y) / (p(x) p(y)) in nats, shape (n,)."""
        dx = x.shape[1]
        left, right = (StudentLaw(part, self.freedom) for part in _blocks(self.dispersion, dx))
        return np.asarray(self.log_prob(np.hstack([x, y])) - left.log_prob(x) - right.log_prob(y))

    def draw(self, random: np.random.Generator, n: int) -> np.ndarray:
        """New rows (n, d): normal ones, each divided by the root of a chi-square over the degrees of freedom."""
        d = len(self.dispersion)
        normal = random.normal(size=(n, d)) @ np.linalg.cholesky(self.dispersion).T
        return np.asarray(normal / np.sqrt(random.chisquare(self.freedom, size=(n, 1)) / self.freedom))

    def less_biased(self, dx: int, n: float) -> StudentLaw:
        """The law whose information is this one's less the bias of a fit to n rows: weaker across the two sides."""
        d = len(self.dispersion)
        bias = wishart_bias(effective(n, d, self.freedom), dx, d - dx)
        factor = without_bias(_canonical(self.dispersion, dx), bias)
        return StudentLaw(weaker_across(self.dispersion, dx, factor), self.freedom)

    def nats(self, dx: int, n: float = np.inf) -> float:
        """The information of the first dx coordinates with the others.

        With n, the bias of the log determinants after a fit to n rows is taken off.  The fitted dispersion varies by
        (nu + d + 2)/(nu + d) as much as a normal covariance (Lange, Little & Taylor 1989, appendix B): the Wishart's
        bias at as many fewer rows.
        """
        d, nu = len(self.dispersion), self.freedom
        log_dets = [float(np.linalg.slogdet(part)[1]) for part in (*_blocks(self.dispersion, dx), self.dispersion)]
        linear = 0.5 * (log_dets[0] + log_dets[1] - log_dets[2])
        bias = wishart_bias(effective(n, d, nu), dx, d - dx) if np.isfinite(n) else 0.0
        return linear - bias + common_scale(dx, d - dx, nu)


def _canonical(dispersion: np.ndarray, dx: int) -> np.ndarray:
    """Canonical correlations of the first dx coordinates with the others, from the largest."""
    white_x, white_y = (np.linalg.inv(np.linalg.cholesky(part)) for part in _blocks(dispersion, dx))
    correlations = np.linalg.svd(white_x @ dispersion[:dx, dx:] @ white_y.T, compute_uv=False)
    return np.asarray(np.minimum(correlations, 1 - 1e-12))


def common_scale(dx: int, dy: int, freedom: float) -> float:
    """Nats that the common scale carries: the information where the dispersion is the identity."""
    return _spread(dx, freedom) + _spread(dy, freedom) - _spread(dx + dy, freedom)


def effective(n: float, d: int, freedom: float) -> float:
    """Of how many normal rows the covariance varies as the fitted dispersion of n rows of dimension d does."""
    return max(n * (freedom + d) / (freedom + d + 2), d + 2.0)


def fit_dispersion(rows: np.ndarray, freedom: float, start: np.ndarray, unit: bool) -> tuple[np.ndarray, np.ndarray]:
    """The maximum-likelihood location (d,) and dispersion (d, d) of rows (n, d) at these degrees of freedom.

    The fixed point R = mean of (nu + d)/(nu + z^T R^-1 z) z z^T, with each step divided by the mean weight, which
    leaves the fixed point where it is and converges faster (Kent, Tyler & Vardi 1994).

    Args:
        rows: shape (n, d).
        freedom: nu.
        start: dispersion to begin with, shape (d, d), positive definite.
        unit: whether the margins are known: location 0 and a diagonal of 1.
    """
    d, current, location = rows.shape[1], start, np.zeros(rows.shape[1])
    for _ in range(_STEPS):
        centred = rows - location
        weights = (freedom + d) / (freedom + mahalanobis(centred, current)[0])
        update = (centred * weights[:, None]).T @ centred / weights.sum()
        if unit:
            scale = np.sqrt(np.diag(update))
            update = update / np.outer(scale, scale)
        else:
            location = weights @ rows / weights.sum()
        change = np.abs(update - current).max() / np.abs(update).max()
        current = update
        if change < _TOLERANCE:
            break
    return location, current


def mahalanobis(rows: np.ndarray, matrix: np.ndarray) -> tuple[np.ndarray, float]:
    """z^T M^-1 z of each row, shape (n,), and log det M."""
    root = np.linalg.cholesky(matrix)
    whitened = rows @ np.linalg.inv(root).T
    return np.einsum("ij,ij->i", whitened, whitened), 2.0 * float(np.log(np.diag(root)).sum())


def _blocks(matrix: np.ndarray, dx: int) -> tuple[np.ndarray, np.ndarray]:
    return matrix[:dx, :dx], matrix[dx:, dx:]


def _log_constant(k: int, nu: float) -> float:
    return float(gammaln((nu + k) / 2) - gammaln(nu / 2) - 0.5 * k * np.log(nu * np.pi))


def _spread(k: int, nu: float) -> float:
    """Differential entropy in nats of the standard multivariate t."""
    return float(0.5 * (nu + k) * (psi((nu + k) / 2) - psi(nu / 2))) - _log_constant(k, nu)
