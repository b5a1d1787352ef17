"""Variational dropout: Z = U N, N normal of mean 1 and learnt variance alpha (Kingma, Salimans & Welling 2015).

Gaussian dropout whose rate p = alpha/(1 + alpha) is learnt for each unit.  What keeps alpha from 0 is the divergence
from a log-uniform prior, which depends on alpha alone: the posterior that leaves the scale of a unit free.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from capacity.channels.channel import no_ceiling
from capacity.channels.gaussian_dropout import scaled_entropy, scaled_log_prob


class Scaled(NamedTuple):
    """Units and the log of the rate alpha of their multiplicative noise, two arrays (units,)."""

    mean: jax.Array
    log_alpha: jax.Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class VariationalDropout:
    """Independent multiplicative Gaussian noise N(1, alpha), alpha part of the code: of a unit, or of unit and message.

    Reference measure: Lebesgue's, and an atom at 0, where a unit of exactly 0 stays.
    Gradients pass to mean and alpha as if the normal draw were constant (pathwise, exact).
    """

    normal: ClassVar[bool] = True
    memoryless: ClassVar[bool] = True
    atomic: ClassVar[bool] = False
    full_support: ClassVar[bool] = True  # but for units of exactly 0
    has_entropy: ClassVar[bool] = True
    has_ceiling: ClassVar[bool] = False
    name: ClassVar[str] = "variational_dropout"
    summary: ClassVar[str] = "multiplicative noise N(1, alpha) with learnt alpha; no ceiling, its divergence limits it"
    constraint: ClassVar[str] = ""
    statement: ClassVar[str] = "alpha is learnt and may go to 0 at any power"

    def __call__(self, key: jax.Array, u: Scaled) -> jax.Array:
        """Noisy units, shape (units,)."""
        factor = 1 + jnp.exp(0.5 * u.log_alpha) * jax.random.normal(key, u.mean.shape, u.mean.dtype)
        return u.mean * jnp.where(factor == 0, jnp.finfo(u.mean.dtype).eps, factor)  # 0 is left to units of 0

    def log_prob(self, z: jax.Array, u: Scaled) -> jax.Array:
        """Log density of each unit, shape (units,), nats."""
        return scaled_log_prob(z, u.mean, self._std(u))

    def moments(self, u: Scaled) -> tuple[jax.Array, jax.Array]:
        """Mean u and variance alpha u^2."""
        return u.mean, jnp.square(self._std(u))

    def entropy(self, u: Scaled) -> jax.Array:
        """1/2 log(2 pi e alpha u^2) nats a unit, 0 where it is 0."""
        return scaled_entropy(self._std(u))

    def signal(self, u: Scaled) -> jax.Array:
        """The units without noise."""
        return u.mean

    def ceiling(self, power: jax.Array) -> jax.Array:
        """Refused.

        Raises:
            ValueError: always.
        """
        raise no_ceiling(self)

    def divergence(self, u: Scaled) -> jax.Array:
        """KL(p(z|u) || log-uniform) of each unit in nats, up to the prior's constant; 0 as alpha grows.

        The approximation of Molchanov, Ashukha & Vetrov (2017, equation 14), good to about 0.01 nats at any alpha.
        """
        k1, k2, k3 = 0.63576, 1.87320, 1.48695
        return k1 + 0.5 * jax.nn.softplus(-u.log_alpha) - k1 * jax.nn.sigmoid(k2 + k3 * u.log_alpha)

    def _std(self, u: Scaled) -> jax.Array:
        return jnp.exp(0.5 * u.log_alpha) * jnp.abs(u.mean)
