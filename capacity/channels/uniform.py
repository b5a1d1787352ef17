"""Additive uniform noise: Z = U + N, N uniform on (-epsilon, epsilon).

Under a power, capacity <= h(Z) - log 2 epsilon <= 1/2 log2( (pi e/6) (1 + 3 P/epsilon^2) ): the Gaussian channel of
the same noise variance, and how far the noise is from Gaussian (Ihara 1978, Information and Control 37, 34-39).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from capacity.channels.additive import AdditiveNoise
from capacity.channels.channel import Number, Powers, check_level
from capacity.results.estimate import NATS_PER_BIT
from capacity.runtime.pytrees import register_dataclass
from capacity.runtime.shapes import Key, Units

SINGLE_ROUNDING = 2.0**-23  # relative rounding of a sum in float32: the noise's edges are told to no better than that


@register_dataclass
@dataclass(frozen=True)
class Uniform(AdditiveNoise):
    """Independent uniform noise within +-`half_width` (epsilon, the level) on every unit; Lebesgue density.

    The ceiling is an upper bound on the capacity under a power, above it by at most 1/2 log2(pi e/6) = 0.2546 bits
    (entropy-power inequality).  Gradients pass as if the noise were constant (pathwise, exact).

    Raises:
        ValueError: unless the half width is positive.
    """

    half_width: Number
    full_support: ClassVar[bool] = False
    name: ClassVar[str] = "uniform"
    summary: ClassVar[str] = "additive uniform noise within +-epsilon; ceiling 1/2 log2(pi e/6 (1 + 3P/epsilon^2))"

    def __post_init__(self) -> None:
        check_level("half_width", self.half_width, 0.0, np.inf, "()")

    def __call__(self, key: Key, u: Units) -> Units:
        return u + self.half_width * jax.random.uniform(key, u.shape, u.dtype, -1.0, 1.0)

    def log_noise(self, e: jax.Array) -> jax.Array:
        half_width = jnp.asarray(self.half_width, e.dtype)
        return jnp.where(jnp.abs(e) <= half_width, -jnp.log(2 * half_width), -jnp.inf)

    def quantile(self, normal: jax.Array) -> jax.Array:
        return jnp.asarray(self.half_width, normal.dtype) * jax.scipy.special.erf(normal / math.sqrt(2))

    def log_prob(self, z: Units, u: Units) -> Units:
        """-log 2 epsilon within epsilon of u, else -inf; shape (units,), nats."""
        half_width = jnp.asarray(self.half_width, z.dtype)
        inside = jnp.abs(z - u) <= half_width + SINGLE_ROUNDING * (jnp.abs(z) + jnp.abs(u))
        return jnp.where(inside, -jnp.log(2 * half_width), -jnp.inf)

    def moments(self, u: Units) -> tuple[Units, Units]:
        """Mean u and variance epsilon^2/3."""
        return u, jnp.broadcast_to(jnp.square(jnp.asarray(self.half_width, u.dtype)) / 3, u.shape)

    def entropy(self, u: Units) -> Units:
        """log 2 epsilon nats a unit."""
        return jnp.broadcast_to(jnp.log(2 * jnp.asarray(self.half_width, u.dtype)), u.shape)

    def ceiling(self, power: Powers) -> Powers:
        """1/2 log2(pi e/6 (1 + 3 power/epsilon^2)) bits per unit, an upper bound on the capacity."""
        snr = 3 * power / jnp.square(jnp.asarray(self.half_width))
        return 0.5 * (jnp.log1p(snr) + math.log(math.pi * math.e / 6)) / NATS_PER_BIT
