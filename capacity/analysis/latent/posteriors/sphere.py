"""Posteriors on the sphere: q(z|i) = C_d(kappa) exp(kappa mu'z), |z| = |mu| = 1 (Mardia & Jupp 2000, section 9.3.2).

    log C_d(kappa) = (d/2 - 1) log kappa - d/2 log 2 pi - log I_{d/2-1}(kappa)
    E z = A mu, A = I_{d/2}(kappa) / I_{d/2-1}(kappa);   entropy = -log C_d(kappa) - kappa A

Densities are with respect to the sphere's own measure.  Draws by Wood (1994, Commun. Stat. Simul. Comput. 23, 157).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpy.typing import ArrayLike
from scipy.special import gammaln, hyp0f1, ive

from capacity.analysis.latent.posteriors.points import Posteriors, TableLeaf, real_table
from capacity.channels import Channel
from capacity.runtime.pytrees import register_dataclass
from capacity.runtime.shapes import Key, Units

UNIT_LENGTH = 1e-3  # how far the length of a direction may be from 1


class Directed(NamedTuple):
    """Direction (units,), and of each (1,): concentration, log normaliser log C, and mean length A."""

    direction: Units
    kappa: Float[Array, " 1"]
    log_normaliser: Float[Array, " 1"]
    length: Float[Array, " 1"]


@register_dataclass
@dataclass(frozen=True)
class VonMisesFisher(Channel):
    """Noise on the sphere about a direction, as strong as the encoder chooses.

    Log densities and entropies stand spread evenly over the units: only their sums mean something.
    """

    memoryless: ClassVar[bool] = False
    code: ClassVar[type] = Directed
    name: ClassVar[str] = "von_mises_fisher"
    summary: ClassVar[str] = "noise on the sphere about a direction, whose concentration the encoder learns"
    no_ceiling_because: ClassVar[str] = "the concentration is learnt and may grow at any power"

    def __call__(self, key: Key, u: Directed) -> Units:
        dim, kappa = u.direction.shape[0], u.kappa[0]
        along, across = jax.random.split(key)
        t = _along(along, dim, kappa)
        side = jax.random.normal(across, u.direction.shape, u.direction.dtype)
        for _ in range(2):  # where little is left, rounding has a part along the direction
            side = side - (side @ u.direction) * u.direction
        side = side / jnp.sqrt(jnp.square(side).sum())
        return t * u.direction + jnp.sqrt(jnp.maximum(1 - t * t, 0.0)) * side

    def log_prob(self, z: Units, u: Directed) -> Units:
        """The log density over the number of units, shape (units,), nats."""
        total = u.log_normaliser[0] + u.kappa[0] * (z @ u.direction)
        return jnp.broadcast_to(total / z.shape[0], z.shape)

    def moments(self, u: Directed) -> tuple[Units, Units]:
        """Mean and variance of each entry."""
        return u.length * u.direction, jnp.diagonal(self.covariance(u))

    def covariance(self, u: Directed) -> Float[Array, "units units"]:
        """Along the direction and across it."""
        dim = u.direction.shape[0]
        across = u.length[0] / u.kappa[0]
        along = 1 - (dim - 1) * across - jnp.square(u.length[0])
        outer = jnp.outer(u.direction, u.direction)
        return along * outer + across * (jnp.eye(dim, dtype=u.direction.dtype) - outer)

    def entropy(self, u: Directed) -> Units:
        """The entropy over the number of units, shape (units,), nats."""
        total = -u.log_normaliser - u.kappa * u.length
        return jnp.broadcast_to(total / u.direction.shape[0], u.direction.shape)

    def signal(self, u: Directed) -> Units:
        """The direction itself, shape (units,)."""
        return u.direction


def _along(key: Key, dim: int, kappa: jax.Array) -> jax.Array:
    """The part of a draw along its direction, by rejection."""
    root = jnp.sqrt(4 * kappa**2 + (dim - 1) ** 2)
    b = (dim - 1) / (root + 2 * kappa)
    x = (1 - b) / (1 + b)
    most = kappa * x + (dim - 1) * jnp.log1p(-x * x)

    def attempt(held: tuple[jax.Array, jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array, jax.Array]:
        key, *keys = jax.random.split(held[0], 3)
        half = jnp.asarray((dim - 1) / 2, kappa.dtype)
        e = jax.random.beta(keys[0], half, half, dtype=kappa.dtype)
        w = (1 - (1 + b) * e) / (1 - (1 - b) * e)
        log_u = jnp.log(jax.random.uniform(keys[1], (), kappa.dtype))
        return key, w, kappa * w + (dim - 1) * jnp.log1p(-x * w) - most >= log_u

    start = key, jnp.ones_like(kappa), jnp.zeros((), bool)
    found: jax.Array = jax.lax.while_loop(lambda held: ~held[2], attempt, start)[1]
    return found


def log_bessel(order: float, x: np.ndarray) -> np.ndarray:
    """log I_order(x), x above 0; by the power series where the scaled function is too small for its numbers."""
    with np.errstate(divide="ignore"):
        scaled = np.log(ive(order, x)) + x
        series = order * np.log(x / 2) - gammaln(order + 1) + np.log(hyp0f1(order + 1, x * x / 4))
    return np.asarray(np.where(np.isfinite(scaled), scaled, series))


def log_area(dim: int) -> float:
    """Log of the measure of the sphere in `dim` dimensions, nats."""
    return float(np.log(2) + dim / 2 * np.log(np.pi) - gammaln(dim / 2))


def von_mises_fisher(directions: ArrayLike, concentrations: ArrayLike) -> Posteriors:
    """Posteriors on the sphere.

    Args:
        directions: (N, units), of length 1, units at least 2.
        concentrations: (N,) or (N, 1), above 0.

    Raises:
        ValueError: for shapes that do not fit, directions of another length and concentrations that are not above 0.
    """
    direction = real_table(directions, "directions")
    kappa: TableLeaf = np.asarray(concentrations, np.float64).reshape(-1, 1)
    if len(kappa) != len(direction) or direction.shape[1] < 2:
        raise ValueError(
            f"Expected directions (N, 2 or more) and as many concentrations; got {direction.shape}, {kappa.shape}."
        )
    if not (np.isfinite(kappa).all() and (kappa > 0).all()):
        raise ValueError(f"Expected concentrations above 0; got {kappa.min():.4g}.")
    length = np.linalg.norm(direction, axis=1, keepdims=True)
    if (np.abs(length - 1) > UNIT_LENGTH).any():
        raise ValueError(f"Expected directions of length 1; got {length.min():.4g} to {length.max():.4g}.")
    dim = direction.shape[1]
    below, above = log_bessel(dim / 2 - 1, kappa), log_bessel(dim / 2, kappa)
    log_normaliser = (dim / 2 - 1) * np.log(kappa) - dim / 2 * np.log(2 * np.pi) - below
    mean_length: TableLeaf = np.exp(above - below)
    code = Directed(direction / length, kappa, log_normaliser, mean_length)
    return Posteriors(VonMisesFisher(), code, "sphere", sliced=False)
