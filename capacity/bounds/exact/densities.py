"""Log densities of noisy codes by the whole list: log q(z) = log sum_m p(m) p(z|m), tile by tile."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PyTree

from capacity.bounds.exact.listing import Listed
from capacity.bounds.exact.tiles import LOG_ZERO, in_tiles, tile_sizes
from capacity.channels.channel import Channel, Code, sliced

UNROLLED = 16  # units of one loop: a program of hundreds took minutes to compile


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


@partial(jax.jit, static_argnames="per_unit")
def log_densities(listed: Listed, channel: Channel, z: Float[Array, "n units"], per_unit: bool = False) -> Densities:
    """log q(z) = log sum_m p(m) p(z|m) by the whole list, tile by tile; memory does not grow with the list.

    Args:
        listed: all codes.
        channel: of the noisy codes.
        z: noisy codes.
        per_unit: also the densities of every leading group of units and of every unit alone (2 units times the
            work); without it those two are empty, shape (n, 0).
    """
    n, units = z.shape
    count = listed.log_probs.shape[0]
    samples, messages = tile_sizes(n, count, channel.memoryless)
    z_tiles = in_tiles(z, samples, 0.0)
    code_tiles = jax.tree.map(lambda leaf: in_tiles(leaf, messages, 0.0), listed.codes)
    log_prob_tiles = in_tiles(listed.log_probs, messages, -jnp.inf)

    def over_messages(z_tile: jax.Array) -> Densities:
        def add(total: Densities, tile: tuple[Code, jax.Array]) -> tuple[Densities, None]:
            codes, log_probs = tile[0], tile[1][:, None]
            of_tile = _of_tile(channel, z_tile, codes, log_probs, per_unit)
            return Densities(*map(_together, total, of_tile)), None

        width = units if per_unit else 0
        start = Densities(_nothing(z, samples), _nothing(z, samples, width), _nothing(z, samples, width))
        total: Densities = jax.lax.scan(add, start, (code_tiles, log_prob_tiles))[0]
        return total

    out = jax.lax.map(over_messages, z_tiles)
    densities: Densities = jax.tree.map(lambda a: a.reshape(a.shape[0] * a.shape[1], *a.shape[2:])[:n], out)
    return densities


def _of_tile(channel: Channel, z_tile: jax.Array, codes: Code, log_probs: jax.Array, per_unit: bool) -> Densities:
    """What the messages of a tile, log_probs (messages, 1), say of its samples (samples, units)."""
    samples = len(z_tile)
    if per_unit:
        prefixes, alone = _by_unit(channel, z_tile, codes, log_probs)
        whole = jax.tree.map(lambda a: a[-1], prefixes)
        return Densities(whole, *jax.tree.map(jnp.transpose, (prefixes, alone)))
    rows = pair_log_probs(log_probs, channel, z_tile, codes)
    return Densities(_density(rows), _nothing(z_tile, samples, 0), _nothing(z_tile, samples, 0))


def pair_log_probs(rows: jax.Array, channel: Channel, z_tile: jax.Array, codes: Code) -> jax.Array:
    """log p(m, z) of all pairs, (messages, samples), nats; traceable.

    Args:
        rows: log masses (messages, 1).
        channel: of the noisy codes.
        z_tile: noisy codes (samples, units).
        codes: of the messages, leaves (messages, ...).
    """
    units = z_tile.shape[1]
    if not channel.memoryless:
        return rows + _grid(channel, slice(units), z_tile, codes)
    starts = range(0, units - UNROLLED + 1, UNROLLED) if units > UNROLLED else range(0)

    def add_units(rows: jax.Array, group: tuple[Channel, jax.Array, Code], count: int = UNROLLED) -> jax.Array:
        for j in range(count):
            rows = rows + _grid(group[0], slice(j, j + 1), *group[1:])
        return rows

    if starts:
        channels = _stacked([channel.part(slice(start, start + UNROLLED)) for start in starts])
        groups = channels, *(_in_groups(tree, len(starts)) for tree in (z_tile, codes))
        rows = jnp.broadcast_to(rows, (len(rows), len(z_tile)))
        rows = jax.lax.scan(lambda rows, group: (add_units(rows, group), None), rows, groups)[0]
    rest = slice(len(starts) * UNROLLED, units)
    return add_units(rows, (channel.part(rest), z_tile[:, rest], sliced(codes, rest)), rest.stop - rest.start)


def _in_groups(tree: Code, count: int) -> Code:
    """Leaves (..., units) as (count, ..., UNROLLED); the units that are over are left out."""

    def cut(leaf: jax.Array) -> jax.Array:
        grouped = leaf[..., : count * UNROLLED].reshape(*leaf.shape[:-1], count, UNROLLED)
        return jnp.moveaxis(grouped, -2, 0)

    return jax.tree.map(cut, tree)


def _by_unit(channel: Channel, z_tile: jax.Array, codes: Code, log_probs: jax.Array) -> tuple[Density, Density]:
    """Of every leading group of units, and of every unit alone; leaves (units, samples)."""
    samples, units = z_tile.shape
    one = [slice(j, j + 1) for j in range(units)]
    if not channel.memoryless:
        prefixes = [_density(log_probs + _grid(channel, slice(j + 1), z_tile, codes)) for j in range(units)]
        alone = [_density(log_probs + _grid(channel, part, z_tile, codes)) for part in one]
        return _stacked(prefixes), _stacked(alone)

    def add_unit(so_far: jax.Array, unit: tuple[Channel, jax.Array, Code]) -> tuple[jax.Array, tuple[Density, Density]]:
        term = _pairs(*unit)
        return so_far + term, (_density(so_far + term), _density(log_probs + term))

    each = jax.tree.map(lambda leaf: jnp.moveaxis(leaf, -1, 0)[..., None], (z_tile, codes))
    nothing_yet = jnp.broadcast_to(log_probs, (len(log_probs), samples))
    channels = _stacked([channel.part(part) for part in one])
    both: tuple[Density, Density] = jax.lax.scan(add_unit, nothing_yet, (channels, *each))[1]
    return both


def _grid(channel: Channel, units: slice, z_tile: jax.Array, codes: Code) -> jax.Array:
    """log p(z|m) by some units of all pairs, (messages, samples)."""
    return _pairs(channel.part(units), z_tile[:, units], sliced(codes, units))


def _pairs(channel: Channel, z: jax.Array, codes: Code) -> jax.Array:
    """log p(z|m) of all pairs, (messages, samples).

    One unit at a time, messages leading and samples last: so it compiles to one vectorised loop down columns, six
    times faster on a CPU than a sum over a trailing axis of units.
    """

    def density(z_one: jax.Array, code: Code) -> jax.Array:
        log_prob = channel.log_prob(z_one, code)
        return log_prob[0] if len(log_prob) == 1 else log_prob.sum()

    return jax.vmap(jax.vmap(density, (0, None)), (None, 0))(z, codes)


def _stacked(each: list[PyTree]) -> PyTree:
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *each)


def _nothing(like: jax.Array, *shape: int) -> Density:
    """The densities of an empty list."""
    return Density(jnp.full(shape, -jnp.inf, like.dtype), jnp.zeros(shape, like.dtype))


def _together(one: Density, other: Density) -> Density:
    """Of two parts of the list, what both together say."""
    whole = jnp.logaddexp(one.log_prob, other.log_prob)
    shares = _share(one.log_prob, whole), _share(other.log_prob, whole)
    return Density(whole, one.posterior * shares[0] + other.posterior * shares[1])


def _share(part: jax.Array, whole: jax.Array) -> jax.Array:
    """exp(part - whole), 0 where the part is impossible."""
    return jnp.exp(jnp.where(part == -jnp.inf, -jnp.inf, part - whole))


def _density(rows: jax.Array) -> Density:
    """log sum exp down the columns, and the mean of the rows under the weights that they have in it."""
    largest = jnp.maximum(rows.max(0, keepdims=True), np.finfo(rows.dtype).min)
    weights = jnp.exp(rows - largest)
    total = weights.sum(0)
    mean = (weights * jnp.maximum(rows, LOG_ZERO)).sum(0) / jnp.maximum(total, np.finfo(rows.dtype).tiny)
    return Density(largest[0] + jnp.log(total), mean)
