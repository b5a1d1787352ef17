"""Multilayer perceptrons as the structure of encoder and decoders: the default."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from capacity.systems.networks.mlp import MLP
from capacity.systems.networks.network import Build, Network

if TYPE_CHECKING:
    from synthetic.source import Source


@dataclass(frozen=True)
class MLPNetwork(Network):
    """Linear layers of the widths with an activation between them; no widths make encoder and decoders linear."""

    name = "mlp"
    summary = "multilayer perceptron"

    def encoder(self, source: Source, outputs: int, widths: Sequence[int], activation: str) -> Build:
        return lambda rngs: MLP((source.dim, *widths, outputs), activation, rngs)

    def decoder(self, source: Source, inputs: int, widths: Sequence[int], activation: str) -> Build:
        return lambda rngs: MLP((inputs, *widths, source.dim), activation, rngs)
