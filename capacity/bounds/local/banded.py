"""A normal density that says each unit from a few before it: what controls the noise of codes with short windows.

    log r(z) = sum_j log N(z_j; c_j + w_j . (z_<j - c_<j), v_j),

w_j and v_j the regression of unit j on the `BAND` units before it, from a sample's covariances within the band: an
autoregressive density of a band (Cholesky factors of one; Pourahmadi 1999).  Linear in the units.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from capacity.channels.additive import LOG_2PI

BAND = 16  # units before one
RIDGE = 1e-3  # of a unit's variance: added to what it is regressed on


@dataclass(frozen=True)
class BandedNormal:
    """The density; units in the order in which they are told.

    Attributes:
        centre: (units,), c.
        weights: (units, band), of the units before, the nearest first.
        variance: (units,), v.
    """

    centre: Float[np.ndarray, " units"]
    weights: Float[np.ndarray, "units band"]
    variance: Float[np.ndarray, " units"]

    def log_prob(self, z: Float[np.ndarray, "n units"]) -> Float[np.ndarray, " n"]:
        """log r of n noisy codes, nats."""
        left = z - self.centre
        told = sum((_earlier(left, lag + 1) * weight for lag, weight in enumerate(self.weights.T)), np.zeros_like(left))
        missed: np.ndarray = np.square(left - told) / self.variance + np.log(self.variance) + LOG_2PI
        found: np.ndarray = -0.5 * missed.sum(1)
        return found


def fit_banded(z: Float[np.ndarray, "n units"]) -> BandedNormal:
    """The density of a sample; it should be held against others."""
    units = z.shape[1]
    band = min(BAND, units - 1)
    centre = z.mean(0, dtype=np.float64)
    left = z - centre
    lags = np.stack([(left * _earlier(left, lag)).mean(0) for lag in range(band + 1)])  # cov(z_j, z_j-lag)
    if not band:
        return BandedNormal(centre, np.zeros((units, 0)), lags[0])
    before = np.arange(units)[:, None] - 1 - np.arange(band)  # units that each is told from; below 0 there are none
    apart = np.abs(before[:, :, None] - before[:, None])
    later = np.maximum(before[:, :, None], before[:, None])
    exists = (before >= 0)[:, :, None] & (before >= 0)[:, None]
    gram = np.where(exists, lags[apart, np.maximum(later, 0)], np.eye(band))
    gram += np.eye(band) * RIDGE * lags[0].mean()
    target = np.where(before >= 0, lags[1:].T, 0.0)
    weights = np.linalg.solve(gram, target[:, :, None])[:, :, 0]
    variance = np.maximum(lags[0] - (weights * target).sum(1), RIDGE * lags[0])
    return BandedNormal(centre, weights, variance)


def _earlier(left: Float[np.ndarray, "n units"], lag: int) -> Float[np.ndarray, "n units"]:
    """What the unit so many places before was, 0 where there is none."""
    found: np.ndarray = np.pad(left, ((0, 0), (lag, 0)))[:, : left.shape[1]]
    return found
