"""Variational dropout: Z = U N, N normal of mean 1 and learnt variance alpha (Kingma, Salimans & Welling 2015).

Gaussian dropout whose rate p = alpha/(1 + alpha) is learnt for each unit.  What keeps alpha from 0 is the divergence
from a log-uniform prior, which depends on alpha alone: the posterior that leaves the scale of a unit free.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp

from capacity.channels.multiplicative import NormalFactor, Scaled
from capacity.runtime.pytrees import register_dataclass
from capacity.runtime.shapes import Units


@register_dataclass
@dataclass(frozen=True)
class VariationalDropout(NormalFactor):
    """Independent multiplicative Gaussian noise N(1, alpha), alpha part of the code: of a unit, or of unit and message.

    Reference measure: Lebesgue's, and an atom at 0, where a unit of exactly 0 stays.
    Gradients pass to mean and alpha as if the normal draw were constant (pathwise, exact).
    """

    code: ClassVar[type] = Scaled
    name: ClassVar[str] = "variational_dropout"
    summary: ClassVar[str] = "multiplicative noise N(1, alpha) with learnt alpha; no ceiling, its divergence limits it"
    no_ceiling_because: ClassVar[str] = "alpha is learnt and may go to 0 at any power"

    def relative_std(self, u: Scaled) -> Units:
        """sqrt(alpha) of each unit."""
        return jnp.exp(0.5 * u.log_alpha)

    def divergence(self, u: Scaled) -> Units:
        """KL(p(z|u) || log-uniform) of each unit in nats, up to the prior's constant; 0 as alpha grows.

        The approximation of Molchanov, Ashukha & Vetrov (2017, equation 14), good to about 0.01 nats at any alpha.
        """
        k1, k2, k3 = 0.63576, 1.87320, 1.48695
        return k1 + 0.5 * jax.nn.softplus(-u.log_alpha) - k1 * jax.nn.sigmoid(k2 + k3 * u.log_alpha)
