"""Convolutional networks, along a sequence or over an image: each layer looks at small windows and strides over them.

A layer is a product of the windows' rows with one kernel: on a CPU XLA's own convolution takes several times as long,
most of it for the kernel's slopes (`docs/networks.md`).  The decoder goes the other way: a convolution at the coarse
places gives stride^axes finer ones each (sub-pixel convolution, Shi et al. 2016).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise, product as combinations
from typing import TYPE_CHECKING, ClassVar

import jax
import jax.numpy as jnp
from flax import nnx

from capacity.systems.networks.layout import Layout, from_tokens, layout_of
from capacity.systems.networks.mlp import ACTIVATIONS
from capacity.systems.networks.network import Network
from capacity.systems.networks.residual import linear

if TYPE_CHECKING:
    from synthetic.source import Source


def windows(x: jax.Array, kernel: int, stride: int) -> jax.Array:
    """What a kernel sees at every stride, padded with zeros: (*axes, channels) -> (*axes / stride, kernel^axes channels)."""
    *axes, _ = x.shape
    counts = [-(-size // stride) for size in axes]
    needed = [max((count - 1) * stride + kernel - size, 0) for count, size in zip(counts, axes, strict=True)]
    padded = jnp.pad(x, [*((n // 2, n - n // 2) for n in needed), (0, 0)])
    seen = []
    for offsets in combinations(range(kernel), repeat=len(axes)):
        cuts = tuple(slice(o, o + (n - 1) * stride + 1, stride) for o, n in zip(offsets, counts, strict=True))
        seen.append(padded[cuts])
    return jnp.concatenate(seen, axis=-1)


class Convolutions(nnx.Module):
    """Strided convolutions, then one linear layer over all places.  Maps (dim,) to (outputs,)."""

    def __init__(
        self, layout: Layout, widths: Sequence[int], outputs: int, kernel: int, stride: int, activation: str,
        rngs: nnx.Rngs,
    ):  # fmt: skip
        self.layout, self.kernel, self.stride, self.activation = layout, kernel, stride, activation
        *axes, channels = layout
        size = kernel ** len(axes)
        self.layers = nnx.List([linear(size * a, b, rngs) for a, b in pairwise((channels, *widths))])
        for _ in widths:
            axes = [-(-axis // stride) for axis in axes]
        self.read = linear(math.prod(axes) * (widths[-1] if widths else channels), outputs, rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """One vector."""
        h = x.reshape(self.layout)
        for layer in self.layers:
            h = ACTIVATIONS[self.activation](layer(windows(h, self.kernel, self.stride)))
        return self.read(h.reshape(-1))


class Upsampling(nnx.Module):
    """One linear layer to the coarsest places, then convolutions that make them finer.  Maps (inputs,) to (dim,)."""

    def __init__(
        self, inputs: int, layout: Layout, widths: Sequence[int], kernel: int, stride: int, activation: str,
        rngs: nnx.Rngs,
    ):  # fmt: skip
        self.layout, self.kernel, self.stride, self.activation = layout, kernel, stride, activation
        *axes, channels = layout
        self.coarsest = tuple(-(-axis // stride ** len(widths)) for axis in axes)
        first = widths[0] if widths else channels
        self.lift = linear(inputs, math.prod(self.coarsest) * first, rngs)
        size, finer = kernel ** len(axes), stride ** len(axes)
        self.layers = nnx.List([linear(size * a, finer * b, rngs) for a, b in pairwise((*widths, channels))])

    def __call__(self, z: jax.Array) -> jax.Array:
        """One noisy code."""
        *axes, channels = self.layout
        h = self.lift(z).reshape(*self.coarsest, -1)
        for layer in self.layers:
            h = layer(windows(ACTIVATIONS[self.activation](h), self.kernel, 1))
            fine = [self.stride * axis for axis in h.shape[:-1]]
            width = h.shape[-1] // self.stride ** len(axes)
            h = from_tokens(h.reshape(-1, h.shape[-1]), (*fine, width), self.stride).reshape(*fine, width)
        return h[tuple(slice(axis) for axis in axes)].reshape(-1)


@dataclass(frozen=True)
class ConvNetwork(Network):
    """Convolutions over the source's layout; `widths` are the channels of its layers.

    Attributes:
        kernel: places along an axis that a layer sees.
        stride: places along an axis that it makes one.
        layout: (length, channels) or (height, width, channels); by default the source's own.
    """

    name: ClassVar[str] = "conv"
    summary: ClassVar[str] = "convolutions with strides, along sequences or over images"

    kernel: int = 3
    stride: int = 2
    layout: tuple[int, ...] | None = None

    def encoder(
        self, source: Source, outputs: int, widths: Sequence[int], activation: str
    ) -> Callable[[nnx.Rngs], Convolutions]:
        """Builder of the encoder, vector (dim,) -> (outputs,)."""
        layout = layout_of(source, self.layout)
        return lambda rngs: Convolutions(layout, widths, outputs, self.kernel, self.stride, activation, rngs)

    def decoder(
        self, source: Source, inputs: int, widths: Sequence[int], activation: str
    ) -> Callable[[nnx.Rngs], Upsampling]:
        """Builder of the vector decoder, (inputs,) -> (dim,)."""
        layout = layout_of(source, self.layout)
        return lambda rngs: Upsampling(inputs, layout, widths, self.kernel, self.stride, activation, rngs)
