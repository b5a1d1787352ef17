"""A VAE's noise: Z = mean(x) + sigma(x) N, both learnt (Kingma & Welling 2014).

Since the encoder sets its own noise, no ceiling follows from the power: what limits it is the rate that it pays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from capacity.channels.channel import no_ceiling
from capacity.channels.gaussian import LOG_2PI


class Posterior(NamedTuple):
    """Mean and log standard deviation of each unit, two arrays (units,)."""

    mean: jax.Array
    log_std: jax.Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class LearntGaussian:
    """Independent Gaussian noise whose strength the encoder chooses for every unit and message; Lebesgue density."""

    normal: ClassVar[bool] = True
    memoryless: ClassVar[bool] = True
    atomic: ClassVar[bool] = False
    full_support: ClassVar[bool] = True
    has_entropy: ClassVar[bool] = True
    has_ceiling: ClassVar[bool] = False
    name: ClassVar[str] = "learnt_gaussian"
    summary: ClassVar[str] = (
        "Gaussian noise whose sigma(x) the encoder learns; no ceiling from power, the rate limits it"
    )
    constraint: ClassVar[str] = ""
    statement: ClassVar[str] = "sigma is learnt and may go to 0 at any power"

    def __call__(self, key: jax.Array, u: Posterior) -> jax.Array:
        """Noisy units, shape (units,)."""
        return u.mean + jnp.exp(u.log_std) * jax.random.normal(key, u.mean.shape, u.mean.dtype)

    def log_prob(self, z: jax.Array, u: Posterior) -> jax.Array:
        """Log density of each unit, shape (units,), nats."""
        return -0.5 * jnp.square((z - u.mean) * jnp.exp(-u.log_std)) - (u.log_std + 0.5 * LOG_2PI)

    def moments(self, u: Posterior) -> tuple[jax.Array, jax.Array]:
        """The posterior's mean and variance."""
        return u.mean, jnp.exp(2 * u.log_std)

    def entropy(self, u: Posterior) -> jax.Array:
        """log sigma(x) + 1/2 log(2 pi e) nats a unit."""
        return u.log_std + 0.5 * (1 + LOG_2PI)

    def signal(self, u: Posterior) -> jax.Array:
        """The posterior's mean."""
        return u.mean

    def ceiling(self, power: jax.Array) -> jax.Array:
        """Refused: the encoder may shrink its noise at any power.

        Raises:
            ValueError: always.
        """
        raise no_ceiling(self)
