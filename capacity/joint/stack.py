"""A network with noise inside: M -> U_1 -> Z_1 -> U_2 -> Z_2 ... -> Z_L, each layer an encoder and a channel.

Z_l given the message is a mixture over the noise of all layers before.  With normal channels that noise is a vector e
of independent standard normal numbers, and message and e together are sent by a deterministic code through the last
channel: `Stack.joint(l)` is that joint, of which everything is known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from capacity.channels import Channel
from capacity.channels.gaussian import LOG_2PI
from capacity.joint.joint import Joint, as_tree


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Layer:
    """An encoder, from one vector to what the channel needs, and the channel; wrapped as in `Joint`."""

    encoder: Callable[[jax.Array], Any]
    channel: Channel

    def __post_init__(self) -> None:
        object.__setattr__(self, "encoder", as_tree(self.encoder))


class Sent(NamedTuple):
    """A message and the standard normal noise (e,) of the layers before the last."""

    message: jax.Array
    noise: jax.Array


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Stack:
    """A source and the layers that its vector passes, first to last."""

    source: Any
    layers: tuple[Layer, ...]

    def joint(self, layer: int) -> Joint:
        """Message and inner noise -> Z of the layer, counted from 1.

        Raises:
            ValueError: if there is no such layer, or an inner channel is not normal.
        """
        if not 1 <= layer <= len(self.layers):
            raise ValueError(f"Expected a layer from 1 to {len(self.layers)}; got {layer}.")
        for number, inner in enumerate(self.layers[: layer - 1], 1):
            if not inner.channel.normal:
                raise ValueError(
                    f"Expected normal channels before layer {layer}; got {inner.channel.name} in {number}."
                )
        last, inner_layers = self.layers[layer - 1], self.layers[: layer - 1]
        encoder = jax.tree_util.Partial(_through, inner_layers, last.encoder)
        sizes = inner_units(self.source, inner_layers)
        return Joint(WithNoise(self.source, jnp.zeros(sum(sizes), jnp.float32)), encoder, last.channel)

    def sample(self, key: jax.Array, n: int) -> tuple[jax.Array, list[jax.Array]]:
        """n independent messages (n, message_dim), and the noisy units (n, units) of every layer."""
        key_source, *keys = jax.random.split(key, 1 + len(self.layers))
        batch = self.source.sample(key_source, n)
        z, found = batch.vector, []
        for layer, layer_key in zip(self.layers, keys, strict=True):
            z = jax.vmap(lambda k, v, layer=layer: layer.channel(k, layer.encoder(v)))(
                jax.random.split(layer_key, n), z
            )
            found.append(z)
        return batch.message, found


def inner_units(source: Any, layers: Sequence[Layer]) -> list[int]:
    """Units of each of these layers."""
    vector: Any = jax.ShapeDtypeStruct((source.dim,), jnp.float32)
    sizes = []
    for layer in layers:
        vector = jax.eval_shape(lambda v, layer=layer: layer.channel.moments(layer.encoder(v))[0], vector)
        sizes.append(vector.shape[0])
    return sizes


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class WithNoise:
    """A source whose message goes with standard normal noise of the shape of `zeros` (e,): what a stack sends."""

    base: Any
    zeros: jax.Array

    @property
    def discrete(self) -> bool:
        """Whether the base is; the noise is not."""
        return self.base.discrete

    @property
    def bits(self) -> float:
        """Of the base: the noise is not counted as message."""
        return self.base.bits

    @property
    def listable(self) -> bool:
        """Never: the noise is a continuum."""
        return False

    def sample(self, key: jax.Array, n: int) -> Any:
        """n messages with noise, and the pairs of vector and noise that carry them."""
        key_base, key_noise = jax.random.split(key)
        batch = self.base.sample(key_base, n)
        noise = jax.random.normal(key_noise, (n, *self.zeros.shape))
        return type(batch)(Sent(batch.message, noise), (batch.vector, noise))

    def embed(self, sent: Sent) -> tuple[jax.Array, jax.Array]:
        """Vector and noise."""
        return self.base.embed(sent.message), sent.noise

    def log_prob(self, sent: Sent) -> jax.Array:
        """log p(m) + log p(e), nats."""
        return self.log_mass(sent) + log_normal(sent.noise)

    def log_mass(self, sent: Sent) -> jax.Array:
        """log p(m), nats."""
        return self.base.log_prob(sent.message)


def log_normal(noise: jax.Array) -> jax.Array:
    """Log density of independent standard normal numbers, nats."""
    return -0.5 * (jnp.square(noise).sum() + LOG_2PI * noise.size)


def _through(layers: tuple[Layer, ...], last: Callable[[jax.Array], Any], pair: tuple[jax.Array, jax.Array]) -> Any:
    """The code of the last layer, from the vector and the noise of all layers before."""
    vector, noise = pair
    start = 0
    for layer in layers:
        mean, variance = layer.channel.moments(layer.encoder(vector))
        vector = mean + jnp.sqrt(variance) * noise[start : start + mean.shape[0]]
        start += mean.shape[0]
    return last(vector)
