"""A density r_j(z_j) of each unit alone: I(M;Z) <= sum_j E log p(z_j|u_j) / r_j(z_j) if units have noises of their own.

Since h(Z) <= sum_j h(Z_j) (Cover & Thomas 2006, theorem 2.6.6), the sum over units of their own information is an upper
bound; and any r_j for the true density of z_j makes it higher, by the divergence between them.  Here r_j is a mixture:
of the channel's own densities over a table of the unit's codes, of a normal density, and of one with tails so heavy
that an outlier costs little; where noisy units are atoms, of masses: all floats of 32 bits are alike to the last part.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from capacity.bounds.variational.judged import Judged
from capacity.channels.additive import LOG_2PI
from capacity.channels.channel import Channel, Code
from capacity.runtime.pytrees import register_dataclass
from capacity.runtime.shapes import Units

MAX_ENTRIES = 512  # of a unit's table
LOG_FLOATS = 32 * np.log(2.0)  # as many values as a float of 32 bits can have, nats
ROUNDS = 20  # of expectation maximisation
MIN_WEIGHT = 1e-3  # of each part: what a part costs at most where it was of no use, for safety against the unseen
SAMPLE_NUMBERS = 2**22  # that are in memory at once


@register_dataclass
@dataclass(frozen=True)
class UnitMixtures:
    """r_j of all units.

    Attributes:
        codes: a table of codes by unit, leaves (entries, units).
        log_probs: (entries, units), nats; -inf in places that are not filled.
        centre, scale: (units,), of the normal density and of Cauchy's.
        log_weights: (parts, units), nats: of the table, the normal density, Cauchy's; or of the table, all floats.
    """

    codes: Code
    log_probs: Float[Array, "entries units"]
    centre: Units
    scale: Units
    log_weights: Float[Array, "parts units"]

    def parts(self, channel: Channel, z: Units) -> Float[Array, "parts units"]:
        """Log densities (parts, units) of one noisy code by each part alone, nats."""
        terms = jax.vmap(channel.log_prob, (None, 0))(z, self.codes)
        table = jax.nn.logsumexp(terms + self.log_probs, axis=0)
        if channel.atomic:
            return jnp.stack([table, jnp.full_like(table, -LOG_FLOATS)])
        away = (z - self.centre) / self.scale
        normal = -0.5 * (jnp.square(away) + LOG_2PI) - jnp.log(self.scale)
        cauchy = -jnp.log1p(jnp.square(away)) - np.log(np.pi) - jnp.log(self.scale)
        if channel.mixed:  # these have no atoms
            normal, cauchy = (jnp.where(channel.is_atom(z), -jnp.inf, part) for part in (normal, cauchy))
        return jnp.stack([table, normal, cauchy])

    def log_prob(self, channel: Channel, z: Units) -> Units:
        """log r_j(z_j), (units,), nats."""
        return jax.nn.logsumexp(self.parts(channel, z) + self.log_weights, axis=0)


def fit_unit_mixtures(channel: Channel, codes: Code, pilot: Judged, entries: int = MAX_ENTRIES) -> UnitMixtures:
    """Tables from sampled codes, weights of the parts from other samples.

    Args:
        channel: memoryless.
        codes: sampled codes, leaves (n, units).
        pilot: samples that the weights are fitted to; none that the bound will be held against.
        entries: the most in a unit's table: distinct codes with their shares where they are few, else quantiles.
    """
    leaves, kind = jax.tree.flatten(codes)
    n, units = leaves[0].shape
    tables = [np.empty((entries, units), np.float32) for _ in leaves]
    log_probs = np.full((entries, units), -np.inf, np.float32)
    for j in range(units):
        ranked = np.stack([leaf[:, j] for leaf in leaves], 1)[np.lexsort([leaf[:, j] for leaf in leaves[::-1]])]
        starts = np.flatnonzero(np.r_[True, (ranked[1:] != ranked[:-1]).any(1)])
        few = len(starts) <= entries
        rows = starts if few else ((np.arange(entries) + 0.5) * n / entries).astype(int)
        shares = np.diff(np.r_[starts, n]) / n if few else np.full(entries, 1 / entries)
        log_probs[: len(rows), j] = np.log(shares)
        for table, column in zip(tables, ranked.T, strict=True):
            table[:, j] = column[0]
            table[: len(rows), j] = column[rows]
    used = int((log_probs > -np.inf).any(1).sum())
    used = min(1 << max(used - 1, 0).bit_length(), entries)  # few sizes, few programs
    parts = 2 if channel.atomic else 3
    mixtures = UnitMixtures(
        jax.tree.unflatten(kind, [jnp.asarray(table[:used]) for table in tables]),
        jnp.asarray(log_probs[:used]),
        jnp.asarray(pilot.z.mean(0)),
        jnp.asarray(np.maximum(pilot.z.std(0), np.finfo(np.float32).tiny)),
        jnp.full((parts, units), -np.log(parts), jnp.float32),
    )
    terms = np.asarray(_parts(mixtures, channel, jnp.asarray(pilot.z), _batch(used * units)), np.float64)
    log_weights = fitted_weights(terms)
    return UnitMixtures(
        mixtures.codes, mixtures.log_probs, mixtures.centre, mixtures.scale, jnp.asarray(log_weights, jnp.float32)
    )


def fitted_weights(terms: Float[np.ndarray, "n parts ..."]) -> Float[np.ndarray, "parts ..."]:
    """Log weights of mixtures whose parts give log densities `terms` to n samples, by expectation maximisation."""
    parts = terms.shape[1]
    weights = np.full(terms.shape[1:], 1 / parts)
    likelihood = np.exp(terms - terms.max(1, keepdims=True))
    for _ in range(ROUNDS):
        joint = likelihood * weights
        weights = np.maximum((joint / joint.sum(1, keepdims=True)).mean(0), MIN_WEIGHT)
        weights = weights / weights.sum(0)
    log_weights: np.ndarray = np.log(weights)
    return log_weights


def unit_log_densities(mixtures: UnitMixtures, channel: Channel, z: Float[np.ndarray, "n units"]) -> np.ndarray:
    """log r_j(z_j) of n noisy codes, (n, units), nats."""
    found: np.ndarray = np.asarray(
        _log_densities(mixtures, channel, jnp.asarray(z), _batch(mixtures.log_probs.size)), np.float64
    )
    return found


def _batch(numbers: int) -> int:
    return max(1, min(256, SAMPLE_NUMBERS // numbers))


@partial(jax.jit, static_argnums=3)
def _parts(mixtures: UnitMixtures, channel: Channel, z: jax.Array, batch: int) -> jax.Array:
    parts: jax.Array = jax.lax.map(partial(mixtures.parts, channel), z, batch_size=batch)
    return parts


@partial(jax.jit, static_argnums=3)
def _log_densities(mixtures: UnitMixtures, channel: Channel, z: jax.Array, batch: int) -> jax.Array:
    densities: jax.Array = jax.lax.map(partial(mixtures.log_prob, channel), z, batch_size=batch)
    return densities
