"""Fresh samples that a density or a decoder, fixed before, is held against; and the interval of the bound that follows.

What no sample saw has a probability below 3/n at 95 % (the rule of three).  It may say as much as the source has, or
take all that passes, and a density that is normalised errs there by log n at most: so far every interval reaches.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Shaped

from capacity.channels.channel import Channel, Code, noisy
from capacity.joint.joint import Joint
from capacity.results.estimate import NATS_PER_BIT, Estimate
from capacity.results.intervals import Numbers, rule_of_three_bits
from capacity.runtime.shapes import Key

CHUNK = 1024  # messages encoded at once, always: another batch may round to another number, which atoms would tell


class Judged(NamedTuple):
    """n independent samples, leaves (n, ...) in NumPy.

    Attributes:
        message, code, z: what was sent, its code, the noisy units.
        conditional: log p(z|m), nats.
        surprise: log p(z|m) plus the noise's entropy, of mean 0 given any message; 0 where that is not known.
        log_mass: log p(m), nats.
        variance: the least of a unit's noise.
    """

    message: Shaped[np.ndarray, "n message_dim"]
    code: Code
    z: Float[np.ndarray, "n units"]
    conditional: Float[np.ndarray, " n"]
    surprise: Float[np.ndarray, " n"]
    log_mass: Float[np.ndarray, " n"]
    variance: Float[np.ndarray, " n"]


def draw_messages(key: Key, joint: Joint, n: int) -> Shaped[np.ndarray, "n message_dim"]:
    """n independent messages, one a row."""
    chunks = [_messages(jax.random.fold_in(key, part), joint) for part in range(-(-n // CHUNK))]
    return np.concatenate([np.asarray(chunk) for chunk in chunks])[:n]


def encode(joint: Joint, messages: Shaped[np.ndarray, "n message_dim"]) -> Code:
    """The codes of messages, leaves (n, ...) in NumPy: one program, so that a message has one code to the last bit."""
    n = len(messages)
    padded = np.concatenate([messages, np.repeat(messages[:1], -n % CHUNK, axis=0)])
    chunks = [_codes(joint, jnp.asarray(padded[at : at + CHUNK])) for at in range(0, len(padded), CHUNK)]
    code: Code = jax.tree.map(lambda *parts: np.concatenate([np.asarray(part) for part in parts])[:n], *chunks)
    return code


def draw_judged(key: Key, joint: Joint, n: int) -> Judged:
    """n samples, a multiple of `CHUNK`."""
    key_message, key_noise = jax.random.split(key)
    messages = draw_messages(key_message, joint, n)
    code = encode(joint, messages)
    parts = []
    for at in range(0, n, CHUNK):
        of_chunk = jax.tree.map(lambda leaf, at=at: jnp.asarray(leaf[at : at + CHUNK]), (messages, code))
        parts.append(_received(jax.random.fold_in(key_noise, at), joint, *of_chunk))
    z, *figures = (np.concatenate([np.asarray(one) for one in each]) for each in zip(*parts, strict=True))
    return Judged(messages, code, z, *(np.asarray(one, np.float64) for one in figures))


@jax.jit
def _messages(key: Key, joint: Joint) -> jax.Array:
    message: jax.Array = joint.source.sample(key, CHUNK).message
    return message


@jax.jit
def _codes(joint: Joint, messages: jax.Array) -> Code:
    return jax.vmap(lambda message: joint.encoder(joint.source.embed(message)))(messages)


@jax.jit
def _received(key: Key, joint: Joint, messages: jax.Array, codes: Code) -> tuple[jax.Array, ...]:
    z = noisy(joint.channel, key, codes)
    conditional = jax.vmap(joint.conditional)(z, codes)
    surprise = jnp.zeros_like(conditional)
    if joint.channel.has_entropy:
        surprise = conditional + jax.vmap(joint.channel.entropy)(codes).sum(1)
    variance = jax.vmap(joint.channel.moments)(codes)[1].min(1)
    return z, conditional, surprise, jax.vmap(joint.source.log_mass)(messages), variance


def has_atoms_unawares(channel: Channel, judged: Judged) -> bool:
    """Whether a channel with a density left some unit without any noise: its density is no probability then."""
    return not channel.atomic and not bool((judged.variance > 0).all())


def without_surprise(nats: Float[np.ndarray, " n"], judged: Judged) -> Float[np.ndarray, " n"]:
    """The values less a share of the noise's surprise, of mean 0: from 0 to 1, fitted on the other half each time.

    Held to that range and fitted elsewhere, a slope cannot be wrong where the surprise is rare: it is only of less use.
    """
    left = np.array(nats, np.float64)
    halves = slice(0, None, 2), slice(1, None, 2)
    for half, other in (halves, halves[::-1]):
        column = judged.surprise[other] - judged.surprise[other].mean()
        power = np.square(column).mean()
        share = (column * (nats[other] - nats[other].mean())).mean() / power if power > 0 else 0.0
        left[half] -= np.clip(share, 0.0, 1.0) * judged.surprise[half]
    return left


def upper_bound(nats: Float[np.ndarray, " n"], judged: Judged, joint: Joint) -> Estimate:
    """The bound of log p(z|m) - log r(z) in nats, for a normalised r that these samples did not fit; in bits.

    Its interval reaches up for what was not seen: 3/n of what the source has beyond the bound, and of log n; and what
    these messages say less than messages do on average, where some are rare.
    """
    found = Estimate.from_samples(
        nats=jnp.asarray(without_surprise(nats, judged), jnp.float32), kind="upper", limit=joint.source.bits
    )
    n, bits = len(nats), joint.source.bits
    most, unsaid = float(np.max(nats) / NATS_PER_BIT), 0.0
    if joint.source.discrete:
        most, unsaid = bits, max(float(bits + judged.log_mass.mean() / NATS_PER_BIT), 0.0)
    up = rule_of_three_bits(jnp.maximum(most - found.bits, 0.0) + np.log2(n), n) + unsaid
    return _reaching(found.conservative(), rule_of_three_bits(jnp.maximum(found.bits, 0.0), n), up)


def lower_bound(nats: Float[np.ndarray, " n"], judged: Judged, joint: Joint) -> Estimate:
    """The bound of a lower bound's values in nats, in bits; its interval reaches down by 3/n of itself and of log n."""
    found = Estimate.from_samples(
        nats=jnp.asarray(without_surprise(nats, judged), jnp.float32), kind="lower", limit=joint.source.bits
    )
    down = rule_of_three_bits(jnp.maximum(found.bits, 0.0) + np.log2(len(nats)), len(nats))
    return _reaching(found.conservative(), down, 0.0)


def _reaching(found: Estimate, down: Numbers, up: Numbers) -> Estimate:
    """The interval longer by so much, below and above, bits."""
    return replace(found, low=found.low - down, high=found.high + up)
