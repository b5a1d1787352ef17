"""Laws of a code given each of N points, where noise inside the network leaves no closed form; fitted to sampled codes.

Any law f(z|i) of N equally likely points bounds what z says of the point from below, by the point that it would guess
(Barber & Agakov 2003), and its mixture r(z) = 1/N sum_i f(z|i) bounds -E log p(z) from above (Gibbs's inequality):

    I(i;Z) >= log N + E log f(z|i) / sum_j f(z|j)          E log p(z|i) - E log p(z) <= E log p(z|i) - E log r(z)

given the codes that the laws were fitted to, which are no part of those they are held against.
"""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.special import logsumexp

from capacity.analysis.model.latent_model import LOG_2PI
from capacity.channels.channel import Channel, Code
from capacity.runtime.shapes import Units

PointTable = Float[np.ndarray, "n points"]
GUESSED = 1e-3  # of the guesses go to any point: a law that rules the right one out costs so much less
OTHERS = 0.02  # of the mixture is that of the other laws
NORMAL = "normal"
RIDGE = 1e-9  # of a variance
OWN_PAIRS = 4.0  # times the number of units: as many codes as a point's own variances are drawn to all points' by


class Critics:
    """Laws of the noisy code given the point, by name.

    Args:
        channel: of the last layer.
        codes: sampled, of every point: leaves (points, k, ...).
        kernels: how many of the k are centres of the mixtures.
    """

    def __init__(self, channel: Channel, codes: Code, kernels: int):
        self.channel = channel
        self.few = jax.tree.map(lambda leaf: leaf[:, :kernels], codes)
        self.normal: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
        mean, variance = (np.asarray(part) for part in jax.vmap(jax.vmap(channel.moments))(codes))
        if np.isfinite(mean).all() and np.isfinite(variance).all():
            self.normal = _normals(mean, variance)

    def log_densities(self, z: Float[np.ndarray, "n units"]) -> dict[str, PointTable]:
        """Log densities of noisy codes (n, units) under the law of every point: (n, points) for each law."""
        joint, by_unit = (np.asarray(part, np.float64).T for part in _kernels(self.channel, self.few, jnp.asarray(z)))
        found = {"sampled codes": joint}
        if self.channel.memoryless:
            found["units alone"] = by_unit
        if self.normal is not None:
            centre, root, own = self.normal
            white, middles = np.linalg.solve(root, z.T).T, np.linalg.solve(root, centre.T).T
            constant = np.log(np.abs(np.diagonal(root))).sum() + 0.5 * LOG_2PI * z.shape[1]
            found[NORMAL] = -0.5 * _squares(white, middles, np.ones_like(middles)) - constant
            scaled = -0.5 * _squares(white, middles, 1 / own) - 0.5 * np.log(own).sum(1)
            found[f"{NORMAL} of own variances"] = scaled - constant
        return found

    def densities(self, tables: dict[str, PointTable]) -> dict[str, PointTable]:
        """Those of `log_densities` that are with respect to the channel's measure: normal laws are not, of atoms."""
        return {name: t for name, t in tables.items() if not (self.channel.atomic and name.startswith(NORMAL))}


def guess(table: PointTable, point: np.ndarray) -> Float[np.ndarray, " n"]:
    """(n,) nats whose mean is at most the information, of log densities (n, points) and the points sent (n,)."""
    count = table.shape[1]
    whole = _log_sum(table)
    share = np.exp(table[np.arange(len(table)), point] - np.where(np.isfinite(whole), whole, np.inf))
    return np.asarray(np.log(count) + np.log((1 - GUESSED) * share + GUESSED / count))


def mixtures(tables: dict[str, PointTable]) -> dict[str, Float[np.ndarray, " n"]]:
    """(n,) log densities of z under each law's mixture over points, mostly: a share is that of the other laws."""
    own = {name: _log_sum(table) - np.log(table.shape[1]) for name, table in tables.items()}
    if len(own) == 1:
        return own
    found = {}
    for name, values in own.items():
        others = [other for key, other in own.items() if key != name]
        rest = np.asarray(logsumexp(others, axis=0) - np.log(len(others)))
        found[name] = np.logaddexp(np.log1p(-OTHERS) + values, np.log(OTHERS) + rest)
    return found


def _log_sum(table: PointTable) -> Float[np.ndarray, " n"]:
    most = table.max(1)
    safe = np.where(np.isfinite(most), most, 0.0)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.exp(table - safe[:, None]).sum(1)) + safe)


def _normals(mean: np.ndarray, variance: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Centres (points, units), a root of the covariance within all points, and own variances along its axes."""
    count, k, units = mean.shape
    centre = mean.mean(1)
    left = (mean - centre[:, None]) * (k / max(k - 1, 1)) ** 0.5
    within = left.reshape(-1, units).T @ left.reshape(-1, units) / (count * k) + np.diag(variance.mean((0, 1)))
    size = np.diagonal(within) + centre.var(0)
    root = np.linalg.cholesky(within + np.diag(np.where(size > 0, RIDGE * size, 1.0)))
    inverse = np.linalg.inv(root)
    turned = np.square(left @ inverse.T).mean(1) + (variance.mean(1) @ np.square(inverse).T)
    weight = k / (k + OWN_PAIRS * units)
    return centre, root, np.maximum(weight * turned + (1 - weight), 1e-12)


def _squares(z: np.ndarray, middle: np.ndarray, precision: np.ndarray) -> PointTable:
    """sum_j precision_ij (z_j - middle_ij)^2, (n, points), about the middle of all, where rounding is least."""
    centre = middle.mean(0)
    z, middle = z - centre, middle - centre
    columns = np.hstack([precision, -2 * middle * precision]).T
    found = np.hstack([z**2, z]) @ columns + (middle**2 * precision).sum(1)
    return np.asarray(np.maximum(found, 0.0))


@jax.jit
def _kernels(
    channel: Channel, codes: Code, z: Float[Array, "n units"]
) -> tuple[Float[Array, "points n"], Float[Array, "points n"]]:
    """Log densities under mixtures of the channel's law over the codes of each point: of all units, and one by one."""

    def of_point(own: Code) -> tuple[jax.Array, jax.Array]:
        each = jax.vmap(lambda one: jax.vmap(partial(_log_prob, channel, one))(own))(z)  # (n, k, units)
        return _log_mean(each.sum(-1)), _log_mean(each.swapaxes(1, 2)).sum(-1)

    found: tuple[jax.Array, jax.Array] = jax.lax.map(of_point, codes)
    return found


def _log_prob(channel: Channel, z: Units, code: Code) -> Units:
    return channel.log_prob(z, code)


def _log_mean(values: Float[Array, "... k"]) -> Float[Array, ...]:
    most = jnp.max(values, axis=-1, keepdims=True)
    safe = jnp.where(jnp.isfinite(most), most, 0.0)
    found: jax.Array = jnp.log(jnp.exp(values - safe).mean(-1)) + safe[..., 0]
    return found
