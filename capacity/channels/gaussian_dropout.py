"""Gaussian dropout: Z = U N, N normal of mean 1 and variance p/(1 - p) (Srivastava et al. 2014, section 10).

On units of +-a it is a Gaussian channel of signal-to-noise ratio (1 - p)/p.  A real-valued unit is another matter:
noise that scales with the unit leaves log|u| a channel of its own without any power limit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from capacity.channels.channel import check_level, no_ceiling
from capacity.channels.gaussian import LOG_2PI
from capacity.results.estimate import NATS_PER_BIT


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class GaussianDropout:
    """Independent multiplicative Gaussian noise matched to dropout of `rate` p, the level.

    Reference measure: Lebesgue's, and an atom at 0, where a unit of exactly 0 stays.
    Gradients pass as if the factor were constant (pathwise, exact).

    Attributes:
        rate: p, between 0 and 1.
        values: (-a, a) if units are held to these two values; only then is there a ceiling.

    Raises:
        ValueError: if the rate is out of its range, or the values are no such pair.
    """

    rate: float | jax.Array
    values: tuple[float, ...] | None = field(default=None, metadata={"static": True})
    normal: ClassVar[bool] = True
    memoryless: ClassVar[bool] = True
    atomic: ClassVar[bool] = False
    full_support: ClassVar[bool] = True  # but for units of exactly 0
    has_entropy: ClassVar[bool] = True
    name: ClassVar[str] = "gaussian_dropout"
    summary: ClassVar[str] = "multiplicative noise N(1, p/(1-p)); on +-1 units a Gaussian channel of SNR (1-p)/p"

    def __post_init__(self) -> None:
        check_level("rate", self.rate, 0.0, 1.0, "()")
        if self.values is not None and (len(self.values) != 2 or sum(self.values) != 0 or self.values[0] == 0):
            raise ValueError(f"Expected values (-a, a), or None; got {self.values}.")

    @property
    def has_ceiling(self) -> bool:
        """Whether units are held to two opposite values."""
        return self.values is not None

    @property
    def constraint(self) -> str:
        """The values."""
        return "" if self.values is None else f"u = ±{abs(self.values[0]):g}"

    @property
    def statement(self) -> str:
        """Why real-valued units have no ceiling."""
        if self.has_ceiling:
            return ""
        return "noise in proportion to a unit leaves unlimited information in its order of magnitude, at any power"

    @property
    def _std(self) -> jax.Array:
        return jnp.sqrt(jnp.asarray(self.rate) / (1 - jnp.asarray(self.rate)))

    def __call__(self, key: jax.Array, u: jax.Array) -> jax.Array:
        """Noisy units, shape (units,)."""
        factor = 1 + self._std.astype(u.dtype) * jax.random.normal(key, u.shape, u.dtype)
        return u * jnp.where(factor == 0, jnp.finfo(u.dtype).eps, factor)  # 0 is left to units of 0

    def log_prob(self, z: jax.Array, u: jax.Array) -> jax.Array:
        """Log density of each unit, shape (units,), nats."""
        return scaled_log_prob(z, u, self._std.astype(z.dtype) * jnp.abs(u))

    def moments(self, u: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Mean u and variance u^2 p/(1 - p)."""
        return u, jnp.square(self._std.astype(u.dtype) * u)

    def entropy(self, u: jax.Array) -> jax.Array:
        """1/2 log(2 pi e u^2 p/(1 - p)) nats a unit, 0 where it is 0."""
        return scaled_entropy(self._std.astype(u.dtype) * jnp.abs(u))

    def signal(self, u: jax.Array) -> jax.Array:
        """The units themselves."""
        return u

    def admits(self, u: jax.Array) -> jax.Array:
        """Whether each unit is one of the values, (units,)."""
        return jnp.ones(u.shape, bool) if self.values is None else jnp.abs(u) == abs(self.values[0])

    def ceiling(self, power: jax.Array) -> jax.Array:
        """Bits per unit of +-a through a Gaussian channel of SNR (1 - p)/p, whatever the power.

        Raises:
            ValueError: for real-valued units.
        """
        if self.values is None:
            raise no_ceiling(self)
        bits = binary_input_bits(1 / jnp.square(self._std))
        return jnp.broadcast_to(bits.astype(jnp.result_type(power)), jnp.shape(power))


def binary_input_bits(snr: jax.Array) -> jax.Array:
    """Bits of a fair +-1 input in Gaussian noise: 1 - E log2(1 + exp(-2 (snr + sqrt(snr) N))); trapezoid rule."""
    normal = np.linspace(-8, 8, 257)
    weights = np.exp(-0.5 * normal**2) / np.exp(-0.5 * normal**2).sum()
    nodes, weights = jnp.asarray(normal, snr.dtype), jnp.asarray(weights, snr.dtype)
    return 1 - weights @ jax.nn.softplus(-2 * (snr + jnp.sqrt(snr) * nodes)) / NATS_PER_BIT


def scaled_log_prob(z: jax.Array, mean: jax.Array, std: jax.Array) -> jax.Array:
    """Normal log density, or where the deviation is 0 that of the atom there; nats."""
    still = std == 0
    safe = jnp.where(still, 1.0, std)
    density = -0.5 * jnp.square((z - mean) / safe) - jnp.log(safe) - 0.5 * LOG_2PI
    return jnp.where(still, jnp.where(z == mean, 0.0, -jnp.inf), jnp.where(z == 0, -jnp.inf, density))


def scaled_entropy(std: jax.Array) -> jax.Array:
    """Entropy in nats that goes with `scaled_log_prob`."""
    return jnp.where(std == 0, 0.0, jnp.log(jnp.where(std == 0, 1.0, std)) + 0.5 * (1 + LOG_2PI))
