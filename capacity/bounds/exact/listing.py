"""Every message's code, and what follows from the list: moments of Z, and samples."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from capacity.bounds.exact.tiles import in_tiles
from capacity.channels.channel import Channel, Code
from capacity.joint.joint import Joint
from capacity.runtime.shapes import Key

LIST_BATCH = 4096  # messages encoded at once


class Listed(NamedTuple):
    """Every message's code, and the exact moments of Z that follow from them.

    Attributes:
        codes: leaves (messages, ...).
        log_probs: nats.
        mean, covariance: of Z.
        noise: the mean variance of Z given the message.
        power: E[u^2] of the signal.
    """

    codes: Code
    log_probs: Float[Array, " messages"]
    mean: Float[Array, " units"]
    covariance: Float[Array, "units units"]
    noise: Float[Array, " units"]
    power: Float[Array, " units"]


def list_codes(joint: Joint) -> Listed:
    """Encode every message of the joint's source, in chunks.

    Raises:
        ValueError: if the source cannot be listed.
    """
    vectors, log_probs = joint.source.codebook()
    codes = jax.lax.map(joint.encoder, vectors, batch_size=min(LIST_BATCH, len(vectors)))
    probs = jnp.exp(log_probs)[:, None]
    conditional_mean, conditional_variance = jax.vmap(joint.channel.moments)(codes)
    mean = (probs * conditional_mean).sum(0)
    centred = conditional_mean - mean[None]
    noise = (probs * conditional_variance).sum(0)
    within = jnp.diag(noise) if joint.channel.memoryless else _mean_covariance(joint.channel, codes, probs)
    covariance = (probs * centred).T @ centred + within
    power = (probs * jnp.square(jax.vmap(joint.channel.signal)(codes))).sum(0)
    return Listed(codes, log_probs, mean, covariance, noise, power)


def _mean_covariance(channel: Channel, codes: Code, probs: jax.Array) -> jax.Array:
    def add(total: jax.Array, item: tuple[Code, jax.Array]) -> tuple[jax.Array, None]:
        return total + item[1][:, None] * channel.covariance(item[0]), None

    units = jax.eval_shape(channel.covariance, jax.tree.map(lambda leaf: leaf[0], codes))
    mean: jax.Array = jax.lax.scan(add, jnp.zeros(units.shape, units.dtype), (codes, probs))[0]
    return mean


def draw_listed(
    key: Key, joint: Joint, listed: Listed, n: int
) -> tuple[Float[Array, " n"], Code, Float[Array, "n units"]]:
    """n independent samples: log p(m) (n,), codes, noisy units (n, units).

    An atom is told by equality, and the same code computed in another batch may round to another number: where the
    channel has atoms the messages are drawn from the list.

    Args:
        key: of messages and noise.
        joint: whose source can be listed.
        listed: its codes.
        n: how many.
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
    tiles = in_tiles(log_probs, width, -jnp.inf)
    key_tile, key_row = jax.random.split(key)
    chosen = _inverse(key_tile, jnp.cumsum(jnp.exp(jax.nn.logsumexp(tiles, axis=1)))[None], n)
    return chosen * width + _inverse(key_row, jnp.cumsum(jnp.exp(tiles), axis=1)[chosen], n)


def _inverse(key: jax.Array, cumulated: jax.Array, n: int) -> jax.Array:
    """Numbers (n,) by the masses whose sums are the rows of `cumulated` (n or 1, count)."""
    uniform = jax.random.uniform(key, (n, 1), cumulated.dtype) * cumulated[:, -1:]
    return (cumulated <= uniform).sum(1)


def as_columns(columns: list[jax.Array], like: Float[Array, "n units"]) -> Float[Array, "n columns"]:
    """Vectors (n,) as the columns of a matrix, also when there are none."""
    return jnp.stack(columns, axis=1) if columns else jnp.zeros((like.shape[0], 0), like.dtype)
