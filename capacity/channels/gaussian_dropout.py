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
from jaxtyping import Array, Float

from capacity.channels.channel import Number, Powers, check_level, no_ceiling
from capacity.channels.constraint import Constraint
from capacity.channels.multiplicative import NormalFactor
from capacity.results.estimate import NATS_PER_BIT
from capacity.runtime.pytrees import register_dataclass
from capacity.runtime.shapes import Units


@register_dataclass
@dataclass(frozen=True)
class GaussianDropout(NormalFactor):
    """Independent multiplicative Gaussian noise matched to dropout of `rate` p, the level.

    Reference measure: Lebesgue's, and an atom at 0, where a unit of exactly 0 stays.
    Gradients pass as if the factor were constant (pathwise, exact).

    Attributes:
        rate: p, between 0 and 1.
        values: (-a, a) if units are held to these two values; only then is there a ceiling.

    Raises:
        ValueError: if the rate is out of its range, or the values are no such pair.
    """

    rate: Number
    values: tuple[float, ...] | None = field(default=None, metadata={"static": True})
    name: ClassVar[str] = "gaussian_dropout"
    summary: ClassVar[str] = "multiplicative noise N(1, p/(1-p)); on +-1 units a Gaussian channel of SNR (1-p)/p"

    def __post_init__(self) -> None:
        check_level("rate", self.rate, 0.0, 1.0, "()")
        if self.values is not None and (len(self.values) != 2 or sum(self.values) != 0 or self.values[0] == 0):
            raise ValueError(f"Expected values (-a, a), or None; got {self.values}.")

    @property
    def presumes(self) -> Constraint | None:
        """The two values, where units are held to them."""
        return None if self.values is None else Constraint("signs", abs(self.values[0]))

    @property
    def no_ceiling_because(self) -> str:
        if self.has_ceiling:
            return ""
        return "noise in proportion to a unit leaves unlimited information in its order of magnitude, at any power"

    @property
    def _std(self) -> jax.Array:
        return jnp.sqrt(jnp.asarray(self.rate) / (1 - jnp.asarray(self.rate)))

    def relative_std(self, u: Units) -> Float[Array, ""]:
        """sqrt(p/(1 - p)), the same for all units."""
        return self._std.astype(u.dtype)

    def ceiling(self, power: Powers) -> Powers:
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
