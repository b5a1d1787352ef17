"""Residual networks, h + W' f(W norm(h)) block by block (He et al. 2016; norms before the block: Xiong et al. 2020).

A block's second layer starts at zero, so that every block starts as the identity (Goyal et al. 2017): a new network is
a linear one, and depth costs nothing that training does not ask for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import jax
from flax import nnx

from capacity.systems.networks.mlp import ACTIVATIONS
from capacity.systems.networks.network import Build, Network
from capacity.training.precision import product

if TYPE_CHECKING:
    from synthetic.source import Source


def linear_layer(inputs: int, outputs: int, rngs: nnx.Rngs, *, zero: bool = False) -> nnx.Linear:
    """A linear layer over the last axis.

    Args:
        inputs, outputs: lengths of that axis.
        rngs: decides the kernel.
        zero: start the kernel at zero.
    """
    init = nnx.initializers.zeros_init() if zero else nnx.initializers.lecun_normal()
    return nnx.Linear(inputs, outputs, kernel_init=init, dot_general=product, rngs=rngs)


class ResidualBlock(nnx.Module):
    """x + inner(norm(x)), with a layer norm over the last axis (Ba et al. 2016)."""

    def __init__(self, width: int, inner: Callable[[jax.Array], jax.Array], rngs: nnx.Rngs):
        self.norm, self.inner = nnx.LayerNorm(width, rngs=rngs), inner

    def __call__(self, x: jax.Array) -> jax.Array:
        """Of the shape of x, (..., width)."""
        return x + self.inner(self.norm(x))


class TwoLayers(nnx.Module):
    """W' f(W x), (..., width) -> (..., width), with W' = 0 at the start."""

    def __init__(self, width: int, hidden: int, activation: str, rngs: nnx.Rngs):
        self.activation = activation
        self.into, self.out = linear_layer(width, hidden, rngs), linear_layer(hidden, width, rngs, zero=True)

    def __call__(self, x: jax.Array) -> jax.Array:
        """Items along the last axis, each by itself."""
        return self.out(ACTIVATIONS[self.activation](self.into(x)))


class ResidualMLP(nnx.Module):
    """A block of each width along a stream of the first width.  Maps (inputs,) to (outputs,); no widths: linear."""

    def __init__(self, inputs: int, widths: Sequence[int], outputs: int, activation: str, rngs: nnx.Rngs):
        stream = widths[0] if widths else inputs
        self.lift = linear_layer(inputs, stream, rngs) if widths else None
        self.blocks = nnx.List([ResidualBlock(stream, TwoLayers(stream, w, activation, rngs), rngs) for w in widths])
        self.read = linear_layer(stream, outputs, rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """One item to one output."""
        h = x if self.lift is None else self.lift(x)
        for block in self.blocks:
            h = block(h)
        return self.read(h)


@dataclass(frozen=True)
class ResidualNetwork(Network):
    """A residual perceptron; `widths` are those of its blocks, and the stream has the first."""

    name = "residual"
    summary = "perceptron of residual blocks with layer norms"

    def encoder(self, source: Source, outputs: int, widths: Sequence[int], activation: str) -> Build:
        return lambda rngs: ResidualMLP(source.dim, widths, outputs, activation, rngs)

    def decoder(self, source: Source, inputs: int, widths: Sequence[int], activation: str) -> Build:
        return lambda rngs: ResidualMLP(inputs, widths, source.dim, activation, rngs)
