"""Multiplicative normal noise, Z = U (1 + std N): what Gaussian and variational dropout share."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from capacity.channels.channel import Channel, Code
from capacity.channels.gaussian import LOG_2PI
from capacity.channels.inner_noise import Noise
from capacity.runtime.shapes import Key, Units


class Scaled(NamedTuple):
    """Units and the log of the rate alpha of their multiplicative noise, two arrays (units,)."""

    mean: Units
    log_alpha: Units


class NormalFactor(Channel):
    """Independent factors N(1, std^2) on every unit, std by `relative_std`.

    Reference measure: Lebesgue's, and an atom at 0, where a unit of exactly 0 stays; `full_support` is meant but for
    units of exactly 0.  Gradients pass as if the normal draw were constant (pathwise, exact).
    """

    normal: ClassVar[bool] = True

    @abstractmethod
    def relative_std(self, u: Code) -> Float[Array, ...]:
        """Standard deviation of the factor of each unit, shape () or (units,)."""

    def __call__(self, key: Key, u: Code) -> Units:
        units = self.signal(u)
        factor = 1 + self.relative_std(u) * jax.random.normal(key, units.shape, units.dtype)
        return units * jnp.where(factor == 0, jnp.finfo(units.dtype).eps, factor)  # 0 is left to units of 0

    def log_prob(self, z: Units, u: Code) -> Units:
        """Normal log density, or where the unit is 0 that of the atom there; shape (units,), nats."""
        mean, std = self.signal(u), self._std_of(u)
        still = std == 0
        safe = jnp.where(still, 1.0, std)
        density = -0.5 * jnp.square((z - mean) / safe) - jnp.log(safe) - 0.5 * LOG_2PI
        return jnp.where(still, jnp.where(z == mean, 0.0, -jnp.inf), jnp.where(z == 0, -jnp.inf, density))

    def moments(self, u: Code) -> tuple[Units, Units]:
        """Mean u and variance std^2 u^2."""
        return self.signal(u), jnp.square(self._std_of(u))

    def entropy(self, u: Code) -> Units:
        """1/2 log(2 pi e std^2 u^2) nats a unit, 0 where it is 0."""
        std = self._std_of(u)
        return jnp.where(std == 0, 0.0, jnp.log(jnp.where(std == 0, 1.0, std)) + 0.5 * (1 + LOG_2PI))

    def noised(self, u: Code, noise: Noise) -> Units:
        units = self.signal(u)
        return units * (1 + self.relative_std(u) * noise.normal.astype(units.dtype))

    def _std_of(self, u: Code) -> jax.Array:
        return self.relative_std(u) * jnp.abs(self.signal(u))
