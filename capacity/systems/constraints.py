"""What a ceiling presumes of the units, held on every batch in training and exactly over all messages afterwards.

Mean 0 and mean square P a unit: u = (raw - mean) sqrt(P / var(raw)), over the batch while training; then the mean and
variance are those over all messages (over 65,536 samples where they cannot be listed), and frozen.  Units of bounded or
of two values are functions of such units of mean square 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from capacity.channels.channel import straight_through

CALIBRATION_SAMPLES = 65536
LEAST_VARIANCE = 1e-8
KINDS = ("power", "amplitude", "signs", "digits")


@dataclass(frozen=True)
class Constraint:
    """What the units may be, as a function of units of mean 0 and mean square 1.

    Attributes:
        kind: "power": mean square `limit` exactly; "amplitude": |u| <= limit, limit tanh(standard); "signs": +-1;
            "digits": 0 and 1.  The last two have straight-through gradients, those of clip(standard, -1, 1).
        limit: of the power or the amplitude; positive.

    Raises:
        ValueError: for another kind, or a limit that is not positive.
    """

    kind: str = "power"
    limit: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"Expected a constraint among {', '.join(KINDS)}; got {self.kind!r}.")
        if not self.limit > 0:
            raise ValueError(f"Expected a positive limit; got {self.limit}.")

    @property
    def words(self) -> str:
        """For a reader."""
        limit = f"{self.limit:g}"
        return {
            "power": f"E[u^2] = {limit} in every unit",
            "amplitude": f"|u| <= {limit}",
            "signs": "u = ±1",
            "digits": "u = 0 or 1",
        }[self.kind]

    @property
    def power(self) -> float:
        """The most that E[u^2] can be."""
        return {"power": self.limit, "amplitude": self.limit**2}.get(self.kind, 1.0)

    def __call__(self, standard: jax.Array) -> jax.Array:
        """The units, from units of mean 0 and mean square 1; any shape."""
        if self.kind == "power":
            return standard * self.limit**0.5
        if self.kind == "amplitude":
            return self.limit * jnp.tanh(standard)
        signs = straight_through(jnp.where(standard < 0, -1.0, 1.0).astype(standard.dtype), jnp.clip(standard, -1, 1))
        return signs if self.kind == "signs" else 0.5 * (signs + 1)


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
