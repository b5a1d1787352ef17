"""Additive Gaussian noise of one fixed strength: Z = U + sigma N, at most 1/2 log2(1 + power/sigma^2) bits a unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp

from capacity.results.estimate import NATS_PER_BIT

LOG_2PI = 1.8378770664093453


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Gaussian:
    """Independent Gaussian noise of standard deviation `sigma` (the level, an array leaf) on every unit;
    Lebesgue density.

    Source: Shannon (1948), theorem 17; Cover & Thomas (2006), chapter 9.
    """

    sigma: float | jax.Array
    normal: ClassVar[bool] = True
    memoryless: ClassVar[bool] = True
    atomic: ClassVar[bool] = False
    full_support: ClassVar[bool] = True
    has_entropy: ClassVar[bool] = True
    has_ceiling: ClassVar[bool] = True
    name: ClassVar[str] = "gaussian"
    summary: ClassVar[str] = "additive Gaussian noise of fixed sigma; ceiling 1/2 log2(1 + P/sigma^2) bits per unit"
    constraint: ClassVar[str] = "E[u^2] <= power"
    statement: ClassVar[str] = ""

    def __call__(self, key: jax.Array, u: jax.Array) -> jax.Array:
        """Noisy units, shape (units,)."""
        return u + self.sigma * jax.random.normal(key, u.shape, u.dtype)

    def log_prob(self, z: jax.Array, u: jax.Array) -> jax.Array:
        """Log density of each unit, shape (units,), nats."""
        precision = 1 / jnp.asarray(self.sigma, z.dtype)  # once per code: a division for every pair would cost twice
        return -0.5 * jnp.square((z - u) * precision) + (jnp.log(precision) - 0.5 * LOG_2PI)

    def moments(self, u: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Mean u and variance sigma^2."""
        return u, jnp.broadcast_to(jnp.square(jnp.asarray(self.sigma, u.dtype)), u.shape)

    def entropy(self, u: jax.Array) -> jax.Array:
        """1/2 log(2 pi e sigma^2) nats a unit."""
        return jnp.broadcast_to(jnp.log(jnp.asarray(self.sigma, u.dtype)) + 0.5 * (1 + LOG_2PI), u.shape)

    def signal(self, u: jax.Array) -> jax.Array:
        """The units themselves."""
        return u

    def ceiling(self, power: jax.Array) -> jax.Array:
        """1/2 log2(1 + power/sigma^2) bits per unit."""
        return 0.5 * jnp.log1p(power / jnp.square(jnp.asarray(self.sigma))) / NATS_PER_BIT
