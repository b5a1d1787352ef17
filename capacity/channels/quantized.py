"""Finite precision as a noise: each unit rounded to one of b levels.  log2 b bits a unit at most.

A unit has b values, so that H(Z) <= log2 b (Cover & Thomas 2006, theorem 2.6.4), reached by values of equal use.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from capacity.channels.atoms import DeterministicChannel
from capacity.channels.channel import Number, Powers, check_level
from capacity.channels.constraint import ANY, POWER, Constraint
from capacity.results.estimate import NATS_PER_BIT
from capacity.runtime.pytrees import register_dataclass
from capacity.runtime.shapes import Units


@register_dataclass
@dataclass(frozen=True)
class Quantized(DeterministicChannel):
    """Each unit to the nearest of `levels` points (b, the level) evenly from -amplitude to amplitude; mass 1 on it.

    Units beyond the amplitude get the outermost point.  The gradient is that of clip(u, -amplitude, amplitude).

    Attributes:
        levels: b, a whole number of at least 2; kept as an array leaf.
        amplitude: positive.

    Raises:
        ValueError: for other levels or amplitudes.
    """

    levels: Number
    amplitude: Number = 1.0
    emits: ClassVar[Constraint] = POWER
    presumes: ClassVar[Constraint] = ANY
    tolerance: ClassVar[float] = 1e-5  # its values are computed, not given
    name: ClassVar[str] = "quantized"
    summary: ClassVar[str] = "units rounded to b even levels of an amplitude, straight-through; ceiling log2 b"

    def __post_init__(self) -> None:
        check_level("levels", self.levels, 2.0, np.inf, "[)")
        check_whole("levels", self.levels)
        check_level("amplitude", self.amplitude, 0.0, np.inf, "()")

    def _steps(self, u: jax.Array) -> jax.Array:
        """u as a number of steps from the lowest level, not yet rounded."""
        amplitude = jnp.asarray(self.amplitude, u.dtype)
        return (jnp.clip(u / amplitude, -1, 1) + 1) * (0.5 * (jnp.asarray(self.levels, u.dtype) - 1))

    def _point(self, number: jax.Array) -> jax.Array:
        amplitude, levels = jnp.asarray(self.amplitude, number.dtype), jnp.asarray(self.levels, number.dtype)
        return amplitude * (2 * number / (levels - 1) - 1)

    def value(self, u: Units) -> Units:
        """The nearest points, shape (units,)."""
        return self._point(jnp.round(self._steps(u)))

    def proxy(self, u: Units) -> Units:
        amplitude = jnp.asarray(self.amplitude, u.dtype)
        return jnp.clip(u, -amplitude, amplitude)

    def log_prob(self, z: Units, u: Units) -> Units:
        """Log mass: 0 at the nearest point, -inf elsewhere; shape (units,)."""
        return jnp.where(jnp.round(self._steps(z)) == jnp.round(self._steps(u)), 0.0, -jnp.inf)

    def output_power(self, power: Powers) -> Powers:
        """At most the square of the amplitude."""
        return jnp.broadcast_to(jnp.square(jnp.asarray(self.amplitude, jnp.result_type(power))), jnp.shape(power))

    def ceiling(self, power: Powers) -> Powers:
        """log2 b bits per unit."""
        bits = jnp.log(jnp.asarray(self.levels, jnp.result_type(power))) / NATS_PER_BIT
        return jnp.broadcast_to(bits, jnp.shape(power))


def check_whole(name: str, value: object) -> None:
    """Refuse a number that is not whole; tracers and placeholders pass.

    Raises:
        ValueError: naming it.
    """
    if isinstance(value, jax.core.Tracer) or not isinstance(value, int | float | np.ndarray | np.generic | jax.Array):
        return
    if np.any(np.asarray(value, np.float64) % 1):
        raise ValueError(f"Expected {name} to be whole; got {value}.")
