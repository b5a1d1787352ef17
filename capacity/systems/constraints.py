"""What a ceiling presumes of the units, held on every batch in training and exactly over all messages afterwards.

Mean 0 and mean square P a unit: u = (raw - mean) sqrt(P / var(raw)), over the batch while training; then the mean and
variance are those over all messages (over 65,536 samples where they cannot be listed), and frozen.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

CALIBRATION_SAMPLES = 65536
LEAST_VARIANCE = 1e-8


def standardised(raw: jax.Array, power: float) -> jax.Array:
    """A batch (n, units) with mean 0 and mean square `power` in every unit."""
    centred = raw - raw.mean(0, keepdims=True)
    return centred * jnp.sqrt(power / (jnp.square(centred).mean(0, keepdims=True) + LEAST_VARIANCE))


def whole_moments(raw: Any, key: jax.Array, source: Any, power: float) -> tuple[jax.Array, jax.Array]:
    """Shift and scale, each (units,), that give (raw - shift) scale mean 0 and mean square `power` over the source.

    Args:
        raw: the encoder, from a vector (dim,) to (units,).
        key: decides the sample where messages cannot be listed.
    """
    vectors, probs = calibration(key, source)
    u = jax.lax.map(raw, vectors, batch_size=min(8192, len(vectors)))
    shift = (probs[:, None] * u).sum(0)
    return shift, jnp.sqrt(power / ((probs[:, None] * jnp.square(u - shift[None])).sum(0) + LEAST_VARIANCE))


def calibration(key: jax.Array, source: Any) -> tuple[jax.Array, jax.Array]:
    """Vectors and their probabilities: all of them where they can be listed, else a sample."""
    if source.listable:
        vectors, log_probs = source.codebook()
        return vectors, jnp.exp(log_probs)
    vectors = source.sample(key, CALIBRATION_SAMPLES).vector
    return vectors, jnp.full(CALIBRATION_SAMPLES, 1 / CALIBRATION_SAMPLES)
