"""What every channel promises: a sampler, a density, and a ceiling under a power."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import jax

Code = Any  # what the encoder gives the channel: an array (units,), or a tuple of such arrays


@runtime_checkable
class Channel(Protocol):
    """The noise between units U and noisy units Z, for one item; batching is the caller's `vmap`.

    All logarithms are natural; only `ceiling` speaks of bits.
    """

    has_ceiling: bool
    name: str
    summary: str

    def __call__(self, key: jax.Array, u: Code) -> jax.Array:
        """Noisy units, shape (units,)."""

    def log_prob(self, z: jax.Array, u: Code) -> jax.Array:
        """Terms log p(z_j | u, z_<j), shape (units,), whose sum is the log density of z; in nats."""

    def moments(self, u: Code) -> tuple[jax.Array, jax.Array]:
        """Mean and variance of each noisy unit given the code, two arrays (units,)."""

    def entropy(self, u: Code) -> jax.Array:
        """Differential entropy h(Z_j | u) of each unit, shape (units,), in nats."""

    def signal(self, u: Code) -> jax.Array:
        """The noiseless units, shape (units,): what power is the power of."""

    def ceiling(self, power: jax.Array) -> jax.Array:
        """Capacity in bits per unit under E[u^2] <= power.

        Raises:
            ValueError: where the channel has no ceiling under a power.
        """
