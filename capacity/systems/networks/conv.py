"""Convolutional networks, along a sequence or over an image: each layer looks at small windows and strides over them.

A layer cuts the windows out and multiplies them by its kernel in one product: within a compiled loop of training steps,
XLA's own convolution takes many times as long on a CPU (`docs/networks.md`).  The decoder goes the other way: a
convolution at the coarse places gives stride^axes finer ones each (sub-pixel convolution, Shi et al. 2016).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

import jax
from flax import nnx

from capacity.runtime.allowed import Allowed, check_allowed
from capacity.runtime.whole import whole
from capacity.systems.networks.layout import Shortened, VectorLayout, from_tokens, layout_of
from capacity.systems.networks.mlp import ACTIVATIONS
from capacity.systems.networks.network import Build, BuildMessage, Network
from capacity.systems.networks.residual import linear_layer
from capacity.systems.networks.shared import SharedConvolutions, SharedDecoder, WindowedBits
from capacity.systems.networks.windows import windows

if TYPE_CHECKING:
    from synthetic.source import Source

REHEARSED, LEAST_REHEARSED = 256, 64  # digits of the messages that a code of windows is trained on


class Convolutions(nnx.Module):
    """Strided convolutions, then one linear layer over all places.  Maps (dim,) to (outputs,)."""

    def __init__(
        self, layout: VectorLayout, widths: Sequence[int], outputs: int, kernel: int, stride: int, activation: str,
        rngs: nnx.Rngs,
    ):  # fmt: skip
        self.layout, self.kernel, self.stride, self.activation = layout, kernel, stride, activation
        *axes, channels = layout
        window = kernel ** len(axes)
        self.layers = nnx.List([linear_layer(window * a, b, rngs) for a, b in pairwise((channels, *widths))])
        for _ in widths:
            axes = [-(-axis // stride) for axis in axes]
        self.read = linear_layer(math.prod(axes) * (widths[-1] if widths else channels), outputs, rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """One vector to one output."""
        h = x.reshape(self.layout)
        for layer in self.layers:
            h = ACTIVATIONS[self.activation](layer(windows(h, self.kernel, self.stride)))
        return self.read(h.reshape(-1))


class Upsampling(nnx.Module):
    """One linear layer to the coarsest places, then convolutions that make them finer.  Maps (inputs,) to (dim,)."""

    def __init__(
        self, inputs: int, layout: VectorLayout, widths: Sequence[int], kernel: int, stride: int, activation: str,
        rngs: nnx.Rngs,
    ):  # fmt: skip
        self.layout, self.kernel, self.stride, self.activation = layout, kernel, stride, activation
        *axes, channels = layout
        self.coarsest = tuple(-(-axis // stride ** len(widths)) for axis in axes)
        first = widths[0] if widths else channels
        self.lift = linear_layer(inputs, math.prod(self.coarsest) * first, rngs)
        window, finer = kernel ** len(axes), stride ** len(axes)
        self.layers = nnx.List([linear_layer(window * a, finer * b, rngs) for a, b in pairwise((*widths, channels))])

    def __call__(self, x: jax.Array) -> jax.Array:
        """One noisy code to one vector."""
        *axes, _ = self.layout
        h = self.lift(x).reshape(*self.coarsest, -1)
        for layer in self.layers:
            h = layer(windows(ACTIVATIONS[self.activation](h), self.kernel, 1))
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
        read: "all", one linear layer from all places to the outputs; or "places", the outputs of each place by the same
            weights, of a sequence: a convolutional code, whose units see a window each, and which is trained on short
            messages and runs on long ones.  Layers then do not stride, but where units are fewer than places the last.

    Raises:
        ValueError: for a kernel or a stride below 1, or another way to read.
    """

    kernel: int = 3
    stride: int = 2
    layout: tuple[int, ...] | None = None
    read: str = "all"
    name = "conv"
    summary = "convolutions with strides, along sequences or over images"
    allowed: ClassVar[Allowed] = {"read": ("all", "places")}

    def __post_init__(self) -> None:
        whole(self.kernel, "kernel", most=None)
        whole(self.stride, "stride", most=None)
        check_allowed(self.allowed, {"read": self.read})

    def encoder(self, source: Source, outputs: int, widths: Sequence[int], activation: str) -> Build:
        layout = layout_of(source, self.layout)
        if self.read == "all":
            return lambda rngs: Convolutions(layout, widths, outputs, self.kernel, self.stride, activation, rngs)
        length, channels = self._sequence(layout)
        return lambda rngs: SharedConvolutions(length, channels, widths, outputs, self.kernel, activation, rngs)

    def decoder(self, source: Source, inputs: int, widths: Sequence[int], activation: str) -> Build:
        layout = layout_of(source, self.layout)
        if self.read == "all":
            return lambda rngs: Upsampling(inputs, layout, widths, self.kernel, self.stride, activation, rngs)
        length, channels = self._sequence(layout)
        return lambda rngs: SharedDecoder(inputs, length, channels, widths, self.kernel, activation, rngs)

    def message(self, source: Source, inputs: int, widths: Sequence[int], activation: str) -> BuildMessage:
        if self.read == "all" or not source.discrete:
            return super().message(source, inputs, widths, activation)
        return lambda rngs: WindowedBits(inputs, source.message_dim, widths, self.kernel, activation, rngs)

    def rehearsal(self, source: Source, units: int) -> tuple[Source, int]:
        if self.read == "all" or not isinstance(source, Shortened) or source.message_dim <= REHEARSED:
            return source, units
        digits = next((d for d in range(REHEARSED, 0, -1) if units * d % source.message_dim == 0), 0)
        digits = digits if digits >= LEAST_REHEARSED else source.message_dim
        return source.shortened(digits), units * digits // source.message_dim

    def _sequence(self, layout: VectorLayout) -> tuple[int, int]:
        if len(layout) != 2:
            raise ValueError(f"Expected a sequence (length, channels) for a network with read=places; got {layout}.")
        length, channels = layout
        return length, channels
