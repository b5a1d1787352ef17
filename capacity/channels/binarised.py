"""Units made +-1: by their sign, or by a coin whose odds they set.  One bit a unit at most.

Gradients are straight-through (Bengio, Leonard & Courville 2013; Courbariaux et al. 2016): biased, and the standard.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax.scipy.special import xlogy
from jaxtyping import Array, Float

from capacity.channels.atoms import AtomicChannel, DeterministicChannel
from capacity.channels.channel import Number, Powers, check_level, straight_through
from capacity.channels.constraint import ANY, POWER, SIGNS, Constraint
from capacity.results.estimate import NATS_PER_BIT
from capacity.runtime.pytrees import register_dataclass
from capacity.runtime.shapes import Key, Units

RULES = ("sigmoid", "linear")


@register_dataclass
@dataclass(frozen=True)
class Binarised(DeterministicChannel):
    """Z = sign(U), +1 at 0: deterministic; mass 1 on the one atom.

    The gradient is that of clip(u, -1, 1): it passes as it is while |u| <= 1 (Courbariaux et al. 2016, equation 4).
    """

    emits: ClassVar[Constraint] = SIGNS
    presumes: ClassVar[Constraint] = ANY
    name: ClassVar[str] = "binarised"
    summary: ClassVar[str] = "the sign of each unit, straight-through gradient; ceiling 1 bit"

    def value(self, u: Units) -> Units:
        return _sign(u)

    def proxy(self, u: Units) -> Units:
        return jnp.clip(u, -1, 1)

    def signal(self, u: Units) -> Units:
        """The signs: what is sent; a scale before them changes nothing."""
        return _sign(u)

    def output_power(self, power: Powers) -> Powers:
        """1, the square of a sign."""
        return jnp.ones_like(power)

    def ceiling(self, power: Powers) -> Powers:
        """1 bit per unit, that of two values."""
        return jnp.ones(jnp.shape(power))


@register_dataclass
@dataclass(frozen=True)
class StochasticBinarised(AtomicChannel):
    """Z = +1 with probability sigmoid(u / temperature), or clip((1 + u/temperature)/2, 0, 1); else -1.

    Masses on the two atoms.  The gradient is that of E[Z|u], right on average where what follows is linear.

    Attributes:
        temperature: the level.
        rule: "sigmoid" or "linear" (the hard sigmoid of Courbariaux et al. 2016).

    Raises:
        ValueError: unless the temperature is positive and the rule one of these.
    """

    temperature: Number = 1.0
    rule: str = field(default="sigmoid", metadata={"static": True})
    emits: ClassVar[Constraint] = SIGNS
    presumes: ClassVar[Constraint] = POWER
    name: ClassVar[str] = "stochastic_binarised"
    summary: ClassVar[str] = "+-1 by a coin, P = sigmoid(u/T) or (1 + u/T)/2, straight-through; ceiling by power"

    def __post_init__(self) -> None:
        check_level("temperature", self.temperature, 0.0, float("inf"), "()")
        if self.rule not in RULES:
            raise ValueError(f"Expected a rule among {', '.join(RULES)}; got {self.rule!r}.")

    @property
    def full_support(self) -> bool:
        """Whether both signs are always possible: by the sigmoid."""
        return self.rule == "sigmoid"

    def _scaled(self, u: jax.Array) -> jax.Array:
        return u / jnp.asarray(self.temperature, u.dtype)

    def _mean(self, u: jax.Array) -> jax.Array:
        return jnp.tanh(0.5 * self._scaled(u)) if self.rule == "sigmoid" else jnp.clip(self._scaled(u), -1, 1)

    def __call__(self, key: Key, u: Units) -> Units:
        """Coins of +-1, shape (units,)."""
        mean = self._mean(u)
        up = jax.random.uniform(key, u.shape, u.dtype) < 0.5 * (1 + jax.lax.stop_gradient(mean))
        return straight_through(jnp.where(up, 1.0, -1.0).astype(u.dtype), mean)

    def atoms(self, u: Units) -> tuple[Float[Array, "2 units"], Float[Array, "2 units"]]:
        """+1 and -1 with their log probabilities."""
        values = jnp.stack([jnp.ones_like(u), -jnp.ones_like(u)])
        if self.rule == "sigmoid":
            return values, jax.nn.log_sigmoid(values * self._scaled(u)[None])
        return values, jnp.log(0.5 * (1 + values * self._mean(u)[None]))

    def output_power(self, power: Powers) -> Powers:
        """1, of coins of +-1."""
        return jnp.ones_like(power)

    def ceiling(self, power: Powers) -> Powers:
        """Capacity in bits per unit under E[u^2] <= power; S = power/T^2.

        I = h(E P) - E h(P) <= 1 - E h(P).  With the sigmoid, h is a convex function of u^2 (its slope is -P'/2), so
        that +-sqrt(power) is best: 1 - h(sigmoid(sqrt S)).  With the linear rule it is concave, and best are units of
        0 and +-T in turn: min(S, 1).
        """
        scaled = power / jnp.square(jnp.asarray(self.temperature, jnp.result_type(power)))
        if self.rule == "linear":
            return jnp.minimum(scaled, 1.0)
        p = jax.nn.sigmoid(jnp.sqrt(scaled))
        return 1 + (xlogy(p, p) + xlogy(1 - p, 1 - p)) / NATS_PER_BIT


def _sign(u: jax.Array) -> jax.Array:
    return jnp.where(u < 0, -1.0, 1.0).astype(u.dtype)
