"""Additive Gaussian noise of one fixed strength: Z = U + sigma N, at most 1/2 log2(1 + power/sigma^2) bits a unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp

from capacity.channels.additive import LOG_2PI, AdditiveNoise
from capacity.channels.channel import Number, Powers
from capacity.results.estimate import NATS_PER_BIT
from capacity.runtime.pytrees import register_dataclass
from capacity.runtime.shapes import Key, Units

__all__ = ["LOG_2PI", "Gaussian"]


@register_dataclass
@dataclass(frozen=True)
class Gaussian(AdditiveNoise):
    """Independent Gaussian noise of standard deviation `sigma` (the level, an array leaf) on every unit;
    Lebesgue density.

    Source: Shannon (1948), theorem 17; Cover & Thomas (2006), chapter 9.
    """

    sigma: Number
    normal: ClassVar[bool] = True
    name: ClassVar[str] = "gaussian"
    summary: ClassVar[str] = "additive Gaussian noise of fixed sigma; ceiling 1/2 log2(1 + P/sigma^2) bits per unit"

    def __post_init__(self) -> None:
        """Takes any sigma, also 0: then it is no noise."""

    def __call__(self, key: Key, u: Units) -> Units:
        return u + self.sigma * jax.random.normal(key, u.shape, u.dtype)

    def log_noise(self, e: jax.Array) -> jax.Array:
        precision = 1 / jnp.asarray(self.sigma, e.dtype)  # once per code: a division for every pair would cost twice
        return -0.5 * jnp.square(e * precision) + (jnp.log(precision) - 0.5 * LOG_2PI)

    def quantile(self, normal: jax.Array) -> jax.Array:
        return jnp.asarray(self.sigma, normal.dtype) * normal

    def moments(self, u: Units) -> tuple[Units, Units]:
        """Mean u and variance sigma^2."""
        return u, jnp.broadcast_to(jnp.square(jnp.asarray(self.sigma, u.dtype)), u.shape)

    def entropy(self, u: Units) -> Units:
        """1/2 log(2 pi e sigma^2) nats a unit."""
        return jnp.broadcast_to(jnp.log(jnp.asarray(self.sigma, u.dtype)) + 0.5 * (1 + LOG_2PI), u.shape)

    def ceiling(self, power: Powers) -> Powers:
        """1/2 log2(1 + power/sigma^2) bits per unit."""
        return 0.5 * jnp.log1p(power / jnp.square(jnp.asarray(self.sigma))) / NATS_PER_BIT
