"""What a ceiling presumes of the units, held on every batch in training and exactly over all messages afterwards.

Mean 0 and mean square P a unit: u = (raw - mean) sqrt(P / var(raw)), over the batch while training; then the mean and
variance are those over all messages (over 65,536 samples where they cannot be listed), and frozen.  Units of bounded or
of two values are functions of such units of mean square 1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp

from capacity.channels.channel import straight_through
from capacity.channels.constraint import Constraint
from capacity.runtime.keys import Seed, as_key

if TYPE_CHECKING:
    from synthetic.source import Source

__all__ = ["Constraint", "calibration", "constrained", "standardised", "whole_moments"]

CALIBRATION_SAMPLES, MIN_CALIBRATION_SAMPLES = 65536, 4096
MAX_CALIBRATION_NUMBERS = 2**26  # of all vectors
CALIBRATED_NUMBERS = 2**21  # of vectors encoded at once
MIN_VARIANCE = 1e-8


def constrained(standard: jax.Array, constraint: Constraint) -> jax.Array:
    """Units that keep a constraint, from units of mean 0 and mean square 1; any shape.

    Of kind "power": mean square `limit` exactly; "amplitude": limit tanh(standard); "signs" and "digits": by the sign,
    with straight-through gradients, those of clip(standard, -1, 1).

    Raises:
        ValueError: for another kind.
    """
    if constraint.kind == "power":
        return standard * float(constraint.limit**0.5)
    if constraint.kind == "amplitude":
        bounded: jax.Array = constraint.limit * jnp.tanh(standard)
        return bounded
    if constraint.kind not in ("signs", "digits"):
        raise ValueError(f"Expected a constraint that units can be held to; got {constraint.words}.")
    signs = straight_through(jnp.where(standard < 0, -1.0, 1.0).astype(standard.dtype), jnp.clip(standard, -1, 1))
    return constraint.limit * (signs if constraint.kind == "signs" else 0.5 * (signs + 1))


def standardised(raw: jax.Array, power: float) -> jax.Array:
    """A batch (n, units) with mean 0 and mean square `power` in every unit."""
    centred = raw - raw.mean(0, keepdims=True)
    return centred * jnp.sqrt(power / (jnp.square(centred).mean(0, keepdims=True) + MIN_VARIANCE))


def whole_moments(
    raw: Callable[[jax.Array], jax.Array], key: jax.Array, source: Source, power: float
) -> tuple[jax.Array, jax.Array]:
    """Shift and scale, each (units,), that give (raw - shift) scale mean 0 and mean square `power` over the source.

    Args:
        raw: the encoder, from a vector (dim,) to (units,).
        key: decides the sample where messages cannot be listed.
        source: of the vectors.
        power: the mean square that is asked for.
    """
    vectors, probs = calibration(key, source)
    together = min(CALIBRATED_NUMBERS // vectors.shape[1], 8192, len(vectors))
    u = jax.lax.map(raw, vectors, batch_size=max(together, 1))
    shift = (probs[:, None] * u).sum(0)
    return shift, jnp.sqrt(power / ((probs[:, None] * jnp.square(u - shift[None])).sum(0) + MIN_VARIANCE))


def calibration(key: Seed, source: Source) -> tuple[jax.Array, jax.Array]:
    """Vectors and their probabilities: all of them where they can be listed, else a sample."""
    key = as_key(key)
    if source.listable:
        vectors, log_probs = source.codebook()
        return vectors, jnp.exp(log_probs)
    count = max(min(CALIBRATION_SAMPLES, MAX_CALIBRATION_NUMBERS // source.dim), MIN_CALIBRATION_SAMPLES)
    return source.sample(key, count).vector, jnp.full(count, 1 / count)
