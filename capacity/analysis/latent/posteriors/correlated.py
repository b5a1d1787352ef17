"""Normal posteriors with any covariance: z = mean + L e, L the Cholesky factor and e standard normal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import ArrayLike

from capacity.analysis.latent.posteriors.points import Posteriors, TableLeaf, real_table
from capacity.channels import Channel
from capacity.channels.gaussian import LOG_2PI
from capacity.runtime.pytrees import register_dataclass
from capacity.runtime.shapes import Key, Units

SYMMETRIC = 1e-6  # of the largest entry: what a covariance may differ from its transpose


class Correlated(NamedTuple):
    """Mean (units,), and the transposed Cholesky factor (units, units), whose last axis is units too."""

    mean: Units
    root: Float[Array, "all units"]


@register_dataclass
@dataclass(frozen=True)
class FullGaussian(Channel):
    """Normal noise of a covariance that the encoder chooses; Lebesgue density."""

    memoryless: ClassVar[bool] = False
    code: ClassVar[type] = Correlated
    name: ClassVar[str] = "full_gaussian"
    summary: ClassVar[str] = "normal noise whose covariance the encoder learns"
    no_ceiling_because: ClassVar[str] = "the covariance is learnt and may go to 0 at any power"

    def __call__(self, key: Key, u: Correlated) -> Units:
        return u.mean + u.root.T @ jax.random.normal(key, u.root.shape[:1], u.mean.dtype)

    def log_prob(self, z: Units, u: Correlated) -> Units:
        """Log density of each unit given those before, shape (units,), nats."""
        lower = self._factor(u)
        white = jax.scipy.linalg.solve_triangular(lower, z - u.mean, lower=True)
        return -0.5 * jnp.square(white) - jnp.log(jnp.diagonal(lower)) - 0.5 * LOG_2PI

    def moments(self, u: Correlated) -> tuple[Units, Units]:
        """Mean and variance of each unit."""
        return u.mean, jnp.square(u.root).sum(0)

    def covariance(self, u: Correlated) -> Float[Array, "units units"]:
        """L L', the product of the Cholesky factor with itself."""
        return u.root.T @ u.root

    def entropy(self, u: Correlated) -> Units:
        """That of each unit given those before, nats."""
        return jnp.log(jnp.diagonal(self._factor(u))) + 0.5 * (1 + LOG_2PI)

    def signal(self, u: Correlated) -> Units:
        """The means of the units, shape (units,)."""
        return u.mean

    def _factor(self, u: Correlated) -> jax.Array:
        """Cholesky factor of these units' covariance: of all units it is at hand."""
        whole = u.root.shape[0] == u.root.shape[1]
        return u.root.T if whole else jnp.linalg.cholesky(self.covariance(u))


def full_gaussian(
    means: ArrayLike, covariances: ArrayLike, *, cholesky: bool = False, levels: tuple[int, ...] = ()
) -> Posteriors:
    """Normal posteriors of any covariance.

    Args:
        means: (N, units).
        covariances: (N, units, units), symmetric; or their lower triangular Cholesky factors.
        cholesky: whether the second are Cholesky factors.
        levels: units of each level, in order.

    Raises:
        ValueError: for shapes that do not fit, and matrices that are no covariances or no factors.
    """
    mean, matrix = real_table(means, "means"), real_table(covariances, "covariances", 3)
    if matrix.shape != (*mean.shape, mean.shape[1]):
        raise ValueError(f"Expected covariances of shape {(*mean.shape, mean.shape[1])}; got {matrix.shape}.")
    if cholesky:
        off = np.abs(np.triu(matrix, 1)).max(initial=0.0)
        if off > 0 or not (np.diagonal(matrix, axis1=1, axis2=2) > 0).all():
            raise ValueError("Expected lower triangular factors with a diagonal above 0; got others.")
        return Posteriors(FullGaussian(), Correlated(mean, np.swapaxes(matrix, 1, 2)), levels=levels)
    uneven = np.abs(matrix - np.swapaxes(matrix, 1, 2)).max(axis=(1, 2))
    if (uneven > SYMMETRIC * np.abs(matrix).max(axis=(1, 2))).any():
        row = int(np.argmax(uneven))
        raise ValueError(f"Expected symmetric covariances; got one that is not in row {row}. Is it a Cholesky factor?")
    try:
        root: TableLeaf = np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError as error:
        least = float(np.linalg.eigvalsh(matrix)[:, 0].min())
        raise ValueError(f"Expected positive definite covariances; got an eigenvalue of {least:.4g}.") from error
    return Posteriors(FullGaussian(), Correlated(mean, np.swapaxes(root, 1, 2)), levels=levels)
