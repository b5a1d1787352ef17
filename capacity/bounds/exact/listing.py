"""Every message's code, and what follows from the list: moments of Z, and samples."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from capacity.bounds.exact.proposal import Proposal, draw_rows, outlyingness, proposal_of
from capacity.bounds.exact.whitening import VARIANCE_TOLERANCE, whitening
from capacity.channels.channel import Channel, Code, noisy
from capacity.joint.joint import ENCODED_TOGETHER, Joint
from capacity.runtime.shapes import Key

LEAST_NARROWING = 0.5  # nats: noise whose entropy differs by less makes no message an outlier
NARROWING_FIRST = 100.0  # strata are cut along how much the noise of a message differs, then along its distance
SAME_LOG_PROB = 1e-3  # nats: equally likely messages differ by less, which is rounding
MAX_VARIANCE = 1e16  # of noise whose moments single precision cannot hold, and which no control is made of
CAPPED = 9.0  # variances: so far counts how far a unit of a code lies from its mean


class Usual(NamedTuple):
    """Moments of Z without outliers among its codes: controls that are made of them still explain the rest.

    Attributes:
        mean, scale: mean and variance of each unit; the variance infinite where a unit does not move.
        whitener: lower triangular; (units, units).
    """

    mean: Float[Array, " units"]
    scale: Float[Array, " units"]
    whitener: Float[Array, "units units"]

    def nearness(self, centred: Float[Array, "n units"]) -> Float[Array, "n units"]:
        """1 for a unit of a code within `CAPPED` variances of the mean; the less, the farther it lies."""
        return 1 / jnp.maximum(1.0, jnp.square(centred) / (CAPPED * self.scale[None]))


class Listed(NamedTuple):
    """Every message's code, and what follows from them exactly.

    Attributes:
        codes: leaves (messages, ...).
        log_probs: nats.
        mean, covariance: of Z.
        noise: the mean variance of Z given the message.
        power: E[u^2] of the signal.
        usual: moments of Z without outliers.
        capped, capped_length: E of `capped_distance` and of `capped_length` over the messages.
        proposal: how messages are drawn.
    """

    codes: Code
    log_probs: Float[Array, " messages"]
    mean: Float[Array, " units"]
    covariance: Float[Array, "units units"]
    noise: Float[Array, " units"]
    power: Float[Array, " units"]
    usual: Usual
    capped: Float[Array, " units"]
    capped_length: Float[Array, ""]
    proposal: Proposal

    @property
    def entropy(self) -> Float[Array, ""]:
        """H(M), the entropy of the message, nats."""
        return -(jnp.exp(self.log_probs) * jnp.where(self.log_probs > -jnp.inf, self.log_probs, 0.0)).sum()

    @property
    def equally_likely(self) -> Bool[Array, ""]:
        """Whether every message that is possible has the same probability."""
        least = jnp.where(self.log_probs > -jnp.inf, self.log_probs, jnp.inf).min()
        return self.log_probs.max() - least < SAME_LOG_PROB


@jax.jit  # else every operation would be a program of its own
def list_codes(joint: Joint) -> Listed:
    """Encode every message of the joint's source, in chunks.

    Raises:
        ValueError: if the source cannot be listed.
    """
    vectors, log_probs = joint.source.codebook()
    codes = jax.lax.map(joint.encoder, vectors, batch_size=min(ENCODED_TOGETHER, len(vectors)))
    return listed_of(codes, log_probs, joint.channel)


def listed_of(codes: Code, log_probs: Float[Array, " messages"], channel: Channel) -> Listed:
    """What follows from the codes of all messages, leaves (messages, ...), and their log masses in nats."""
    probs = jnp.exp(log_probs)[:, None]
    centre, variance = held_moments(channel, codes)
    mean = (probs * centre).sum(0)
    centred = centre - mean[None]
    noise = (probs * variance).sum(0)
    within = jnp.diag(noise) if channel.memoryless else _mean_covariance(channel, codes, probs)
    between = (probs * centred).T @ centred
    power = (probs * jnp.square(jax.vmap(channel.signal)(codes))).sum(0)
    log_std = 0.5 * jnp.log(jnp.maximum(variance, np.finfo(variance.dtype).tiny))
    tiny = 1e-6 * jnp.abs(centred).max(0) + np.finfo(centre.dtype).tiny
    outlying = jnp.maximum(
        outlyingness(centred, jnp.maximum(jnp.sqrt(noise), tiny)),
        outlyingness(log_std, jnp.full_like(noise, LEAST_NARROWING)),
    )
    usual = jax.lax.cond(
        (outlying > 0).any(),
        lambda: _usual(log_probs, outlying, centre, variance),
        lambda: _usual_of(mean, between + jnp.diag(noise)),
    )
    white = (centre - usual.mean[None]) @ usual.whitener.T
    length = jnp.sqrt(jnp.square(white).sum(1))
    least = jnp.sqrt((jnp.square(usual.whitener) @ noise).mean())
    outlying = jnp.maximum(outlying, outlyingness(length[:, None], least[None]))
    capped = (probs * capped_distance(usual, centre)).sum(0)
    squared = capped_length(white)
    capped_mean = (probs[:, 0] * squared).sum()
    narrowing = jnp.abs(log_std - (probs * log_std).sum(0, keepdims=True)).max(1)
    uneven = jnp.where(narrowing.max() > LEAST_NARROWING, narrowing, 0.0)
    proposal = proposal_of(log_probs, outlying, length + NARROWING_FIRST * uneven, squared / white.shape[1])
    return Listed(codes, log_probs, mean, between + within, noise, power, usual, capped, capped_mean, proposal)


def held_moments(channel: Channel, codes: Code) -> tuple[Float[Array, "n units"], Float[Array, "n units"]]:
    """Mean and variance of the noisy units given each code, two arrays (n, units), cut off at `MAX_VARIANCE`."""
    centre, variance = jax.vmap(channel.moments)(codes)
    most = MAX_VARIANCE**0.5
    centre = jnp.clip(jnp.nan_to_num(centre, nan=0.0, posinf=most, neginf=-most), -most, most)
    return centre, jnp.minimum(jnp.nan_to_num(variance, nan=MAX_VARIANCE, posinf=MAX_VARIANCE), MAX_VARIANCE)


def _usual(
    log_probs: Float[Array, " messages"],
    outlying: Float[Array, " messages"],
    centre: Float[Array, "messages units"],
    variance: Float[Array, "messages units"],
) -> Usual:
    """Moments of Z without the outliers among its codes; of independent units given the message."""
    weight = jnp.exp(log_probs) * jnp.where(outlying.min() < 1, 1 - outlying, 1.0)
    weight = (weight / weight.sum())[:, None]
    mean = (weight * centre).sum(0)
    centred = centre - mean[None]
    return _usual_of(mean, (weight * centred).T @ centred + jnp.diag((weight * variance).sum(0)))


def _usual_of(mean: Float[Array, " units"], covariance: Float[Array, "units units"]) -> Usual:
    spread = jnp.diagonal(covariance)
    moves = spread > VARIANCE_TOLERANCE * jnp.square(mean)
    return Usual(mean, jnp.where(moves, spread, jnp.inf), whitening(mean, covariance))


def capped_distance(usual: Usual, centre: Float[Array, "n units"]) -> Float[Array, "n units"]:
    """Squared distance of codes from their mean, unit by unit, in variances; past `CAPPED` it counts as that."""
    return jnp.minimum(jnp.square(centre - usual.mean[None]) / usual.scale[None], CAPPED)


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
