"""An encoder called on many messages, few at a time, so that its memory does not grow with how many there are."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Shaped

from capacity.channels.channel import Code, noisy
from capacity.joint.joint import Joint
from capacity.runtime.shapes import ArrayLeaf

TOGETHER = 2**17  # digits of messages that are encoded at once
MOST = 512  # messages


class ReceivedCodes(NamedTuple):
    """n independent samples, leaves (n, ...): messages, codes, noisy units, log p(z|m), and its surprise, nats.

    And whether some unit had no noise: a density is no probability there.

    The surprise is log p(z|m) plus the noise's entropy, of mean 0 given any message; 0 where that is not known.
    """

    message: Shaped[ArrayLeaf, "n digits"]
    code: Code
    z: Float[ArrayLeaf, "n units"]
    conditional: Float[ArrayLeaf, " n"]
    surprise: Float[ArrayLeaf, " n"]
    certain: Bool[ArrayLeaf, " n"]


class CodedMessages:
    """The codes of a joint's messages.

    Args:
        joint: source, encoder and channel.
    """

    def __init__(self, joint: Joint) -> None:
        self.joint = joint
        self.batch = int(np.clip(TOGETHER // joint.source.message_dim, 1, MOST))

    def messages(self, key: jax.Array, n: int) -> Shaped[np.ndarray, "n digits"]:
        """n independent messages, one a row."""
        parts = range(-(-n // self.batch))
        chunks = [np.asarray(_messages(jax.random.fold_in(key, part), self.joint, self.batch)) for part in parts]
        return np.concatenate(chunks)[:n]

    def codes(self, messages: Shaped[np.ndarray, "n digits"]) -> Code:
        """Codes of messages, leaves (n, units) in NumPy."""
        chunks = [_codes(self.joint, chunk) for chunk in self._chunks(messages)]
        code: Code = jax.tree.map(lambda *parts: np.concatenate(list(map(np.asarray, parts)))[: len(messages)], *chunks)
        return code

    def means(self, messages: Shaped[np.ndarray, "n digits"]) -> Float[np.ndarray, "n units"]:
        """Means of the noisy units."""
        chunks = [np.asarray(_means(self.joint, chunk)) for chunk in self._chunks(messages)]
        return np.concatenate(chunks)[: len(messages)]

    def received(self, key: jax.Array, n: int) -> ReceivedCodes:
        """n samples, and how likely their noise was."""
        parts = [_received(jax.random.fold_in(key, i), self.joint, self.batch) for i in range(-(-n // self.batch))]
        joined: ReceivedCodes = jax.tree.map(lambda *leaves: np.concatenate(list(map(np.asarray, leaves)))[:n], *parts)
        return joined

    def _chunks(self, messages: np.ndarray) -> list[jax.Array]:
        padded = np.concatenate([messages, np.repeat(messages[:1], -len(messages) % self.batch, axis=0)])
        return [jnp.asarray(padded[at : at + self.batch]) for at in range(0, len(padded), self.batch)]


def _messages_of(key: jax.Array, joint: Joint, n: int) -> jax.Array:
    message: jax.Array = joint.source.sample(key, n).message
    return message


def _codes_of(joint: Joint, messages: jax.Array) -> Code:
    return jax.vmap(lambda message: joint.encoder(joint.source.embed(message)))(messages)


def _means_of(joint: Joint, messages: jax.Array) -> jax.Array:
    means: jax.Array = jax.vmap(lambda code: joint.channel.moments(code)[0])(_codes_of(joint, messages))
    return means


def _received_of(key: jax.Array, joint: Joint, n: int) -> ReceivedCodes:
    key_message, key_noise = jax.random.split(key)
    messages = _messages_of(key_message, joint, n)
    codes = _codes_of(joint, messages)
    z = noisy(joint.channel, key_noise, codes)
    log_units = jax.vmap(joint.channel.log_prob)(z, codes)
    surprise = jnp.zeros(n)
    if joint.channel.has_entropy:
        surprise = (log_units + jax.vmap(joint.channel.entropy)(codes)).sum(1)
    certain = (jax.vmap(joint.channel.moments)(codes)[1] == 0).any(1)
    return ReceivedCodes(messages, codes, z, log_units.sum(1), surprise, certain)


_messages = jax.jit(_messages_of, static_argnums=2)
_codes = jax.jit(_codes_of)
_means = jax.jit(_means_of)
_received = jax.jit(_received_of, static_argnums=2)
