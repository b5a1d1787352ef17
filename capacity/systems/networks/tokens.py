"""Networks over tokens: a vector cut into patches, a stack that maps tokens to tokens, one linear layer at the end."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import jax
from flax import nnx

from capacity.runtime.whole import whole
from capacity.systems.networks.layout import VectorLayout, from_tokens, layout_of, patch_of, tokens
from capacity.systems.networks.mlp import MLP
from capacity.systems.networks.network import Build, Network
from capacity.systems.networks.residual import linear_layer

if TYPE_CHECKING:
    from synthetic.source import Source


class TokenStack(nnx.Module):
    """Maps the tokens of one item to as many others, (n, first width) -> (n, last width)."""

    def __call__(self, x: jax.Array) -> jax.Array:
        """All tokens of one item."""
        raise NotImplementedError


class TokenEncoder(nnx.Module):
    """(dim,) -> (outputs,): tokens lifted to the first width, a stack, a linear layer over all that it says."""

    def __init__(
        self, layout: VectorLayout, patch: int, widths: tuple[int, int], outputs: int, stack: TokenStack, rngs: nnx.Rngs
    ):
        self.layout, self.patch, self.stack = layout, patch, stack
        count, size = token_shape(layout, patch)
        self.lift, self.read = linear_layer(size, widths[0], rngs), linear_layer(count * widths[1], outputs, rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """One vector to one output."""
        return self.read(self.stack(self.lift(tokens(x, self.layout, self.patch))).reshape(-1))


class TokenDecoder(nnx.Module):
    """(inputs,) -> (dim,): a linear layer to tokens of the first width, a stack, and each token to its patch."""

    def __init__(
        self, inputs: int, layout: VectorLayout, patch: int, widths: tuple[int, int], stack: TokenStack, rngs: nnx.Rngs
    ):
        self.layout, self.patch, self.stack = layout, patch, stack
        count, size = token_shape(layout, patch)
        self.shape = count, widths[0]
        self.lift, self.read = linear_layer(inputs, count * widths[0], rngs), linear_layer(widths[1], size, rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """One noisy code to one vector."""
        return from_tokens(self.read(self.stack(self.lift(x).reshape(self.shape))), self.layout, self.patch)


@dataclass(frozen=True)
class TokenNetwork(Network):
    """A family whose encoders and decoders are a stack over tokens; it names the stack.

    Attributes:
        patch: side of the patches that are a token each; by default the smallest that leaves at most 64 tokens.
        layout: (length, channels) or (height, width, channels); by default the source's own.

    Raises:
        ValueError: for a patch below 1.
    """

    patch: int | None = None
    layout: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if self.patch is not None:
            whole(self.patch, "patch", most=None)

    @abstractmethod
    def stack(self, count: int, widths: Sequence[int], activation: str, rngs: nnx.Rngs) -> TokenStack:
        """A stack over `count` tokens, (count, widths[0]) -> (count, widths of `ends`)."""

    def ends(self, widths: Sequence[int]) -> tuple[int, int]:
        """Numbers of a token before and after the stack: the first width."""
        return widths[0], widths[0]

    def encoder(self, source: Source, outputs: int, widths: Sequence[int], activation: str) -> Build:
        layout, patch, count = self._cut(source)

        def build(rngs: nnx.Rngs) -> TokenEncoder | MLP:
            if not widths:
                return MLP((source.dim, outputs), activation, rngs)
            stack = self.stack(count, widths, activation, rngs)
            return TokenEncoder(layout, patch, self.ends(widths), outputs, stack, rngs)

        return build

    def decoder(self, source: Source, inputs: int, widths: Sequence[int], activation: str) -> Build:
        layout, patch, count = self._cut(source)

        def build(rngs: nnx.Rngs) -> TokenDecoder | MLP:
            if not widths:
                return MLP((inputs, source.dim), activation, rngs)
            stack = self.stack(count, widths, activation, rngs)
            return TokenDecoder(inputs, layout, patch, self.ends(widths), stack, rngs)

        return build

    def _cut(self, source: Source) -> tuple[VectorLayout, int, int]:
        layout = layout_of(source, self.layout)
        patch = patch_of(layout, self.patch)
        return layout, patch, token_shape(layout, patch)[0]


def token_shape(layout: VectorLayout, patch: int) -> tuple[int, int]:
    """How many tokens a vector has, and how many numbers a token."""
    *axes, channels = layout
    size = patch ** len(axes) * channels
    return math.prod(layout) // size, size
