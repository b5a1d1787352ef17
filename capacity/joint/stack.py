"""A network with noise inside: M -> U_1 -> Z_1 -> U_2 -> Z_2 ... -> Z_L, each layer an encoder and a channel.

Z_l given the message is a mixture over the noise of all layers before.  With normal channels that noise is a vector e
of independent standard normal numbers, and message and e together are sent by a deterministic code through the last
channel: `Stack.joint(l)` is that joint, of which everything is known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from capacity.channels import Channel, Code
from capacity.channels.gaussian import LOG_2PI
from capacity.joint.checks import check_channel, check_source, is_placeholder
from capacity.joint.joint import Joint, as_tree
from capacity.runtime.pytrees import register_dataclass
from capacity.runtime.shapes import ArrayLeaf, Key, Scalar, Vector

if TYPE_CHECKING:
    from synthetic.source import Draws, Source


@register_dataclass
@dataclass(frozen=True)
class Layer:
    """An encoder, from one vector to what the channel needs, and the channel; wrapped as in `Joint`."""

    encoder: Callable[[Vector], Code]
    channel: Channel

    def __post_init__(self) -> None:
        if not is_placeholder(self.channel):
            check_channel(self.channel)
        object.__setattr__(self, "encoder", as_tree(self.encoder))


class Sent(NamedTuple):
    """A message and the standard normal noise (e,) of the layers before the last."""

    message: PyTree
    noise: Float[Array, ...]


class SentDraws(NamedTuple):
    """Independent draws: messages with noise, and the pairs of vector and noise that carry them."""

    message: Sent
    vector: tuple[PyTree, Float[Array, "n ..."]]


@register_dataclass
@dataclass(frozen=True)
class Stack:
    """A source and the layers that its vector passes, first to last."""

    source: Source
    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        if not is_placeholder(self.source):
            check_source(self.source)

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

    def sample(self, key: Key, n: int) -> tuple[PyTree, list[jax.Array]]:
        """n independent messages (n, message_dim), and the noisy units (n, units) of every layer."""
        key_source, *keys = jax.random.split(key, 1 + len(self.layers))
        batch = self.source.sample(key_source, n)
        z, layers = batch.vector, []
        for layer, layer_key in zip(self.layers, keys, strict=True):
            z = jax.vmap(lambda k, v, layer=layer: layer.channel(k, layer.encoder(v)))(
                jax.random.split(layer_key, n), z
            )
            layers.append(z)
        return batch.message, layers


def inner_units(source: Source, layers: Sequence[Layer]) -> list[int]:
    """Units of each of these layers."""
    vector = jax.ShapeDtypeStruct((source.dim,), jnp.float32)
    sizes = []
    for layer in layers:
        vector = jax.eval_shape(lambda v, layer=layer: layer.channel.moments(layer.encoder(v))[0], vector)
        sizes.append(vector.shape[0])
    return sizes


@register_dataclass
@dataclass(frozen=True)
class WithNoise:
    """A source whose message goes with standard normal noise of the shape of `zeros` (e,): what a stack sends."""

    base: Source
    zeros: ArrayLeaf
    name: ClassVar[str] = "with_noise"

    @property
    def discrete(self) -> bool:
        """Whether the base is; the noise is not."""
        return self.base.discrete

    @property
    def bits(self) -> float:
        """Of the base: the noise is not counted as message."""
        return self.base.bits

    @property
    def dim(self) -> int:
        """Length of the vector and the noise together."""
        return self.base.dim + self.zeros.size

    @property
    def message_dim(self) -> int:
        """Length of the base's message."""
        return self.base.message_dim

    @property
    def listable(self) -> bool:
        """Whether there are few messages: never, the noise is a continuum."""
        return False

    def sample(self, key: Key, n: int) -> Draws:
        """n messages with noise, and the pairs of vector and noise that carry them."""
        key_base, key_noise = jax.random.split(key)
        batch = self.base.sample(key_base, n)
        noise = jax.random.normal(key_noise, (n, *self.zeros.shape))
        return SentDraws(Sent(batch.message, noise), (batch.vector, noise))

    def embed(self, message: Sent) -> tuple[Vector, Float[Array, ...]]:
        """The vector of a message, and the noise that goes with it."""
        return self.base.embed(message.message), message.noise

    def log_prob(self, message: Sent) -> Scalar:
        """log p(m) + log p(e), nats."""
        return self.log_mass(message) + log_normal(message.noise)

    def log_mass(self, message: Sent) -> Scalar:
        """log p(m) of the message alone, nats."""
        return self.base.log_prob(message.message)

    def messages(self) -> jax.Array:
        """Refused: the noise is a continuum.

        Raises:
            ValueError: always.
        """
        raise ValueError("Expected messages that can be listed; got some that go with noise.")

    def codebook(self) -> tuple[jax.Array, jax.Array]:
        """Refused, as `messages`.

        Raises:
            ValueError: always.
        """
        raise ValueError("Expected messages that can be listed; got some that go with noise.")


def log_normal(noise: Float[Array, ...]) -> Scalar:
    """Log density of independent standard normal numbers, nats."""
    return -0.5 * (jnp.square(noise).sum() + LOG_2PI * noise.size)


def _through(
    layers: tuple[Layer, ...], last: Callable[[Vector], Code], pair: tuple[Vector, Float[Array, " noise"]]
) -> Code:
    """The code of the last layer, from the vector and the noise of all layers before."""
    vector, noise = pair
    start = 0
    for layer in layers:
        mean, variance = layer.channel.moments(layer.encoder(vector))
        vector = mean + jnp.sqrt(variance) * noise[start : start + mean.shape[0]]
        start += mean.shape[0]
    return last(vector)
