"""A network with noise between its functions: points go in, and each noisy layer's code comes out with its noise.

Functions without noise are one with the next that has some.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from capacity.channels import Posterior
from capacity.channels.channel import Code, noisy
from capacity.joint.joint import ENCODED_TOGETHER, as_tree
from capacity.joint.stack import Layer
from capacity.runtime.shapes import Key, Vector

VectorFunction: TypeAlias = Callable[[Vector], Vector]


def noisy_layers(layers: Sequence[Layer | VectorFunction]) -> tuple[tuple[int, ...], tuple[Layer, ...]]:
    """Numbers (from 1) of the layers that have noise, and these, each after the functions without noise before it.

    Raises:
        ValueError: where there is none, or where functions without noise come last: a code of theirs has no density.
    """
    numbers, found = [], []
    before: list[VectorFunction] = []
    for number, layer in enumerate(layers, 1):
        if not isinstance(layer, Layer):
            before.append(as_tree(layer))
            continue
        numbers.append(number)
        functions = [*before, layer.encoder]
        through = _posterior_of_all if layer.channel.code is Posterior else _all
        found.append(Layer(jax.tree_util.Partial(through, functions), layer.channel))
        before = []
    if not found:
        raise ValueError("Expected a layer with noise, Layer(function, channel); got none.")
    if before:
        raise ValueError(
            f"Expected noise in the last layer, without which its code has no density; got none after layer "
            f"{numbers[-1]}. Leave out what comes after: it can add no information."
        )
    return tuple(numbers), tuple(found)


def _all(functions: Sequence[VectorFunction], vector: Vector) -> Code:
    for function in functions:
        vector = function(vector)
    return vector


def _posterior_of_all(functions: Sequence[VectorFunction], vector: Vector) -> Posterior:
    """The last function gives the pair of means and log standard deviations."""
    return Posterior(*_all(functions, vector))


def code_of(layers: Sequence[Layer], key: Key, vector: Vector) -> Code:
    """The last layer's code of one vector, after fresh noise of all layers before."""
    for number, layer in enumerate(layers[:-1]):
        vector = layer.channel(jax.random.fold_in(key, number), layer.encoder(vector))
    code: Code = layers[-1].encoder(vector)
    return code


def noise_code(layers: Sequence[Layer], vector: Vector, noise: Float[Array, " noise"]) -> Code:
    """The same by given standard normal noise (noise,) of normal channels."""
    start = 0
    for layer in layers[:-1]:
        mean, variance = layer.channel.moments(layer.encoder(vector))
        vector = mean + jnp.sqrt(variance) * noise[start : start + mean.shape[0]]
        start += mean.shape[0]
    code: Code = layers[-1].encoder(vector)
    return code


def noise_size(layers: Sequence[Layer], vector: Vector) -> int:
    """How many standard normal numbers the layers before the last take."""
    size = 0
    for layer in layers[:-1]:
        vector = jax.eval_shape(lambda v, layer=layer: layer.channel.moments(layer.encoder(v))[0], vector)
        size += vector.shape[0]
    return size


@partial(jax.jit, static_argnums=3)
def codes_of(layers: Sequence[Layer], key: Key, vectors: Float[Array, "n dim"], times: int) -> Code:
    """Codes of every vector, each so many times by noise of its own: leaves (n, times, ...).

    Args:
        layers: first to last; of the last no noise is added.
        key: decides the noise.
        vectors: of the points.
        times: for each.
    """
    keys = jax.random.split(key, len(vectors))

    def of_one(one: tuple[Key, Vector]) -> Code:
        return jax.vmap(lambda k: code_of(layers, k, one[1]))(jax.random.split(one[0], times))

    return jax.lax.map(of_one, (keys, vectors), batch_size=max(min(ENCODED_TOGETHER // times, len(vectors)), 1))


def mirrored_codes(layers: Sequence[Layer], key: Key, vectors: Float[Array, "n dim"], times: int) -> Code:
    """The same; with normal noise inside, of noise and its negative by turns: means of linear codes are then exact.

    Args:
        layers, key, vectors, times: as of `codes_of`.
    """
    if not all(layer.channel.normal for layer in layers[:-1]):
        return codes_of(layers, key, vectors, times)
    return _antithetic(layers, key, vectors, times, noise_size(layers, vectors[0]))


@partial(jax.jit, static_argnums=(3, 4))
def _antithetic(layers: Sequence[Layer], key: Key, vectors: Float[Array, "n dim"], times: int, size: int) -> Code:
    keys = jax.random.split(key, len(vectors))

    def of_one(one: tuple[Key, Vector]) -> Code:
        half = jax.random.normal(one[0], ((times + 1) // 2, size))
        noise = jnp.stack([half, -half], 1).reshape(-1, size)[:times]
        return jax.vmap(lambda e: noise_code(layers, one[1], e))(noise)

    return jax.lax.map(of_one, (keys, vectors), batch_size=max(min(ENCODED_TOGETHER // times, len(vectors)), 1))


@jax.jit
def sent_through(
    layers: Sequence[Layer], key: Key, vectors: Float[Array, "n dim"]
) -> tuple[Code, Float[Array, "n units"]]:
    """Codes of vectors by fresh noise, leaves (n, ...), and what comes of them after the last noise, (n, units)."""
    key_code, key_noise = jax.random.split(key)
    codes = jax.tree.map(lambda leaf: leaf[:, 0], codes_of(layers, key_code, vectors, 1))
    return codes, noisy(layers[-1].channel, key_noise, codes)


def checked_points(points: np.ndarray) -> Float[np.ndarray, "n dim"]:
    """Points as float64 (N, dim).

    Raises:
        ValueError: for other shapes, fewer than two, and numbers that are not finite.
    """
    table = np.asarray(points)
    if table.dtype.kind not in "fiub" or table.ndim != 2 or len(table) < 2 or not table.shape[1]:
        raise ValueError(
            f"Expected at least two points of real numbers, a row each, (N, dim); got {table.dtype} of shape "
            f"{table.shape}. Layers that take images may reshape a row themselves."
        )
    table = table.astype(np.float64)
    if not np.isfinite(table).all():
        raise ValueError(
            f"Expected finite points; got one that is not in row {np.argwhere(~np.isfinite(table))[0][0]}."
        )
    return table
