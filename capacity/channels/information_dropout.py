"""Information dropout: Z = U exp(alpha N), log-normal noise of learnt strength (Achille & Soatto 2018).

Deterministic at alpha = 0; what keeps it from there is the weight of the divergence in the information bottleneck.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp

from capacity.channels.channel import Channel
from capacity.channels.gaussian import LOG_2PI
from capacity.channels.inner_noise import Noise, NoiseShape
from capacity.channels.multiplicative import Scaled
from capacity.runtime.pytrees import register_dataclass
from capacity.runtime.shapes import Key, Units


@register_dataclass
@dataclass(frozen=True)
class InformationDropout(Channel):
    """Independent log-normal factors exp(alpha N) on every unit; the code is `Scaled`, log alpha learnt.

    Reference measure: Lebesgue's, and an atom at 0, where a unit of exactly 0 (a ReLU's) stays.  Signs are kept.
    Gradients pass to units and alpha as if the normal draw were constant (pathwise, exact).
    """

    # `full_support` among units of one sign (softplus); a ReLU's 0 and other signs are told.
    code: ClassVar[type] = Scaled
    name: ClassVar[str] = "information_dropout"
    summary: ClassVar[str] = "multiplicative log-normal noise with learnt alpha; no ceiling, its divergence limits it"
    no_ceiling_because: ClassVar[str] = "alpha is learnt and may go to 0 at any power"

    def __call__(self, key: Key, u: Scaled) -> Units:
        """Noisy units, shape (units,)."""
        return u.mean * jnp.exp(jnp.exp(u.log_alpha) * jax.random.normal(key, u.mean.shape, u.mean.dtype))

    def log_prob(self, z: Units, u: Scaled) -> Units:
        """Log density of each unit, shape (units,), nats: normal in log|z|; -inf for the other sign."""
        still, possible = u.mean == 0, jnp.sign(z) == jnp.sign(u.mean)
        log_z = jnp.log(jnp.abs(jnp.where(z == 0, 1.0, z)))
        log_u = jnp.log(jnp.abs(jnp.where(still, 1.0, u.mean)))
        white = (log_z - log_u) * jnp.exp(-u.log_alpha)
        density = -0.5 * jnp.square(white) - u.log_alpha - 0.5 * LOG_2PI - log_z
        return jnp.where(possible, jnp.where(still, 0.0, density), -jnp.inf)

    def moments(self, u: Scaled) -> tuple[Units, Units]:
        """u exp(alpha^2/2), and u^2 exp(alpha^2) (exp(alpha^2) - 1)."""
        variance = jnp.exp(2 * u.log_alpha)
        return u.mean * jnp.exp(0.5 * variance), jnp.square(u.mean) * jnp.exp(variance) * jnp.expm1(variance)

    def entropy(self, u: Scaled) -> Units:
        """log|u| + log alpha + 1/2 log(2 pi e) nats a unit, 0 where it is 0."""
        still = u.mean == 0
        log_u = jnp.log(jnp.abs(jnp.where(still, 1.0, u.mean)))
        return jnp.where(still, 0.0, log_u + u.log_alpha + 0.5 * (1 + LOG_2PI))

    def noise_shape(self, u: Scaled) -> NoiseShape:
        return NoiseShape(u.mean.shape[0], 0, 1)

    def noised(self, u: Scaled, noise: Noise) -> Units:
        return u.mean * jnp.exp(jnp.exp(u.log_alpha) * noise.normal.astype(u.mean.dtype))

    def divergence(self, u: Scaled, mean: jax.Array | float = 0.0, std: jax.Array | float = 1.0) -> Units:
        """KL(p(z|u) || log-normal(mean, std^2)) of each unit, nats (Achille & Soatto 2018, proposition 3).

        For units other than 0 (softplus).
        """
        ratio = jnp.square((jnp.log(jnp.abs(u.mean)) - mean) / std) + jnp.exp(2 * u.log_alpha) / jnp.square(std)
        return 0.5 * (ratio - 1) + jnp.log(std) - u.log_alpha
