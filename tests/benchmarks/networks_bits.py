"""Each family of networks on its own source, at the parameters of a perceptron: bits at every level."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np

from capacity.curves.execute import run_plan
from capacity.curves.plan import plan_curve
from capacity.systems import Architecture, GaussianAutoencoder
from capacity.systems.equal import equal_to
from capacity.systems.networks import NETWORKS
from capacity.training import Training
from synthetic import FairBits, LinearCode, MarkovBits, Source, Sprites

KEY = jax.random.key(0)
PERCEPTRON = Architecture(units=6, widths=(64, 64))
LEVELS = (0.2, 0.45, 1.0)
STEPS, BATCH, SAMPLES = 500, 256, 256


@dataclass(frozen=True)
class OwnSource:
    """A source, and the families that are made for it."""

    words: str
    bits: int
    dim: int
    kind: Any
    families: tuple[str, ...]

    def build(self) -> Source:
        source: Source = self.kind.build(KEY, self.bits, self.dim)
        return source


OWN = (
    OwnSource("12 fair bits in 24 numbers", 12, 24, FairBits, ("residual", "mixer")),
    OwnSource("a linear code of 12 bits in 32 numbers", 12, 32, LinearCode, ("attention",)),
    OwnSource("a Markov chain of 16 symbols in 16 numbers", 16, 16, MarkovBits, ("recurrent",)),
    OwnSource("sprites of 16 x 16, 12 bits", 12, 256, Sprites, ("conv",)),
)
LARGE = (
    OwnSource("sprites of 32 x 32, 12 bits", 12, 1024, Sprites, ("conv",)),
    OwnSource("16 fair bits in 64 symbols", 16, 64, FairBits, ("attention",)),
)


def measured(source: Source, network: Architecture, steps: int, levels: tuple[float, ...]) -> np.ndarray:
    """Bits, (levels,), of one seed."""
    training = Training(steps, BATCH, 100, BATCH, products="float32")
    system = GaussianAutoencoder(network)
    plan = plan_curve(1, source, system, levels, 1, training=training, samples=SAMPLES)
    return run_plan(plan)["bits"].values[:, 0]


def bits_part(devices: int) -> Iterator[str]:
    units, widths = PERCEPTRON.units, PERCEPTRON.widths
    yield f"Bits through {units} units of power 1 and Gaussian noise σ, enumerated with {SAMPLES} samples, one seed;"
    yield f"perceptrons of widths {widths} with {STEPS} steps of {BATCH} codes, families with twice the steps and as"
    yield "many parameters in the encoder (`capacity.systems.equal`), before the same message decoder."
    yield ""
    yield from _head(LEVELS, "least share")
    yield from _rows(OWN, LEVELS, 2 * STEPS)
    yield ""
    yield "Larger ones, at equal steps:"
    yield ""
    yield from _head(LEVELS[1:2], "share")
    yield from _rows(LARGE, LEVELS[1:2], STEPS)


def _head(levels: tuple[float, ...], last: str) -> Iterator[str]:
    columns = ["source", "encoder", "parameters", "multiply-adds", *(f"σ {level:g}" for level in levels), last]
    yield "| " + " | ".join(columns) + " |"
    yield "| :-- | :-- |" + " --: |" * (len(columns) - 2)


def _rows(cases: tuple[OwnSource, ...], levels: tuple[float, ...], steps: int) -> Iterator[str]:
    for case in cases:
        source = case.build()
        base = measured(source, PERCEPTRON, STEPS, levels)
        yield _row(case.words, "mlp", source, PERCEPTRON, base, base)
        for family in case.families:
            network = equal_to(replace(PERCEPTRON, network=NETWORKS[family]()), PERCEPTRON, source)
            yield _row(case.words, family, source, network, measured(source, network, steps, levels), base)


def _row(words: str, name: str, source: Source, network: Architecture, bits: np.ndarray, base: np.ndarray) -> str:
    size = network.sizes(source)["encoder"]
    cells = [words, name, f"{size.parameters:,}", f"{size.operations:,}", *(f"{value:.2f}" for value in bits)]
    return "| " + " | ".join([*cells, "" if bits is base else f"{100 * (bits / base).min():.1f} %"]) + " |"
