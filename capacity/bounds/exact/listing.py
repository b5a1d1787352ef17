"""Every message's code, and what follows from the list: moments, samples, and log densities by the whole of it.

log q(z) = log sum_m p(m) p(z|m), tile by tile, so that memory does not grow with the list.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from capacity.channels.channel import sliced
from capacity.joint.joint import Joint

MESSAGES_PER_TILE = 4096  # with SAMPLES_PER_TILE, a tile of 512 KiB: one of 2 MiB took a tenth longer on a CPU
SAMPLES_PER_TILE = 32
LEAST = -1e30  # stands for log 0 where it is multiplied by 0


class Listed(NamedTuple):
    """Every message's code, and the exact moments of Z that follow from them."""

    codes: Any  # leaves (M, ...)
    log_probs: jax.Array  # (M,), nats
    mean: jax.Array  # (units,), of Z
    covariance: jax.Array  # (units, units), of Z
    noise: jax.Array  # (units,), the mean variance of Z given the message
    power: jax.Array  # (units,), E[u^2] of the signal


class Density(NamedTuple):
    """What the list says of noisy codes z, in nats: log q(z), and the mean of log p(m, z) over p(m | z)."""

    log_prob: jax.Array
    posterior: jax.Array


class Densities(NamedTuple):
    """Of n noisy codes: of all units (n,), of each leading group of units and of each unit alone (n, units)."""

    whole: Density
    prefixes: Density
    units: Density

    @property
    def joint(self) -> jax.Array:
        """log q(z) (n,), nats."""
        return self.whole.log_prob

    @property
    def posterior(self) -> jax.Array:
        """Mean of log p(m, z) over p(m | z), (n,), nats."""
        return self.whole.posterior

    @property
    def prefix(self) -> jax.Array:
        """log q(z_1, ..., z_j), (n, units), nats."""
        return self.prefixes.log_prob

    @property
    def marginal(self) -> jax.Array:
        """log q(z_j), (n, units), nats."""
        return self.units.log_prob


def list_codes(joint: Joint) -> Listed:
    """Encode every message of the joint's source, in chunks.

    Raises:
        ValueError: if the source cannot be listed.
    """
    vectors, log_probs = joint.source.codebook()
    codes = jax.lax.map(joint.encoder, vectors, batch_size=min(MESSAGES_PER_TILE, len(vectors)))
    probs = jnp.exp(log_probs)[:, None]
    conditional_mean, conditional_variance = jax.vmap(joint.channel.moments)(codes)
    mean = (probs * conditional_mean).sum(0)
    centred = conditional_mean - mean[None]
    noise = (probs * conditional_variance).sum(0)
    within = jnp.diag(noise) if joint.channel.memoryless else _mean_covariance(joint.channel, codes, probs)
    covariance = (probs * centred).T @ centred + within
    power = (probs * jnp.square(jax.vmap(joint.channel.signal)(codes))).sum(0)
    return Listed(codes, log_probs, mean, covariance, noise, power)


def _mean_covariance(channel: Any, codes: Any, probs: jax.Array) -> jax.Array:
    def add(total: jax.Array, item: tuple[Any, jax.Array]) -> tuple[jax.Array, None]:
        return total + item[1][:, None] * channel.covariance(item[0]), None

    units = jax.eval_shape(channel.covariance, jax.tree.map(lambda leaf: leaf[0], codes))
    return jax.lax.scan(add, jnp.zeros(units.shape, units.dtype), (codes, probs))[0]


def draw(key: jax.Array, joint: Joint, listed: Listed, n: int) -> tuple[jax.Array, Any, jax.Array]:
    """n independent samples: log p(m) (n,), codes, noisy units (n, units).

    An atom is told by equality, and the same code computed in another batch may round to another number: where the
    channel has atoms the messages are drawn from the list.
    """
    if not joint.channel.atomic:
        message, codes, z = joint.sample(key, n)
        return jax.vmap(joint.source.log_prob)(message), codes, z
    key_message, key_noise = jax.random.split(key)
    rows = _rows(key_message, listed.log_probs, n)
    codes = jax.tree.map(lambda leaf: leaf[rows], listed.codes)
    return listed.log_probs[rows], codes, jax.vmap(joint.channel)(jax.random.split(key_noise, n), codes)


def _rows(key: jax.Array, log_probs: jax.Array, n: int) -> jax.Array:
    """n independent row numbers by their probabilities: the tile first, then the row in it, since sums over all rows
    would round the probability of one."""
    width = int(np.ceil(len(log_probs) ** 0.5))
    tiles = _tiles(log_probs, width, -jnp.inf)
    key_tile, key_row = jax.random.split(key)
    chosen = _inverse(key_tile, jnp.cumsum(jnp.exp(jax.nn.logsumexp(tiles, axis=1)))[None], n)
    return chosen * width + _inverse(key_row, jnp.cumsum(jnp.exp(tiles), axis=1)[chosen], n)


def _inverse(key: jax.Array, cumulated: jax.Array, n: int) -> jax.Array:
    """Numbers (n,) by the masses whose sums are the rows of `cumulated` (n or 1, count)."""
    uniform = jax.random.uniform(key, (n, 1), cumulated.dtype) * cumulated[:, -1:]
    return (cumulated <= uniform).sum(1)


def log_densities(listed: Listed, channel: Any, z: jax.Array, per_unit: bool = False) -> Densities:
    """log q(z) = log sum_m p(m) p(z|m) by the whole list, tile by tile; memory does not grow with the list.

    Args:
        z: shape (n, units).
        per_unit: also the densities of every leading group of units and of every unit alone (2 units times the
            work); without it those two are empty, shape (n, 0).
    """
    n, units = z.shape
    count = listed.log_probs.shape[0]
    samples, messages = min(SAMPLES_PER_TILE, n), min(MESSAGES_PER_TILE, count)
    z_tiles = _tiles(z, samples, 0.0)
    tiles = jax.tree.map(lambda leaf: _tiles(leaf, messages, 0.0), listed.codes)
    log_prob_tiles = _tiles(listed.log_probs, messages, -jnp.inf)

    def pairs(own: Any, z_own: jax.Array, codes: Any) -> jax.Array:
        # One unit at a time, messages leading and samples last: so it compiles to one vectorised loop down columns,
        # six times faster on a CPU than a sum over a trailing axis of units.
        def density(z_one: jax.Array, code: Any) -> jax.Array:
            log_prob = own.log_prob(z_one, code)
            return log_prob[0] if len(log_prob) == 1 else log_prob.sum()

        return jax.vmap(jax.vmap(density, (0, None)), (None, 0))(z_own, codes)

    def grid(here: slice, z_tile: jax.Array, codes: Any) -> jax.Array:
        return pairs(channel.part(here), z_tile[:, here], sliced(codes, here))

    def stacked(each: list[Any]) -> Any:
        return jax.tree.map(lambda *leaves: jnp.stack(leaves), *each)

    def nothing(*shape: int) -> Density:
        return Density(jnp.full(shape, -jnp.inf, z.dtype), jnp.zeros(shape, z.dtype))

    def over_messages(z_tile: jax.Array) -> Densities:
        def by_unit(codes: Any, first: jax.Array) -> tuple[Density, Density]:
            """Of every leading group of units, and of every unit alone; leaves (units, samples)."""
            if not channel.memoryless:
                prefixes = [_density(first + grid(slice(j + 1), z_tile, codes)) for j in range(units)]
                alone = [_density(first + grid(slice(j, j + 1), z_tile, codes)) for j in range(units)]
                return stacked(prefixes), stacked(alone)

            def add_unit(so_far: jax.Array, unit: tuple[Any, jax.Array, Any]) -> tuple[jax.Array, Any]:
                term = pairs(*unit)
                return so_far + term, (_density(so_far + term), _density(first + term))

            one = [slice(j, j + 1) for j in range(units)]
            each = [(channel.part(here), z_tile[:, here], sliced(codes, here)) for here in one]
            nothing_yet = jnp.broadcast_to(first, (messages, samples))
            return jax.lax.scan(add_unit, nothing_yet, stacked(each))[1]

        def add(total: Densities, tile: tuple[Any, jax.Array]) -> tuple[Densities, None]:
            codes, first = tile[0], tile[1][:, None]
            if per_unit:
                prefixes, alone = by_unit(codes, first)
                here = jax.tree.map(lambda a: a[-1], prefixes)
                found = Densities(here, *jax.tree.map(jnp.transpose, (prefixes, alone)))
            else:
                parts = [slice(j, j + 1) for j in range(units)] if channel.memoryless else [slice(units)]
                rows = first
                for part in parts:
                    rows = rows + grid(part, z_tile, codes)
                found = Densities(_density(rows), nothing(samples, 0), nothing(samples, 0))
            return Densities(*map(_together, total, found)), None

        width = units if per_unit else 0
        start = Densities(nothing(samples), nothing(samples, width), nothing(samples, width))
        return jax.lax.scan(add, start, (tiles, log_prob_tiles))[0]

    out = jax.lax.map(over_messages, z_tiles)
    return jax.tree.map(lambda a: a.reshape(a.shape[0] * a.shape[1], *a.shape[2:])[:n], out)


def _together(one: Density, other: Density) -> Density:
    """Of two parts of the list, what both together say."""
    whole = jnp.logaddexp(one.log_prob, other.log_prob)
    shares = _share(one.log_prob, whole), _share(other.log_prob, whole)
    return Density(whole, one.posterior * shares[0] + other.posterior * shares[1])


def _share(part: jax.Array, whole: jax.Array) -> jax.Array:
    """exp(part - whole), 0 where the part is impossible."""
    return jnp.exp(jnp.where(part == -jnp.inf, -jnp.inf, part - whole))


def _tiles(array: jax.Array, rows: int, fill: float) -> jax.Array:
    """Rows in tiles of equal size, the last filled up."""
    missing = -array.shape[0] % rows
    padding = [(0, missing)] + [(0, 0)] * (array.ndim - 1)
    return jnp.pad(array, padding, constant_values=fill).reshape(-1, rows, *array.shape[1:])


def _density(rows: jax.Array) -> Density:
    """log sum exp down the columns, and the mean of the rows under the weights that they have in it."""
    largest = jnp.maximum(rows.max(0, keepdims=True), jnp.finfo(rows.dtype).min)
    weights = jnp.exp(rows - largest)
    total = weights.sum(0)
    mean = (weights * jnp.maximum(rows, LEAST)).sum(0) / jnp.maximum(total, jnp.finfo(rows.dtype).tiny)
    return Density(largest[0] + jnp.log(total), mean)


def as_columns(columns: list[jax.Array], like: jax.Array) -> jax.Array:
    """Vectors as the columns of a matrix, also when there are none."""
    return jnp.stack(columns, axis=1) if columns else jnp.zeros((like.shape[0], 0), like.dtype)
