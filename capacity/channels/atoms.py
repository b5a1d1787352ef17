"""Channels whose noisy units take finitely many values given the code: masses, entropies and moments from the list.

`values` (K, units) and `log_weights` say what z may be and how likely.  Memoryless: weights (K, units), each unit draws
its own.  Shared: weights (K,), one draw k decides all units, so that the law of z is a mixture of K points and
log p(z_<=j | u) = log sum_k w_k prod_{i<=j} p(z_i | k).  Values that coincide are one atom of their summed mass.
"""

from __future__ import annotations

from abc import abstractmethod

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from capacity.channels.channel import Channel, Code, Number, straight_through
from capacity.channels.inner_noise import Noise, NoiseShape
from capacity.runtime.shapes import Key, Units


def log_mass(z: jax.Array, values: jax.Array, log_weights: jax.Array, tolerance: float = 0.0) -> jax.Array:
    """log p(z_j), (units,), nats, of independent units.

    Args:
        z: noisy units (units,).
        values: (K, units), what each may be.
        log_weights: (K, units), how likely, nats.
        tolerance: how near two values count as one; 0 where they are given and not computed.
    """
    return mixed(jnp.where(close(z[None], values, tolerance), 0.0, -jnp.inf), log_weights)


def close(z: jax.Array, values: jax.Array, tolerance: float) -> jax.Array:
    """Whether they count as one value, elementwise."""
    return jnp.abs(z - values) <= tolerance if tolerance else z == values


def mixed(log_terms: jax.Array, log_weights: jax.Array) -> jax.Array:
    """log sum_k w_kj exp(l_kj), (units,), of log terms and log weights (K, units); -inf where nothing is possible."""
    return jax.nn.logsumexp(log_terms + log_weights, axis=0)


def shared(log_terms: jax.Array, log_weights: jax.Array) -> jax.Array:
    """log p(z_j | z_<j), (units,), of a mixture whose component k (K,) has log terms (K, units).

    Where the first units are impossible already, that is said once and the others add nothing.
    """
    prefix = jax.nn.logsumexp(jnp.cumsum(log_terms, axis=1) + log_weights[:, None], axis=0)
    before = jnp.concatenate([jnp.zeros_like(prefix[:1]), prefix[:-1]])
    return jnp.where(before == -jnp.inf, 0.0, prefix - jnp.where(before == -jnp.inf, 0.0, before))


def entropy_of(values: jax.Array, log_weights: jax.Array, tolerance: float = 0.0) -> jax.Array:
    """Entropy in nats of each unit, (units,): of independent units, or of the unit given those before (shared)."""
    same = close(values[:, None], values[None], tolerance)  # (K, K, units)
    if log_weights.ndim == 2:
        log_p = jax.nn.logsumexp(jnp.where(same, 0.0, -jnp.inf) + log_weights[None], axis=1)
        return -(jnp.exp(log_weights) * jnp.where(log_weights == -jnp.inf, 0.0, log_p)).sum(0)
    same = jnp.cumprod(same, axis=2) == 1
    log_p = jax.nn.logsumexp(jnp.where(same, 0.0, -jnp.inf) + log_weights[None, :, None], axis=1)
    possible = (log_weights > -jnp.inf)[:, None]
    prefix = -(jnp.exp(log_weights)[:, None] * jnp.where(possible, log_p, 0.0)).sum(0)
    return jnp.diff(prefix, prepend=0.0)


def moments_of(values: jax.Array, log_weights: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Mean and variance of each unit, two arrays (units,)."""
    weights = jnp.exp(log_weights if log_weights.ndim == 2 else log_weights[:, None])
    mean = (weights * values).sum(0)
    return mean, (weights * jnp.square(values - mean[None])).sum(0)


def covariance_of(values: jax.Array, log_weights: jax.Array) -> jax.Array:
    """Covariance (units, units) of a shared draw."""
    weights = jnp.exp(log_weights)[:, None]
    centred = values - (weights * values).sum(0)[None]
    return (weights * centred).T @ centred


def two_point(first: jax.Array, second: jax.Array, chance: Number) -> tuple[jax.Array, jax.Array]:
    """Atoms of a unit that is `first`, and `second` by this chance: values (2, units), log weights (2, units)."""
    values = jnp.stack([first, jnp.broadcast_to(second, first.shape)])
    chance = jnp.broadcast_to(jnp.asarray(chance, values.dtype), values.shape[1:])
    return values, jnp.stack([jnp.log1p(-chance), jnp.log(chance)])


class AtomicChannel(Channel):
    """A channel whose noisy units take finitely many values given the code: `atoms` tell its density and moments."""

    @property
    def atomic(self) -> bool:
        return True

    @abstractmethod
    def atoms(self, u: Code) -> tuple[Float[Array, "values units"], Float[Array, "values ..."]]: ...

    def log_prob(self, z: Units, u: Code) -> Units:
        """Log mass of each unit (given those before, where one draw decides all), shape (units,), nats."""
        values, log_weights = self.atoms(u)
        if log_weights.ndim == 2:
            return log_mass(z, values, log_weights, self.tolerance)
        return shared(jnp.where(close(z[None], values, self.tolerance), 0.0, -jnp.inf), log_weights)

    def moments(self, u: Code) -> tuple[Units, Units]:
        return moments_of(*self.atoms(u))

    def covariance(self, u: Code) -> Float[Array, "units units"]:
        return jnp.diag(self.moments(u)[1]) if self.memoryless else covariance_of(*self.atoms(u))

    def entropy(self, u: Code) -> Units:
        return entropy_of(*self.atoms(u), self.tolerance)


class DeterministicChannel(AtomicChannel):
    """A channel whose noisy units follow from the code: mass 1 on one atom, and a straight-through gradient."""

    @abstractmethod
    def value(self, u: Units) -> Units:
        """What each unit becomes, shape (units,)."""

    @abstractmethod
    def proxy(self, u: Units) -> Units:
        """The function whose gradient stands for that of `value`, shape (units,)."""

    def __call__(self, key: Key, u: Units) -> Units:
        return straight_through(self.value(u), self.proxy(u))

    def atoms(self, u: Units) -> tuple[Float[Array, "values units"], Float[Array, "values units"]]:
        return self.value(u)[None], jnp.zeros((1, *u.shape), u.dtype)

    def moments(self, u: Units) -> tuple[Units, Units]:
        return self.value(u), jnp.zeros_like(u)

    def entropy(self, u: Units) -> Units:
        return jnp.zeros_like(u)

    def noise_shape(self, u: Units) -> NoiseShape:
        """None: the units follow from the code."""
        return NoiseShape(0, 0, 1)

    def log_masses(self, u: Units) -> Float[Array, "draws ways"]:
        return jnp.zeros((0, 1), u.dtype)

    def noised(self, u: Units, noise: Noise) -> Units:
        return straight_through(self.value(u), self.proxy(u))
