"""All that is known of how Z comes from M: the source, the encoder and the channel, as one pytree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import jax
from jaxtyping import Array, Float, PyTree

from capacity.channels import Channel, Code
from capacity.joint.checks import check_channel, check_source, is_placeholder
from capacity.runtime.pytrees import mistakable, register_dataclass
from capacity.runtime.shapes import Key, Scalar, Units

if TYPE_CHECKING:
    from synthetic.source import Draws, Source

ENCODED_TOGETHER = 512  # vectors at a time: of some encoders XLA (JAX 0.10.2, CPU) makes wrong programs for 4,096
ENCODED_NUMBERS = 2**19  # of vectors at a time: long ones are fewer
T = TypeVar("T")


@dataclass(frozen=True)
class _Called:
    """Calls a pytree; part of the structure that programs are kept by, which so holds the classes of its nodes."""

    kinds: tuple[type, ...]

    def __call__(self, function: Callable[..., Any], *arguments: PyTree) -> Any:
        return function(*arguments)


def as_tree(function: T) -> T | jax.tree_util.Partial:
    """A plain function as a pytree without leaves, which compiled programs take as an argument; others as they are.

    Those with nodes that JAX may take for others, such as parameters in a `flax.struct.dataclass`, go with their
    classes.
    """
    if callable(function) and jax.tree_util.all_leaves([function]):
        return jax.tree_util.Partial(function)
    kinds = mistakable(function)
    if callable(function) and kinds:
        return jax.tree_util.Partial(_Called(tuple(kinds)), function)
    return function


@register_dataclass
@dataclass(frozen=True)
class Joint:
    """M -> X -> U -> Z.

    Attributes:
        source: any object with a source's methods (see `synthetic.Source`), a pytree.
        encoder: from one vector (dim,) to what the channel needs.  A plain function is wrapped in
            `jax.tree_util.Partial`; one with parameters should be a `Partial` or another callable pytree.
        channel: a channel, a pytree.

    Raises:
        TypeError: for a source that lacks a member, a channel that is no pytree, a class in place of an instance, and a
            source or channel whose class JAX may take for another (`capacity.register_dataclass` mends that).
    """

    source: Source
    encoder: Callable[[PyTree], Code]
    channel: Channel

    def __post_init__(self) -> None:
        if not is_placeholder(self.source):
            check_source(self.source)
        if not is_placeholder(self.channel):
            check_channel(self.channel)
        object.__setattr__(self, "encoder", as_tree(self.encoder))

    def log_prob(self, message: PyTree, z: Units) -> Scalar:
        """log p(m, z) of one message and one noisy code, nats."""
        return self.source.log_prob(message) + self.conditional(z, self.encoder(self.source.embed(message)))

    def moments(self, vector: PyTree) -> tuple[Units, Units]:
        """Mean and variance of each noisy unit given a vector, two arrays (units,)."""
        return self.channel.moments(self.encoder(vector))

    def conditional(self, z: Units, code: Code) -> Scalar:
        """log p(z|u) of one noisy code and the code that was sent, nats."""
        return self.channel.log_prob(z, code).sum()

    def sample(self, key: Key, n: int) -> tuple[PyTree, Code, Float[Array, "{n} units"]]:
        """n independent triples: messages (n, message_dim), codes, noisy units (n, units)."""
        message, codes, z = _sampled(self, key, n)
        return message, codes, z


def encoded_together(items: PyTree) -> int:
    """How many of n items, leaves (n, ...), a network should be run on at a time."""
    long: int = sum(leaf[0].size for leaf in jax.tree.leaves(items))
    return max(1, min(ENCODED_TOGETHER, ENCODED_NUMBERS // max(long, 1)))


@partial(jax.jit, static_argnums=2)
def _sampled(joint: Joint, key: Key, n: int) -> tuple[PyTree, Code, jax.Array]:
    key_source, key_noise = jax.random.split(key)
    batch = joint.source.sample(key_source, n)
    codes = jax.lax.map(joint.encoder, batch.vector, batch_size=min(n, encoded_together(batch.vector)))
    return batch.message, codes, jax.vmap(joint.channel)(jax.random.split(key_noise, n), codes)


@partial(jax.jit, static_argnums=2)
def drawn(source: Source, key: Key, n: int) -> Draws:
    """n independent draws: one program, where `source.sample` outside of any would be one an operation."""
    return source.sample(key, n)


@jax.jit
def log_probs(source: Source, messages: PyTree) -> Float[Array, " n"]:
    """log p(m), (n,) nats, of n messages: one program."""
    found: jax.Array = jax.vmap(source.log_prob)(messages)
    return found


@jax.jit
def noisy_moments(joint: Joint, vectors: PyTree) -> tuple[Float[Array, "n units"], Float[Array, "n units"]]:
    """Means and variances of the noisy units, two arrays (n, units), of n vectors, some at a time."""
    mean, variance = jax.lax.map(joint.moments, vectors, batch_size=encoded_together(vectors))
    return mean, variance
