"""MLP-mixer: two layers along the tokens and two along the channels, in turn (Tolstikhin et al. 2021)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import jax
from flax import nnx

from capacity.systems.networks.residual import ResidualBlock, TwoLayers
from capacity.systems.networks.tokens import TokenNetwork, TokenStack


class AcrossTokens(nnx.Module):
    """Two layers along the first axis, the same for every channel, (n, width) -> (n, width)."""

    def __init__(self, count: int, hidden: int, activation: str, rngs: nnx.Rngs):
        self.inner = TwoLayers(count, hidden, activation, rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """All tokens of one item."""
        mixed: jax.Array = self.inner(x.T).T
        return mixed


class Mixer(TokenStack):
    """For each width a block across the tokens and one across the channels.  (n, stream) -> (n, stream)."""

    def __init__(self, count: int, widths: Sequence[int], activation: str, rngs: nnx.Rngs):
        stream = widths[0]
        inner = [
            kind
            for width in widths
            for kind in (AcrossTokens(count, width, activation, rngs), TwoLayers(stream, width, activation, rngs))
        ]
        self.blocks = nnx.List([ResidualBlock(stream, one, rngs) for one in inner])
        self.norm = nnx.LayerNorm(stream, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        """All tokens of one item."""
        h = x
        for block in self.blocks:
            h = block(h)
        found: jax.Array = self.norm(h)
        return found


@dataclass(frozen=True)
class MixerNetwork(TokenNetwork):
    """An MLP-mixer over tokens; `widths` are the hidden widths of both its parts, the stream has the first."""

    name = "mixer"
    summary = "perceptrons across tokens and across channels in turn"

    def stack(self, count: int, widths: Sequence[int], activation: str, rngs: nnx.Rngs) -> Mixer:
        """(count, stream) -> (count, stream)."""
        return Mixer(count, widths, activation, rngs)
