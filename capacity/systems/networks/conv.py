"""Convolutional networks, along a sequence or over an image: each layer looks at small windows and strides over them.

The decoder goes the other way: a convolution at the coarse places gives stride^axes finer ones each (sub-pixel
convolution, Shi et al. 2016).  Layers are flax's: windows cut out and multiplied by the kernel in one product are no
faster on a CPU (`docs/networks.md`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import jax
from flax import nnx

from capacity.runtime.whole import whole
from capacity.systems.networks.layout import VectorLayout, from_tokens, layout_of
from capacity.systems.networks.mlp import ACTIVATIONS
from capacity.systems.networks.network import Build, Network
from capacity.systems.networks.residual import linear_layer

if TYPE_CHECKING:
    from synthetic.source import Source


class Convolutions(nnx.Module):
    """Strided convolutions, then one linear layer over all places.  Maps (dim,) to (outputs,)."""

    def __init__(
        self, layout: VectorLayout, widths: Sequence[int], outputs: int, kernel: int, stride: int, activation: str,
        rngs: nnx.Rngs,
    ):  # fmt: skip
        self.layout, self.activation = layout, activation
        *axes, channels = layout
        window = (kernel,) * len(axes)
        self.layers = nnx.List([nnx.Conv(a, b, window, stride, rngs=rngs) for a, b in pairwise((channels, *widths))])
        for _ in widths:
            axes = [-(-axis // stride) for axis in axes]
        self.read = linear_layer(math.prod(axes) * (widths[-1] if widths else channels), outputs, rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """One vector to one output."""
        h = x.reshape(self.layout)
        for layer in self.layers:
            h = ACTIVATIONS[self.activation](layer(h))
        return self.read(h.reshape(-1))


class Upsampling(nnx.Module):
    """One linear layer to the coarsest places, then convolutions that make them finer.  Maps (inputs,) to (dim,)."""

    def __init__(
        self, inputs: int, layout: VectorLayout, widths: Sequence[int], kernel: int, stride: int, activation: str,
        rngs: nnx.Rngs,
    ):  # fmt: skip
        self.layout, self.stride, self.activation = layout, stride, activation
        *axes, channels = layout
        self.coarsest = tuple(-(-axis // stride ** len(widths)) for axis in axes)
        first = widths[0] if widths else channels
        self.lift = linear_layer(inputs, math.prod(self.coarsest) * first, rngs)
        window, finer = (kernel,) * len(axes), stride ** len(axes)
        self.layers = nnx.List([nnx.Conv(a, finer * b, window, rngs=rngs) for a, b in pairwise((*widths, channels))])

    def __call__(self, x: jax.Array) -> jax.Array:
        """One noisy code to one vector."""
        *axes, _ = self.layout
        h = self.lift(x).reshape(*self.coarsest, -1)
        for layer in self.layers:
            h = layer(ACTIVATIONS[self.activation](h))
            fine = [self.stride * axis for axis in h.shape[:-1]]
            channels = h.shape[-1] // self.stride ** len(axes)
            places = h.reshape(-1, h.shape[-1])
            h = from_tokens(places, (*fine, channels), self.stride).reshape(*fine, channels)
        return h[tuple(slice(axis) for axis in axes)].reshape(-1)


@dataclass(frozen=True)
class ConvNetwork(Network):
    """Convolutions over the source's layout; `widths` are the channels of its layers.

    Attributes:
        kernel: places along an axis that a layer sees.
        stride: places along an axis that it makes one.
        layout: (length, channels) or (height, width, channels); by default the source's own.

    Raises:
        ValueError: for a kernel or a stride below 1.
    """

    kernel: int = 3
    stride: int = 2
    layout: tuple[int, ...] | None = None
    name = "conv"
    summary = "convolutions with strides, along sequences or over images"

    def __post_init__(self) -> None:
        whole(self.kernel, "kernel", most=None)
        whole(self.stride, "stride", most=None)

    def encoder(self, source: Source, outputs: int, widths: Sequence[int], activation: str) -> Build:
        layout = layout_of(source, self.layout)
        return lambda rngs: Convolutions(layout, widths, outputs, self.kernel, self.stride, activation, rngs)

    def decoder(self, source: Source, inputs: int, widths: Sequence[int], activation: str) -> Build:
        layout = layout_of(source, self.layout)
        return lambda rngs: Upsampling(inputs, layout, widths, self.kernel, self.stride, activation, rngs)
