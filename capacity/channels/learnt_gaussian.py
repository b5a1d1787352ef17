"""A VAE's noise: Z = mean(x) + sigma(x) N, both learnt (Kingma & Welling 2014).

Since the encoder sets its own noise, no ceiling follows from the power: what limits it is the rate that it pays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp

from capacity.channels.channel import Channel
from capacity.channels.gaussian import LOG_2PI
from capacity.runtime.pytrees import register_dataclass
from capacity.runtime.shapes import Key, Units


class Posterior(NamedTuple):
    """Mean and log standard deviation of each unit, two arrays (units,)."""

    mean: Units
    log_std: Units


@register_dataclass
@dataclass(frozen=True)
class LearntGaussian(Channel):
    """Independent Gaussian noise whose strength the encoder chooses for every unit and message; Lebesgue density."""

    normal: ClassVar[bool] = True
    code: ClassVar[type] = Posterior
    name: ClassVar[str] = "learnt_gaussian"
    summary: ClassVar[str] = (
        "Gaussian noise whose sigma(x) the encoder learns; no ceiling from power, the rate limits it"
    )
    no_ceiling_because: ClassVar[str] = "sigma is learnt and may go to 0 at any power"

    def __call__(self, key: Key, u: Posterior) -> Units:
        """Noisy units, shape (units,)."""
        return u.mean + jnp.exp(u.log_std) * jax.random.normal(key, u.mean.shape, u.mean.dtype)

    def log_prob(self, z: Units, u: Posterior) -> Units:
        """Log density of each unit, shape (units,), nats."""
        return -0.5 * jnp.square((z - u.mean) * jnp.exp(-u.log_std)) - (u.log_std + 0.5 * LOG_2PI)

    def moments(self, u: Posterior) -> tuple[Units, Units]:
        """The posterior's mean and variance."""
        return u.mean, jnp.exp(2 * u.log_std)

    def entropy(self, u: Posterior) -> Units:
        """log sigma(x) + 1/2 log(2 pi e) nats a unit."""
        return u.log_std + 0.5 * (1 + LOG_2PI)
