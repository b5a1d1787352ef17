"""Every message's code, and what follows from the list: moments of Z, and samples."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from capacity.bounds.exact.proposal import Proposal, draw_rows, proposal_of
from capacity.bounds.exact.whitening import VARIANCE_TOLERANCE, whitening
from capacity.channels.channel import Channel, Code, noisy
from capacity.joint.joint import Joint
from capacity.runtime.shapes import Key

LIST_BATCH = 4096  # messages encoded at once
LEAST_NARROWING = 0.5  # nats: noise whose entropy differs by less makes no message an outlier
CAPPED = 9.0  # variances: so far counts how far a unit of a code lies from its mean


class Listed(NamedTuple):
    """Every message's code, and what follows from them exactly.

    Attributes:
        codes: leaves (messages, ...).
        log_probs: nats.
        mean, covariance: of Z.
        noise: the mean variance of Z given the message.
        power: E[u^2] of the signal.
        whitener: lower triangular; (units, units).
        capped, capped_length: E of `capped_distance` and of `capped_length` over the messages.
        proposal: how messages are drawn.
    """

    codes: Code
    log_probs: Float[Array, " messages"]
    mean: Float[Array, " units"]
    covariance: Float[Array, "units units"]
    noise: Float[Array, " units"]
    power: Float[Array, " units"]
    whitener: Float[Array, "units units"]
    capped: Float[Array, " units"]
    capped_length: Float[Array, ""]
    proposal: Proposal

    @property
    def entropy(self) -> Float[Array, ""]:
        """H(M), nats."""
        return -(jnp.exp(self.log_probs) * jnp.where(self.log_probs > -jnp.inf, self.log_probs, 0.0)).sum()

    @property
    def scale(self) -> Float[Array, " units"]:
        """Variance of each unit of Z; infinite where it is the rounding of a unit that does not move."""
        variance = jnp.diagonal(self.covariance)
        return jnp.where(variance > VARIANCE_TOLERANCE * jnp.square(self.mean), variance, jnp.inf)


def list_codes(joint: Joint) -> Listed:
    """Encode every message of the joint's source, in chunks.

    Raises:
        ValueError: if the source cannot be listed.
    """
    vectors, log_probs = joint.source.codebook()
    codes = jax.lax.map(joint.encoder, vectors, batch_size=min(LIST_BATCH, len(vectors)))
    return listed_of(codes, log_probs, joint.channel)


def listed_of(codes: Code, log_probs: Float[Array, " messages"], channel: Channel) -> Listed:
    """What follows from the codes of all messages, leaves (messages, ...), and their log masses in nats."""
    probs = jnp.exp(log_probs)[:, None]
    centre, variance = jax.vmap(channel.moments)(codes)
    mean = (probs * centre).sum(0)
    centred = centre - mean[None]
    noise = (probs * variance).sum(0)
    within = jnp.diag(noise) if channel.memoryless else _mean_covariance(channel, codes, probs)
    covariance = (probs * centred).T @ centred + within
    power = (probs * jnp.square(jax.vmap(channel.signal)(codes))).sum(0)
    whitener = whitening(mean, covariance)
    length = jnp.sqrt(jnp.square(centred @ whitener.T).sum(1))
    capped_mean = (probs[:, 0] * capped_length(centred @ whitener.T)).sum()
    unfinished = Proposal(*[log_probs] * 3)
    listed = Listed(codes, log_probs, mean, covariance, noise, power, whitener, mean, capped_mean, unfinished)
    least = jnp.sqrt((jnp.square(whitener) @ noise).mean())
    narrowness = 0.5 * jnp.log(jnp.maximum(variance, np.finfo(variance.dtype).tiny)).sum(1)
    tiny = 1e-6 * jnp.abs(centred).max(0) + np.finfo(centre.dtype).tiny
    floors = [least[None], jnp.full(1, LEAST_NARROWING, least.dtype), jnp.maximum(jnp.sqrt(noise), tiny)]
    scores = jnp.concatenate([length[:, None], narrowness[:, None], centred], axis=1)
    return listed._replace(
        capped=(probs * capped_distance(listed, centre)).sum(0),
        proposal=proposal_of(log_probs, scores, jnp.concatenate(floors), length),
    )


def capped_distance(listed: Listed, centre: Float[Array, "n units"]) -> Float[Array, "n units"]:
    """Squared distance of codes from their mean, unit by unit, in variances; past `CAPPED` it counts as that."""
    return jnp.minimum(jnp.square(centre - listed.mean[None]) / listed.scale[None], CAPPED)


def capped_length(white: Float[Array, "n units"]) -> Float[Array, " n"]:
    """Squared length of whitened codes; past `CAPPED` a unit it counts as that."""
    return jnp.minimum(jnp.square(white).sum(1), CAPPED * white.shape[1])


def _mean_covariance(channel: Channel, codes: Code, probs: jax.Array) -> jax.Array:
    def add(total: jax.Array, item: tuple[Code, jax.Array]) -> tuple[jax.Array, None]:
        return total + item[1][:, None] * channel.covariance(item[0]), None

    units = jax.eval_shape(channel.covariance, jax.tree.map(lambda leaf: leaf[0], codes))
    mean: jax.Array = jax.lax.scan(add, jnp.zeros(units.shape, units.dtype), (codes, probs))[0]
    return mean


class Drawn(NamedTuple):
    """Samples from a list: `rows` (n,) of the messages, their `codes`, leaves (n, ...), and noisy units `z`."""

    rows: jax.Array
    codes: Code
    z: jax.Array


def draw_listed(key: Key, channel: Channel, listed: Listed, n: int) -> Drawn:
    """n samples by the list's proposal, a multiple of `PER_STRATUM`, stratum after stratum.

    Codes are taken from the list: an atom is told by equality, and the same code computed in another batch may round
    to another number.

    Args:
        key: of messages and noise.
        channel: that adds the noise.
        listed: all codes.
        n: how many.
    """
    key_message, key_noise = jax.random.split(key)
    rows = draw_rows(key_message, listed.proposal, n)
    codes = jax.tree.map(lambda leaf: leaf[rows], listed.codes)
    return Drawn(rows, codes, noisy(channel, key_noise, codes))


def as_columns(columns: list[jax.Array], like: Float[Array, "n units"]) -> Float[Array, "n columns"]:
    """Vectors (n,) as the columns of a matrix, also when there are none."""
    return jnp.stack(columns, axis=1) if columns else jnp.zeros((like.shape[0], 0), like.dtype)
