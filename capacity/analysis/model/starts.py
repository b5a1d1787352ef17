"""Where chains start: a normal law for each point, by the encoder, the encoder corrected, or the prior's moments.

Chains walk in coordinates v in which the start is standard normal, z = mean + S A v: S of the point, A of all.  The
encoder is corrected by what pairs (z, x) of the model itself show: the mean by the linear regression of z on it, the
covariance by that of what is left.  Any start leaves the bounds what they are; a good one makes them close.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from capacity.analysis.model.latent_model import CodeRows, Encoded, LatentModel, PointRows

CORRECTED, ENCODER, PRIOR = "corrected encoder", "encoder", "prior"
RIDGE = 1e-6  # of a variance, in regressions and covariances


class Coordinates(NamedTuple):
    """z = mean + S A v of n rows.

    Attributes:
        mean: (n, units).
        spread: S, (n, units) on the diagonal, or (n, units, units).
        shared: A, (units, units).
    """

    mean: CodeRows
    spread: np.ndarray
    shared: Float[np.ndarray, "units units"]

    def place(self, v: CodeRows) -> CodeRows:
        """Codes z of v, (n, units) both."""
        turned = v @ self.shared.T
        moved = self.spread * turned if self.spread.ndim == 2 else _times(self.spread, turned)
        return np.asarray(self.mean + moved)

    def pull(self, slope: CodeRows) -> CodeRows:
        """Gradients by v of gradients by z."""
        if self.spread.ndim == 2:
            return np.asarray((self.spread * slope) @ self.shared)
        return np.asarray(_times(np.swapaxes(self.spread, 1, 2), slope) @ self.shared)

    def back(self, z: CodeRows) -> CodeRows:
        """v of codes z."""
        left = z - self.mean
        turned = (
            left / self.spread if self.spread.ndim == 2 else np.linalg.solve(self.spread, left[:, :, None])[:, :, 0]
        )
        return np.asarray(np.linalg.solve(self.shared, turned.T).T)

    @property
    def log_det(self) -> Float[np.ndarray, " n"]:
        """log |S A| of each row."""
        own = np.log(np.abs(self.spread)).sum(1) if self.spread.ndim == 2 else np.linalg.slogdet(self.spread)[1]
        return np.asarray(own + np.linalg.slogdet(self.shared)[1])

    def repeated(self, times: int) -> Coordinates:
        """Every row so often, in a row."""
        return Coordinates(np.repeat(self.mean, times, 0), np.repeat(self.spread, times, 0), self.shared)


@dataclass(frozen=True)
class ChainStart:
    """A normal law of the code for every point.

    Attributes:
        name: what it is called.
        offset, slope: (units,) and (units, units): mean = offset + slope (the encoder's mean).
        shared: A of `Coordinates`.
        encoded: whether the encoder is asked at all.
    """

    name: str
    offset: Float[np.ndarray, " units"]
    slope: Float[np.ndarray, "units units"]
    shared: Float[np.ndarray, "units units"]
    encoded: bool

    def at(self, model: LatentModel, x: PointRows) -> Coordinates:
        """Coordinates of the chains of points."""
        if not self.encoded:
            shape = (len(x), model.units)
            return Coordinates(np.broadcast_to(self.offset, shape), np.ones(shape), self.shared)
        return self.of(model.posterior(x))

    def of(self, posterior: Encoded) -> Coordinates:
        """Coordinates of points with these posteriors by the encoder."""
        return Coordinates(self.offset + posterior.mean @ self.slope.T, _factor(posterior), self.shared)


def starts(model: LatentModel, z: CodeRows, posterior: Encoded | None) -> dict[str, ChainStart]:
    """All starts, by name, the likely best first.

    Args:
        model: whose chains start.
        z: codes of the model's own pairs (n, units), by the prior.
        posterior: the encoder's of their points; None without an encoder.
    """
    none, one = np.zeros(model.units), np.eye(model.units)
    if model.prior is None:
        found = {PRIOR: ChainStart(PRIOR, none, one, one, False)}
    else:
        found = {PRIOR: ChainStart(PRIOR, z.mean(0), one, _root(np.cov(z.T, ddof=0), len(z)), False)}
    if posterior is None:
        return found
    plain = ChainStart(ENCODER, none, one, one, True)
    offset, slope = _regression(posterior.mean, z)
    left = ChainStart("", offset, slope, one, True).of(posterior).back(z)
    corrected = ChainStart(CORRECTED, offset, slope, _root(left.T @ left / len(left), len(left)), True)
    return {CORRECTED: corrected, ENCODER: plain, **found}


def _factor(posterior: Encoded) -> np.ndarray:
    return np.exp(posterior.spread) if posterior.spread.ndim == 2 else posterior.spread


def _regression(mean: CodeRows, z: CodeRows) -> tuple[np.ndarray, np.ndarray]:
    """Offset and slope of z on the encoder's mean, drawn a little towards none."""
    centre, middle = mean.mean(0), z.mean(0)
    left = mean - centre
    gram = left.T @ left
    gram += np.diag(RIDGE * np.diagonal(gram) + np.finfo(float).tiny)
    slope = np.linalg.lstsq(gram, left.T @ (z - middle), rcond=None)[0].T
    return middle - slope @ centre, slope


def _root(covariance: np.ndarray, pairs: int) -> np.ndarray:
    """A factor of a covariance of so many pairs, drawn towards its diagonal."""
    square = np.atleast_2d(covariance)
    diagonal = np.diag(np.maximum(np.diagonal(square), np.finfo(float).tiny))
    share = min(1 / pairs + RIDGE, 1.0)
    return np.linalg.cholesky((1 - share) * square + share * diagonal)


def _times(matrices: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    return np.asarray((matrices @ vectors[:, :, None])[:, :, 0])
