"""A network with noise inside: M -> U_1 -> Z_1 -> U_2 -> Z_2 ... -> Z_L, each layer an encoder and a channel.

Z_l given the message is a mixture over the noise of all layers before.  That noise is a vector of independent standard
normal numbers and choices among ways (`capacity.channels.inner_noise`), and message and noise together are sent by a
deterministic code through the last channel: `Stack.joint(l)` is that joint, of which everything is known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PyTree

from capacity.channels import Chain, Channel, Code
from capacity.channels.gaussian import LOG_2PI
from capacity.channels.inner_noise import NoiseDraw, NoiseShape, drawn_choices, log_mass_of
from capacity.joint.checks import check_channel, check_source, is_placeholder
from capacity.joint.joint import ENCODED_TOGETHER, Joint, as_tree
from capacity.runtime.pytrees import register_dataclass
from capacity.runtime.shapes import Key, Scalar, Units, Vector

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
    """A message and the noise of the layers before the last."""

    message: PyTree
    noise: NoiseDraw


class SentDraws(NamedTuple):
    """Independent draws: messages with noise, and the pairs of vector and noise that carry them."""

    message: Sent
    vector: tuple[PyTree, NoiseDraw]


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
            ValueError: if there is no such layer, or the noise of an inner channel is not known as a function.
        """
        if not 1 <= layer <= len(self.layers):
            raise ValueError(f"Expected a layer from 1 to {len(self.layers)}; got {layer}.")
        last, inner_layers = self.layers[layer - 1], unrolled(self.layers[: layer - 1])
        inner_shape(self.source, inner_layers)  # refuses what is not known
        encoder = jax.tree_util.Partial(_through, inner_layers, last.encoder)
        return Joint(WithNoise(self.source, inner_layers), encoder, last.channel)

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


def unchanged(vector: Vector) -> Vector:
    """The encoder between two noises of which one follows the other."""
    return vector


def unrolled(layers: Sequence[Layer]) -> tuple[Layer, ...]:
    """The same layers, chains of channels taken apart: the noise of each follows from the code that reaches it."""
    found: list[Layer] = []
    for layer in layers:
        channel, rest = layer.channel, []
        while isinstance(channel, Chain):
            rest.append(channel.second)
            channel = channel.first
        found.append(Layer(layer.encoder, channel))
        found += [Layer(unchanged, one) for one in reversed(rest)]
    return tuple(found)


def inner_shapes(source: Source, layers: Sequence[Layer]) -> list[NoiseShape]:
    """How much noise each of these layers takes.

    Raises:
        ValueError: if the noise of a channel is not known as a function.
    """
    shapes: list[NoiseShape] = []

    def noted(vector: Vector) -> Units:
        for layer in layers:
            code = layer.encoder(vector)
            shape = layer.channel.noise_shape(code)
            shapes.append(shape)
            noise = NoiseDraw(jnp.zeros(shape.normal), jnp.zeros((shape.draws, shape.ways)))
            vector = layer.channel.noised(code, noise)
        return vector

    jax.eval_shape(noted, jax.ShapeDtypeStruct((source.dim,), jnp.float32))
    return shapes


def inner_shape(source: Source, layers: Sequence[Layer]) -> NoiseShape:
    """How much noise these layers take together, every choice with as many ways as any has.

    At least one number and one choice, of which no layer need take notice: JAX does not map arrays without entries.
    """
    shapes = inner_shapes(source, layers)
    ways = max((shape.ways for shape in shapes), default=1)
    normal, draws = sum(shape.normal for shape in shapes), sum(shape.draws for shape in shapes)
    return NoiseShape(max(normal, 1), max(draws, 1), ways)


def passed(layers: Sequence[Layer], vector: Vector, noise: NoiseDraw) -> tuple[Vector, Scalar]:
    """The noisy units of the last of these layers, and the log probability of the choices, nats."""
    log_mass = jnp.zeros(())
    normal, draw = 0, 0
    for layer in layers:
        code = layer.encoder(vector)
        shape = layer.channel.noise_shape(code)
        own = _part(noise, shape, normal, draw)
        if shape.draws:
            log_mass = log_mass + log_mass_of(own.choices, layer.channel.log_masses(code))
        vector = layer.channel.noised(code, own)
        normal, draw = normal + shape.normal, draw + shape.draws
    return vector, log_mass


def passed_with(
    layers: Sequence[Layer],
    vector: Vector,
    normal: Float[Array, " normal"],
    ways: int,
    choose: Callable[[int, Float[Array, "draws ways"]], Float[Array, "draws ways"]],
) -> tuple[Vector, NoiseDraw]:
    """The noisy units of the last of these layers, and their noise, its choices made layer by layer.

    Args:
        layers: first to last.
        vector: that enters them.
        normal: all standard normal numbers.
        ways: of every choice in what is returned.
        choose: from the layer's number and log masses to choices.
    """
    start, rows = 0, []
    for number, layer in enumerate(layers):
        code = layer.encoder(vector)
        shape = layer.channel.noise_shape(code)
        choices = choose(number, layer.channel.log_masses(code)).astype(normal.dtype)
        vector = layer.channel.noised(code, NoiseDraw(normal[start : start + shape.normal], choices))
        start += shape.normal
        if shape.draws:
            rows.append(jnp.pad(choices, ((0, 0), (0, ways - choices.shape[1]))))
    return vector, NoiseDraw(normal, jnp.concatenate(rows or [jax.nn.one_hot(jnp.zeros(1, jnp.int32), ways)]))


def _part(noise: NoiseDraw, shape: NoiseShape, normal: int, draw: int) -> NoiseDraw:
    choices = noise.choices[draw : draw + shape.draws, : shape.ways]
    return NoiseDraw(noise.normal[normal : normal + shape.normal], choices)


@register_dataclass
@dataclass(frozen=True)
class WithNoise:
    """A source whose message goes with the noise of some layers: what a stack sends."""

    base: Source
    layers: tuple[Layer, ...]
    name: ClassVar[str] = "with_noise"

    @property
    def shape(self) -> NoiseShape:
        """How much noise goes with a message."""
        return inner_shape(self.base, self.layers)

    @property
    def has_choices(self) -> bool:
        """Whether any noise is a choice among several ways."""
        return self.shape.ways > 1

    @property
    def discrete(self) -> bool:
        """Whether the base is; the noise need not be."""
        return self.base.discrete

    @property
    def bits(self) -> float:
        """Of the base: the noise is not counted as message."""
        return self.base.bits

    @property
    def dim(self) -> int:
        """Length of the vector and the noise together."""
        return self.base.dim + self.shape.normal + self.shape.draws

    @property
    def message_dim(self) -> int:
        """Length of the base's message."""
        return self.base.message_dim

    @property
    def listable(self) -> bool:
        """Whether there are few messages: never, with their noise."""
        return False

    def sample(self, key: Key, n: int) -> Draws:
        """n messages with noise, and the pairs of vector and noise that carry them."""
        key_base, key_noise = jax.random.split(key)
        batch = self.base.sample(key_base, n)
        normal = jax.random.normal(key_noise, (n, self.shape.normal))
        noise = NoiseDraw(normal, jnp.ones((n, 1, 1)))
        if self.has_choices:
            keys = jax.random.split(jax.random.fold_in(key_noise, 1), n)
            noise = jax.lax.map(self._drawn, (keys, batch.vector, normal), batch_size=min(n, ENCODED_TOGETHER))
        return SentDraws(Sent(batch.message, noise), (batch.vector, noise))

    def _drawn(self, given: tuple[Key, Vector, Float[Array, " normal"]]) -> NoiseDraw:
        key, vector, normal = given

        def choose(number: int, log_masses: jax.Array) -> jax.Array:
            return drawn_choices(jax.random.fold_in(key, number), log_masses)

        return passed_with(self.layers, vector, normal, self.shape.ways, choose)[1]

    def embed(self, message: Sent) -> tuple[Vector, NoiseDraw]:
        """The vector of a message, and the noise that goes with it."""
        return self.base.embed(message.message), message.noise

    def log_prob(self, message: Sent) -> Scalar:
        """log p(m) + log p(e|m), nats."""
        return self.log_mass(message) + self.log_noise(message)

    def log_noise(self, message: Sent) -> Scalar:
        """log p(e|m), nats: a density of the normal numbers, and the mass of the choices."""
        found = log_normal(message.noise.normal)
        if self.has_choices:
            found = found + passed(self.layers, self.base.embed(message.message), message.noise)[1]
        return found

    def log_mass(self, message: Sent) -> Scalar:
        """log p(m) of the message alone, nats."""
        return self.base.log_prob(message.message)

    def messages(self) -> jax.Array:
        """Refused: noise goes with them.

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


def source_of(joint: Joint) -> WithNoise:
    """What the joint of a stack sends.

    Raises:
        ValueError: if the joint is not of a stack.
    """
    source = joint.source
    if not isinstance(source, WithNoise):
        raise ValueError(f"Expected the joint of a stack, of message and inner noise; got a source {source.name!r}.")
    return source


def log_normal(noise: Float[Array, ...]) -> Scalar:
    """Log density of independent standard normal numbers, nats."""
    return -0.5 * (jnp.square(noise).sum() + LOG_2PI * noise.size)


def mean_code(joint: Joint, vector: Vector, normal: Float[Array, " normal"]) -> tuple[Code, NoiseDraw]:
    """The last layer's code where every choice is taken for its mean, and those choices' probabilities.

    Args:
        joint: of a stack.
        vector: of one message.
        normal: standard normal numbers.
    """
    source = source_of(joint)
    _, noise = passed_with(source.layers, vector, normal, source.shape.ways, lambda _, log_masses: jnp.exp(log_masses))
    return joint.encoder((vector, noise)), noise


def _through(layers: tuple[Layer, ...], last: Callable[[Vector], Code], pair: tuple[Vector, NoiseDraw]) -> Code:
    """The code of the last layer, from the vector and the noise of all layers before."""
    return last(passed(layers, *pair)[0])
