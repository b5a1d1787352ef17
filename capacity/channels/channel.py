"""What every channel promises: a sampler, a density, and a ceiling under a power."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol, runtime_checkable

import jax

Code = Any  # what the encoder gives the channel: an array (units,), or a pytree of such arrays


@runtime_checkable
class Channel(Protocol):
    """The noise between units U and noisy units Z, for one item; batching is the caller's `vmap`.

    Memoryless: what happens to unit j depends on leaf entries j of its code alone, so any method may be called on a
    slice of the units.  All logarithms are natural; only `ceiling` speaks of bits.
    """

    normal: ClassVar[bool]  # whether Z given the code is normal, with the `moments`
    has_ceiling: ClassVar[bool]
    name: ClassVar[str]
    summary: ClassVar[str]

    def __call__(self, key: jax.Array, u: Code) -> jax.Array:
        """Noisy units, shape (units,)."""

    def log_prob(self, z: jax.Array, u: Code) -> jax.Array:
        """Log density of each unit, shape (units,), nats; their sum is the log density of z."""

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
