"""Recurrent networks: gated recurrent units that read a vector token by token (Cho et al. 2014)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
from flax import nnx

from capacity.systems.networks.causal import CausalBits
from capacity.systems.networks.network import BuildMessage
from capacity.systems.networks.tokens import TokenNetwork, TokenStack

if TYPE_CHECKING:
    from synthetic.source import Source


class Recurrence(TokenStack):
    """A layer of gated units of each width, each over the states of the one before.  (n, inputs) -> (n, last width)."""

    def __init__(self, inputs: int, widths: Sequence[int], rngs: nnx.Rngs):
        self.cells = nnx.List([nnx.GRUCell(a, b, rngs=rngs) for a, b in pairwise((inputs, *widths))])

    def __call__(self, x: jax.Array) -> jax.Array:
        """All tokens of one item, first to last."""
        start = [jnp.zeros(cell.hidden_features) for cell in self.cells]

        def step(states: list[jax.Array], seen: jax.Array) -> tuple[list[jax.Array], jax.Array]:
            after = []
            for cell, state in zip(self.cells, states, strict=True):
                state, seen = cell(state, seen)
                after.append(state)
            return after, seen

        return jax.lax.scan(step, start, x)[1]


@dataclass(frozen=True)
class RecurrentNetwork(TokenNetwork):
    """Gated recurrent units over tokens; `widths` are those of its layers.

    Attributes:
        patch, layout: as in `TokenNetwork`.
        causal: decode a message by gated units over its digits, instead of a masked perceptron.
    """

    causal: bool = False
    name = "recurrent"
    summary = "gated recurrent units along the numbers of a sequence or the patches of an image"

    def message(self, source: Source, inputs: int, widths: Sequence[int], activation: str) -> BuildMessage:
        if not (self.causal and source.discrete and widths):
            return super().message(source, inputs, widths, activation)
        digits = source.message_dim

        def build(rngs: nnx.Rngs) -> CausalBits:
            return CausalBits(inputs, digits, self.ends(widths), Recurrence(widths[0], widths, rngs), rngs)

        return build

    def stack(self, count: int, widths: Sequence[int], activation: str, rngs: nnx.Rngs) -> Recurrence:
        """(count, first width) -> (count, last width)."""
        return Recurrence(widths[0], widths, rngs)

    def ends(self, widths: Sequence[int]) -> tuple[int, int]:
        """The first width and the last."""
        return widths[0], widths[-1]
