"""All that is known of how Z comes from M: the source, the encoder and the channel, as one pytree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax

from capacity.channels import Channel

MOMENTS_TOGETHER = 4096  # vectors encoded at a time


def as_tree(function: Any) -> Any:
    """A plain function as a pytree without leaves, which compiled programs take as an argument; others as they are."""
    if callable(function) and jax.tree_util.all_leaves([function]):
        return jax.tree_util.Partial(function)
    return function


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Joint:
    """M -> X -> U -> Z.

    Attributes:
        source: any object with a source's methods (see `synthetic.Source`), a pytree.
        encoder: from one vector (dim,) to what the channel needs.  A plain function is wrapped in
            `jax.tree_util.Partial`; one with parameters should be a `Partial` or another callable pytree.
        channel: a channel.
    """

    source: Any
    encoder: Callable[[Any], Any]
    channel: Channel

    def __post_init__(self) -> None:
        object.__setattr__(self, "encoder", as_tree(self.encoder))

    def log_prob(self, message: Any, z: jax.Array) -> jax.Array:
        """log p(m, z) of one message and one noisy code, nats."""
        return self.source.log_prob(message) + self.conditional(z, self.encoder(self.source.embed(message)))

    def moments(self, vector: Any) -> tuple[jax.Array, jax.Array]:
        """Mean and variance of each noisy unit given a vector, two arrays (units,)."""
        return self.channel.moments(self.encoder(vector))

    def conditional(self, z: jax.Array, code: Any) -> jax.Array:
        """log p(z|u) of one noisy code and the code that was sent, nats."""
        return self.channel.log_prob(z, code).sum()

    def sample(self, key: jax.Array, n: int) -> tuple[Any, Any, jax.Array]:
        """n independent triples: messages (n, message_dim), codes, noisy units (n, units)."""
        key_source, key_noise = jax.random.split(key)
        batch = self.source.sample(key_source, n)
        codes = jax.vmap(self.encoder)(batch.vector)
        return batch.message, codes, jax.vmap(self.channel)(jax.random.split(key_noise, n), codes)


@jax.jit
def moments_of(joint: Joint, vectors: Any) -> tuple[jax.Array, jax.Array]:
    """Means and variances of the noisy units, two arrays (n, units), of n vectors, some at a time."""
    return jax.lax.map(joint.moments, vectors, batch_size=MOMENTS_TOGETHER)
